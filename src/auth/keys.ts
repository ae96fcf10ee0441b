import type { Auth, Authenticate, Caller } from "./auth.ts";
import { bearerOf } from "./bearer.ts";
import { unauthorized, withKeys } from "./challenge.ts";

/** A secret, and what whoever has it may do; of a secret alone, what asks for no scope. */
export type Key = string | { secret: string; scopes: string[] };

/** A key, ready to be compared. */
interface NamedKey {
  secret: string;
  digest: ArrayBuffer;
  scopes: string[];
}

/**
 * Named keys: clients send theirs as `authorization: Bearer …`. `keysIn` takes them from the Worker's secrets:
 * `keys(({ ALICE_KEY }) => ({ alice: ALICE_KEY }))`. The principal is the name, so a new secret under the same name goes on
 * with the sessions of the old one.
 *
 * A request fails, as an incident that names the key, while one is empty or missing, or two are the same: nobody comes in. A key is
 * compared with all of them in constant time.
 */
export function keys<Env = Cloudflare.Env>(keysIn: (env: Env) => Record<string, Key | undefined>): Auth<Env> {
  if (typeof keysIn !== "function") {
    throw new TypeError("keys takes a function of env: keys(({ ALICE_KEY }) => ({ alice: ALICE_KEY })).");
  }
  // By what they were made of: that is the same for all requests, until a secret is changed.
  let known: { from: string; named: Map<string, NamedKey> } | undefined;
  const authenticate: Authenticate<Env> = async (request, env) => {
    const given = keysIn(env);
    const from = JSON.stringify(given);
    if (known?.from !== from) known = { from, named: await prepared(given) };
    const token = bearerOf(request);
    if (token === undefined) return unauthorized("Send your key as Authorization: Bearer <key>");
    return (await callerWith(token, known.named)) ?? unauthorized("This key is not known");
  };
  withKeys.add(authenticate);
  return { authenticate };
}

async function callerWith(token: string, named: Map<string, NamedKey>): Promise<Caller | undefined> {
  const digest = await digestOf(token);
  let found: [string, NamedKey] | undefined;
  for (const entry of named) if (crypto.subtle.timingSafeEqual(digest, entry[1].digest)) found = entry;
  if (found === undefined) return undefined;
  const [principal, { scopes }] = found;
  return { principal, authInfo: { token, clientId: principal, scopes } };
}

/** @throws {TypeError} for keys by which nobody, or anybody, could come in. */
async function prepared(given: Record<string, Key | undefined>): Promise<Map<string, NamedKey>> {
  const named = new Map<string, NamedKey>();
  for (const [name, key] of Object.entries(given)) {
    const { secret, scopes } = typeof key === "object" ? key : { secret: key, scopes: [] };
    if (typeof secret !== "string" || !/^[\x21-\x2b\x2d-\x7e]+$/.test(secret)) {
      const what = secret === undefined || secret === "" ? "is missing" : "has characters that no header carries";
      throw new TypeError(`The key of ${name} ${what}: set its secret, with npx wrangler secret put or in .dev.vars.`);
    }
    const twin = Array.from(named).find(([, other]) => other.secret === secret);
    if (twin !== undefined) throw new TypeError(`The keys of ${twin[0]} and ${name} are the same: give each its own.`);
    named.set(name, { secret, digest: await digestOf(secret), scopes });
  }
  if (named.size === 0) throw new TypeError("keys names no key: return { alice: ALICE_KEY }.");
  return named;
}

/** All digests are of one length, which says nothing of a secret's. */
function digestOf(secret: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
}
