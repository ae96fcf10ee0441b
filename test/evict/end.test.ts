import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { postJson, RawSseClient, reconnect, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { patient } from "../support/patient.ts";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let unruly: WorkerdProcess;
beforeAll(async () => void (unruly = await startWorkerd({ main: "test/fixtures/unruly.ts" })));
afterAll(() => unruly.close());

/** How long an object may stay after its session's end, and how often a timer in it ticks, milliseconds. */
const lingerMs = 1_000;
const tickMs = 20;

const ticksOf = (name: string): number => unruly.output().split(`tick of ${name}\n`).length - 1;

/** Resolves once the timer of that name ticks no more. */
async function untilStill(name: string): Promise<void> {
  await expect.poll(() => ticksOf(name)).toBeGreaterThan(0);
  const ticksMeanwhile = async (): Promise<number> => {
    const before = ticksOf(name);
    await passing(20 * tickMs);
    return ticksOf(name) - before;
  };
  await expect.poll(ticksMeanwhile, { interval: 1 }).toBe(0);
}

function expectQuietLog({ output } = unruly): void {
  const noise = output()
    .split("\n")
    .filter((line) => /error|exception|incident|uncaught|abort/i.test(line));
  expect(noise).toEqual([]);
}

test("a timer that a tool left behind ends with the session that a client deletes, and its stream ends in order", async () => {
  const client = await RawMcpClient.open(unruly.url);
  const stream = await client.listen();
  await (await client.call("tick", { name: "deleted" })).text();
  const ended = await fetch(client.url, { method: "DELETE", headers: client.headers });
  expect(ended.status).toBe(204);
  // Also those that race with the end, and with that of the object.
  const statuses = new Set<number>();
  const untilMs = performance.now() + 3 * lingerMs;
  while (performance.now() < untilMs) statuses.add((await client.call("quiet_halves")).status);
  expect([...statuses]).toEqual([404]);
  expect(await stream.over).toBe("ended");
  await untilStill("deleted");
  expectQuietLog();
});

test("and with a session that expires", async () => {
  const client = await RawSseClient.open(unruly.url);
  await client.call("tick", { name: "expired" });
  client.close();
  await untilStill("expired");
  expect((await client.post({ jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(404);
  expectQuietLog();
});

test("and with a call that may become a task, once it is answered, also after it told how far it is", async () => {
  const client = new TaskClient(unruly.url);
  await client.call("tick", { name: "answered" });
  await untilStill("answered");
  const params = { name: "tell_and_tick", arguments: { name: "told" } };
  const told = await client.post("tools/call", params, { meta: { progressToken: 1 } });
  expect(await told.text()).toContain("ticking");
  await untilStill("told");
});

test("a session that goes on has its timers, however many others end", async () => {
  const client = await RawSseClient.open(unruly.url);
  await client.call("tick", { name: "living" });
  const other = await RawMcpClient.open(unruly.url);
  await fetch(other.url, { method: "DELETE", headers: other.headers });
  await passing(3 * lingerMs);
  const before = ticksOf("living");
  await expect.poll(() => ticksOf("living")).toBeGreaterThan(before);
  expect(textOf(await client.call("quiet_halves"))).toContain("a");
  client.close();
  await untilStill("living");
});

test("a client that leaves before it said anything that lasts leaves no timer behind", async () => {
  const client = await RawSseClient.connect(unruly.url);
  await client.post({ jsonrpc: "2.0", method: "notifications/initialized" }, { "x-ticks-as": "unstored" });
  client.close();
  await untilStill("unstored");
  expectQuietLog();
});

test("a stream that is claimed away from a session which has said nothing is not attached again and again", async () => {
  const example = await startWorkerd({ main: "test/fixtures/example.ts", options: patient });
  onTestFinished(() => example.close());
  const client = await RawSseClient.open(example.url);
  client.stream.close();
  const { stream, ping } = await reconnect(example.url);
  await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
  client.stream = stream;
  await passing(2 * lingerMs);
  expect(textOf(await client.call("add", { a: 1, b: 1 }))).toBe("2");
  expect((await postJson(`${example.url}/mcp`, { jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(400);
  client.close();
  expectQuietLog(example);
});

test("a timer of a task that still runs when its time to live is over ends with it", async () => {
  const client = new TaskClient(unruly.url);
  const taskId = await client.begin("tick_for_ever", { name: "ever" });
  await untilStill("ever");
  expect(await client.get(taskId)).toMatchObject({ error: { code: -32_602 } });
});
