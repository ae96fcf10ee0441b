import { isObject } from "../protocol/json-rpc.ts";

/**
 * What the Worker asks of a task's object, as JSON. The call that may become the task comes as its client sent it. `cut`: that
 * client hung up.
 */
export type TaskQuestion =
  | { do: "get" }
  | { do: "cancel" }
  | { do: "cut" }
  | { do: "update"; inputResponses: Record<string, unknown> };

/** What it answers: a result of `tasks/get`, an empty one, or a `fault` of the client's; `null`: there is no such task. */
export type TaskAnswer = Record<string, unknown> | null;

/** @throws {TypeError} for what no release of ours asks. */
export function readTaskQuestion(json: string): TaskQuestion {
  const asked: unknown = JSON.parse(json);
  const { do: what, inputResponses } = isObject(asked) ? asked : {};
  if (what === "get" || what === "cancel" || what === "cut") return { do: what };
  if (what === "update" && isObject(inputResponses)) return { do: what, inputResponses };
  throw new TypeError("that is nothing to ask of a task");
}
