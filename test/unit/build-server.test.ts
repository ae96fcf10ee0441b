import { InMemoryTransport, McpServer } from "@modelcontextprotocol/server";
import { afterEach, expect, test, vi } from "vitest";
import { checkedFactory } from "../../src/sdk/build-server.ts";
import type { ServerFactory } from "../../src/server-context.ts";

afterEach(() => {
  vi.useRealTimers();
});

const context = { era: "legacy", env: {} } as const;
const newServer = (): McpServer => new McpServer({ name: "built", version: "1.0.0" });

/** A factory of plain JavaScript, which returns what it likes. */
function building(createServer: unknown): () => Promise<unknown> {
  const create = checkedFactory(createServer as ServerFactory<object>);
  return async () => create(context);
}

test.each([undefined, null, 5, {}])(
  "a createServer that is %s is refused where it is named, with what to write",
  (none) => {
    expect(() => building(none)).toThrow('no function: write "export function createServer() { … }" in src/server.ts.');
  },
);

test("one that waits for what never comes is an error after a while", async () => {
  vi.useFakeTimers();
  const refused = building(() => new Promise(() => undefined))().catch(String);
  await vi.advanceTimersByTimeAsync(25_000);
  expect(await refused).toContain("createServer has not ended after 25 s: what does it wait for?");
  expect(vi.getTimerCount()).toBe(0);
});

test("one that takes its time is waited for, and leaves no timer", async () => {
  vi.useFakeTimers();
  const built = building(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    return newServer();
  })();
  await vi.advanceTimersByTimeAsync(20_000);
  await expect(built).resolves.toBeInstanceOf(McpServer);
  expect(vi.getTimerCount()).toBe(0);
});

test("one that gives the same server to every session is told so at the second", async () => {
  const server = newServer();
  const build = building(() => server);
  await expect(build()).resolves.toBe(server);
  await expect(build()).rejects.toThrow("createServer returned the same server twice: make it inside of createServer");
});

test("one that connects its server is told to leave that out", async () => {
  const build = building(async () => {
    const server = newServer();
    await server.connect(InMemoryTransport.createLinkedPair()[0]);
    return server;
  });
  await expect(build()).rejects.toThrow("leave out server.connect(…)");
});

test.each([
  ["a text", "createServer threw a text"],
  [null, "createServer threw null"],
  [Object.create(null), "createServer threw something that has no text"],
])("what it throws that is no error becomes one: %#", async (thrown, message) => {
  await expect(
    building(() => {
      throw thrown;
    })(),
  ).rejects.toThrow(message);
});
