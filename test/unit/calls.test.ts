import { expect, test } from "vitest";
import { Calls } from "../../src/session/calls/calls.ts";

const open = (calls: Calls, id: number, progressToken: string): void => {
  const params = { _meta: { progressToken } };
  calls.open({ jsonrpc: "2.0", id, method: "ping", params }, { stream: "sse" }, 0);
};

test("a call that asked for progress by a token of megabytes is not told of by itself, others are", () => {
  const calls = new Calls();
  open(calls, 1, "\u2028".repeat(1_000_000));
  open(calls, 2, "a token");
  expect(calls.takeDueProgress(10, 5).map(({ call }) => call.request.id)).toEqual([2]);
});
