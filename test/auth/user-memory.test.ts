import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { initialize, postJson, textOf } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeAll(async () => void (server = await startWorkerd({ main: "test/fixtures/notes.ts", isSplit: true })));
afterAll(() => server.close());

type Call = (name: string, args?: Record<string, unknown>) => Promise<string>;

async function overSse(base: string, key: string): Promise<Call> {
  const client = await GuardedSseClient.openAs(base, bearer(key));
  return async (name, args) => textOf(await client.call(name, args));
}

async function overMcp(base: string, key: string): Promise<Call> {
  const client = await openMcpAs(base, bearer(key));
  return async (name, args) => textOf(await (await client.call(name, args)).json());
}

function stateless(base: string, key: string): Call {
  return async (name, args) => {
    const { message, headers } = statelessRequest("tools/call", { name, arguments: args ?? {} });
    const response = await postJson(`${base}/mcp`, message, { ...headers, ...bearer(key) });
    return textOf(await response.json());
  };
}

const [alice, bob] = ["alice-key-1", "bob-key-1"];

test("what a user notes in one lane is there in every other, in every isolate, and for nobody else", async () => {
  const lanes = [
    await overSse(server.url, alice),
    await overMcp(server.otherUrl, alice),
    stateless(server.url, alice),
    stateless(server.otherUrl, alice),
  ];
  for (const [n, call] of lanes.entries()) await call("set", { key: `lane${n}`, value: { n } });
  for (const call of lanes) {
    expect(await call("keys")).toBe("lane0 lane1 lane2 lane3");
    expect(await call("get", { key: "lane1" })).toBe('{"n":1}');
  }
  expect(await stateless(server.url, bob)("keys")).toBe("");
  expect(await lanes[0]?.("delete", { key: "lane0" })).toBe("true");
  expect(await lanes[3]?.("delete", { key: "lane0" })).toBe("false");
  await lanes[2]?.("clear");
  expect(await lanes[1]?.("keys")).toBe("");
});

test("two that write at once do not lose each other's keys", async () => {
  const [one, other] = [stateless(server.url, alice), stateless(server.otherUrl, alice)];
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? one : other)("set", { key: `k${n}`, value: n })),
  );
  expect((await one("keys")).split(" ")).toHaveLength(40);
  await one("clear");
});

test("it is bounded and holds JSON only: the tool is told, and what was there stays", async () => {
  const call = stateless(server.url, alice);
  await call("set", { key: "small", value: "kept" });
  expect(await call("set", { key: "large", value: "x".repeat(20_000) })).toBe(
    "The user's memory is full: it holds 10000 bytes in all.",
  );
  expect(await call("set", { key: "map", value: "a Map" })).toContain("The user's memory holds JSON, as it is:");
  expect(await call("set", { key: "\ud800", value: 1 })).toContain("half of a surrogate pair");
  expect(await call("get", { key: "small" })).toBe('"kept"');
  await call("clear");
});

test("what cannot be written or forgotten fails in the tool, and what was there stays", async () => {
  const call = stateless(server.url, alice);
  await call("set", { key: "colour", value: "green" });
  const owner = createHash("sha256").update("alice").digest("base64");
  const refuse = (times: number) =>
    fetch(`${server.url}/test/full?name=${encodeURIComponent(`user/${owner}`)}&times=${times}`);
  await refuse(1_000);
  const told = "The user's memory could not be reached: its object answered 500. Try again.";
  expect(await call("set", { key: "colour", value: "red" })).toBe(told);
  expect(await call("delete", { key: "colour" })).toBe(told);
  expect(await call("get", { key: "colour" })).toBe('"green"');
  await server.kill();
  await server.restart();
  expect(await call("get", { key: "colour" })).toBe('"green"');
  await refuse(1);
  await call("set", { key: "colour", value: "blue" });
  expect(await call("get", { key: "colour" })).toBe('"blue"');
  await call("clear");
});

test("it survives kill -9 of the whole process", async () => {
  await stateless(server.url, alice)("set", { key: "colour", value: "green" });
  await server.kill();
  await server.restart();
  expect(await stateless(server.url, alice)("get", { key: "colour" })).toBe('"green"');
});

test("what is stored of one key and cannot be read is gone, with a line in the log, and the rest is there", async () => {
  const call = stateless(server.url, alice);
  await call("set", { key: "damaged", value: "green" });
  await call("set", { key: "whole", value: "blue" });
  const name = encodeURIComponent(`user/${createHash("sha256").update("alice").digest("base64")}`);
  await fetch(`${server.url}/test/rewrite?name=${name}&key=memory/damaged&value=%22gre`);
  expect(await call("get", { key: "damaged" })).toBe('"nothing"');
  expect(await call("keys")).not.toContain("damaged");
  expect(await call("get", { key: "whole" })).toBe('"blue"');
  expect(server.output()).toContain(
    '{"event":"unreadable","error":"the row memory/damaged cannot be read: SyntaxError',
  );
  await call("clear");
});

test("the object of a user is no session, for whoever works out its id", async () => {
  await stateless(server.url, alice)("set", { key: "colour", value: "green" });
  const owner = encodeURIComponent(createHash("sha256").update("alice").digest("base64"));
  const id = await (await fetch(`${server.url}/test/user?owner=${owner}`)).text();
  const call = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  for (const made of [id, id + "0".repeat(32)]) {
    for (const message of [call, initialize()]) {
      expect((await postJson(`${server.url}/mcp`, message, { ...bearer(alice), "mcp-session-id": made })).status).toBe(
        404,
      );
      expect((await postJson(`${server.url}/sse/message?sessionId=${made}`, message, bearer(alice))).status).toBe(404);
    }
    const ended = await fetch(`${server.url}/mcp`, {
      method: "DELETE",
      headers: { ...bearer(alice), "mcp-session-id": made },
    });
    expect(ended.status).toBe(404);
  }
  expect(await stateless(server.url, alice)("get", { key: "colour" })).toBe('"green"');
});
