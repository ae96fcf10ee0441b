import { type InputRequiredResult, isInputRequiredResult, type JSONRPCRequest } from "@modelcontextprotocol/server";
import { isObject } from "../../protocol/json-rpc.ts";
import { writeResponse } from "../../protocol/message-json.ts";
import type { Answer } from "./run.ts";

/** What the answer to a task's call makes of the task. */
export type TaskEnd =
  /** `outcome`: an object with a `result` or an `error`, as JSON. */
  { is: "ended"; status: "completed" | "failed"; outcome: string } | { is: "asking"; result: InputRequiredResult };

/** Of `answer` to `request`, which is an error instead if it is larger than `maxMessageBytes`. */
export function endOf(answer: Answer, request: JSONRPCRequest, maxMessageBytes: number): TaskEnd {
  const bounds = { maxMessageBytes, hasRoomFor: () => true };
  const said: unknown = JSON.parse(writeResponse(answer, request, bounds).json);
  const { result, error } = isObject(said) ? said : {};
  if (isInputRequiredResult(result)) return { is: "asking", result };
  // Of the two there is one.
  return {
    is: "ended",
    status: error === undefined ? "completed" : "failed",
    outcome: JSON.stringify({ result, error }),
  };
}
