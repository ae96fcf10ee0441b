import { checkEntry, checkText } from "../protocol/json-value.ts";
import { isObject } from "../protocol/json-rpc.ts";
import type { ServerContext, UserMemory } from "../server-context.ts";
import type { KnownCaller } from "./caller.ts";
import { askAgain } from "./ask-again.ts";
import { askHeaders } from "./ask.ts";

const verbs = ["get", "set", "delete", "keys", "clear"] as const;

/** What is asked of a user's object, as JSON: a method of {@linkcode UserMemory}, with what it takes. */
export interface UserMemoryRequest {
  do: (typeof verbs)[number];
  /** Without one: empty, where it arrives. */
  key?: string;
  value?: unknown;
}

/** What it answers: a value that is `undefined` has none; a `fault` is what a tool is to be told. */
export type UserMemoryAnswer = { value?: unknown } | { fault: string };

/** The part of a {@linkcode ServerContext} that says who calls. */
export function userIn(
  caller: KnownCaller | undefined,
  namespace: DurableObjectNamespace,
): Pick<ServerContext, "user" | "authInfo"> {
  if (caller === undefined) return {};
  const { principal, owner, authInfo } = caller;
  return { user: { id: principal, memory: userMemory(namespace, owner) }, authInfo };
}

/** The memory of one user, in an object of its own. `owner`: the hash of the principal. */
function userMemory(namespace: DurableObjectNamespace, owner: string): UserMemory {
  const ask = async (request: UserMemoryRequest): Promise<unknown> => {
    // What is no text is lost on the way.
    if ("key" in request) checkText("user", request.key);
    const init = { headers: askHeaders({ verb: "user-memory" }), body: JSON.stringify(request) };
    return valueIn(
      await askAgain("The user's memory", () => namespace.get(namespace.idFromName(`user/${owner}`)), init),
    );
  };
  return {
    get: (key) => ask({ do: "get", key }),
    async set(key, value) {
      checkEntry("user", key, value);
      await ask({ do: "set", key, value });
    },
    delete: async (key) => (await ask({ do: "delete", key })) === true,
    async keys() {
      const keys = await ask({ do: "keys" });
      return Array.isArray(keys) ? keys.map(String) : [];
    },
    async clear() {
      await ask({ do: "clear" });
    },
  };
}

function valueIn(answer: unknown): unknown {
  if (!isObject(answer)) throw new TypeError("the user's object gave no answer");
  if (typeof answer["fault"] === "string") throw new RangeError(answer["fault"]);
  return answer["value"];
}

/** @throws {TypeError} for what no release of ours asks. */
export function readUserMemoryRequest(json: string): Required<UserMemoryRequest> {
  const asked: unknown = JSON.parse(json);
  const { do: what, key = "", value } = isObject(asked) ? asked : {};
  const verb = verbs.find((each) => each === what);
  if (verb !== undefined && typeof key === "string") return { do: verb, key, value };
  throw new TypeError("that is nothing to ask of a user's memory");
}
