import {
  inspectBinding,
  inspectedHeader,
  inspectHeader,
  type Inspected,
  seenLately,
  type SessionView,
} from "../link/inspection.ts";
import { url } from "../link/link.ts";
import { namespaceOf } from "../link/namespace.ts";
import { objectIdIn } from "../protocol/session-id.ts";
import { shortHash } from "../protocol/hash.ts";
import { findSession } from "./objects.ts";

/** How many sessions are listed: each of them is woken for it. */
const maxListed = 20;

/** As much of an id as a developer types. */
const beginning = /^[0-9a-f]{4,64}$/;

/**
 * The answer to `npm run inspect`; `undefined` for any other request. Only `npm start` and the command know the key, so
 * that it may be on whatever path leads here.
 */
export async function answerInspection(
  { headers }: Request,
  env: unknown,
  binding: string,
): Promise<Response | undefined> {
  const key: unknown = Reflect.get(Object(env), inspectBinding);
  if (typeof key !== "string" || key === "" || headers.get(inspectHeader) !== key) return undefined;
  const asked = headers.get(inspectedHeader);
  const namespace = namespaceOf(env, binding);
  return Response.json(await (asked === null ? list(namespace) : inspect(namespace, decodeURIComponent(asked))));
}

async function list(namespace: DurableObjectNamespace): Promise<Inspected> {
  const views: SessionView[] = [];
  for (const id of seenLately()) {
    // Those that have ended are seen still.
    const session = await viewOf(namespace, id);
    if (session !== null) views.push(session);
    if (views.length === maxListed) break;
  }
  return { is: "list", sessions: views };
}

async function inspect(namespace: DurableObjectNamespace, asked: string): Promise<Inspected> {
  const [only, ...others] = await objectsNamed(asked.toLowerCase());
  if (others.length > 0) return { is: "ambiguous", sessions: [only ?? "", ...others] };
  const session = only === undefined ? null : await viewOf(namespace, only);
  return session === null ? { is: "unknown" } : { is: "session", session };
}

/** The objects of those that were seen whose id, or name in the log, is or begins so; of a whole id its object. */
async function objectsNamed(asked: string): Promise<string[]> {
  const whole = objectIdIn(asked);
  if (whole !== undefined) return [whole];
  if (!beginning.test(asked)) return [];
  const named: string[] = [];
  for (const id of seenLately()) if (id.startsWith(asked) || (await shortHash(id)) === asked) named.push(id);
  return named;
}

async function viewOf(namespace: DurableObjectNamespace, sessionId: string): Promise<SessionView | null> {
  const ask = (): Promise<Response> | undefined =>
    findSession(namespace, sessionId)?.fetch(url, { headers: { [inspectHeader]: "it" } });
  // The object of a session that has just ended goes away, perhaps under the request. Another one knows nothing of it.
  const response = await ask()?.catch(ask);
  return response?.ok === true ? await response.json<SessionView | null>() : null;
}
