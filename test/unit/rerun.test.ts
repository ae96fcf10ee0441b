import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { expect, test } from "vitest";
import { mayRunAgain } from "../../src/session/server/rerun.ts";
import type { SessionTransport } from "../../src/session/server/transport.ts";

const pages: Record<string, unknown> = {
  first: {
    tools: [
      { name: "reads", annotations: { readOnlyHint: true } },
      { name: "repeats", annotations: { idempotentHint: true } },
      { name: "pays", annotations: { idempotentHint: false, destructiveHint: true } },
      { name: "silent" },
    ],
    nextCursor: "second",
  },
  second: { tools: [{ name: "late", annotations: { readOnlyHint: true } }] },
};

/** A server that lists its tools on two pages. */
const server = {
  ask: ({ params }: { params?: { cursor?: string } }) =>
    Promise.resolve({ jsonrpc: "2.0", id: 1, result: pages[params?.cursor ?? "first"] } as JSONRPCMessage),
} as unknown as SessionTransport;

const request = (method: string, name?: string) => ({ jsonrpc: "2.0" as const, id: 1, method, params: { name } });

test.each([
  ["reads", true],
  ["repeats", true],
  ["late", true],
  ["pays", false],
  ["silent", false],
  ["unknown", false],
])("an interrupted call of the tool %s may run again: %s", async (name, may) => {
  expect(await mayRunAgain(request("tools/call", name), server)).toBe(may);
});

test.each([
  ["initialize", true],
  ["resources/read", true],
  ["prompts/get", true],
  ["logging/setLevel", true],
  ["tasks/cancel", false],
  ["anything/else", false],
])("an interrupted %s may run again: %s", async (method, may) => {
  expect(await mayRunAgain(request(method), server)).toBe(may);
});
