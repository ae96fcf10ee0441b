import { checkEntry, checkText } from "../protocol/json-value.ts";
import { isObject } from "../protocol/json-rpc.ts";
import type { ServerContext, UserMemory } from "../server-context.ts";
import type { KnownCaller } from "./caller.ts";
import { askAgain } from "./ask-again.ts";
import { askHeaders } from "./ask.ts";

/** What is asked of a user's object, as JSON. */
export type UserMemoryRequest =
  | { do: "get" | "delete"; key: string }
  | { do: "set"; key: string; value: unknown }
  | { do: "keys" | "clear" };

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
  const ask = async (request: UserMemoryRequest): Promise<unknown> =>
    valueIn(
      await askAgain("The user's memory", () => namespace.get(namespace.idFromName(`user/${owner}`)), {
        headers: askHeaders({ verb: "user-memory" }),
        body: JSON.stringify(request),
      }),
    );
  return {
    get: async (key) => ask({ do: "get", key: checked(key) }),
    async set(key, value) {
      checkEntry("user", key, value);
      await ask({ do: "set", key, value });
    },
    delete: async (key) => (await ask({ do: "delete", key: checked(key) })) === true,
    async keys() {
      const keys = await ask({ do: "keys" });
      return Array.isArray(keys) ? keys.map(String) : [];
    },
    async clear() {
      await ask({ do: "clear" });
    },
  };
}

/** What is no text is lost on the way. */
function checked(key: string): string {
  checkText("user", key);
  return key;
}

function valueIn(answer: unknown): unknown {
  if (!isObject(answer)) throw new TypeError("the user's object gave no answer");
  if (typeof answer["fault"] === "string") throw new RangeError(answer["fault"]);
  return answer["value"];
}

/** @throws {TypeError} for what no release of ours asks. */
export function readUserMemoryRequest(json: string): UserMemoryRequest {
  const asked: unknown = JSON.parse(json);
  const { do: what, key, value } = isObject(asked) ? asked : {};
  if (what === "keys" || what === "clear") return { do: what };
  if (typeof key === "string") {
    if (what === "get" || what === "delete") return { do: what, key };
    if (what === "set") return { do: what, key, value };
  }
  throw new TypeError("that is nothing to ask of a user's memory");
}
