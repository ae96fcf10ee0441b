import { afterEach, expect, test } from "vitest";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
afterEach(() => server.close());

const task = { result: { resultType: "task" } };
const inline = (n: number) => ({ result: { resultType: "complete", content: [{ text: `${n} done` }] } });

/** Two at most. `n`: of the call that is one too many. */
async function expectBound(client: TaskClient, { n, other }: { n: number; other: TaskClient }): Promise<void> {
  const begun = await Promise.all([client.begin("gated-once", { n: 1 }), client.begin("gated-once", { n: 2 })]);
  // It took nothing from those that are kept, nor from anybody else.
  await expectInline(client, n, async () => {
    for (const taskId of begun) expect(await client.until(taskId, "completed")).toMatchObject({ status: "completed" });
  });
  expect(await other.call("gated-once", { n: 1 })).toMatchObject(task);
}

/** Of a call that finds no room: the gate is opened once that is known, and closed when all have passed that `untilPassed` awaits. */
async function expectInline(client: TaskClient, n: number, untilPassed?: () => Promise<void>): Promise<void> {
  const refused = () => server.output().split('"too-many-tasks"').length;
  const before = refused();
  const answer = client.call("gated-once", { n });
  await expect.poll(refused).toBe(before + 1);
  await fetch(`${server.url}/test/open`);
  expect(await answer).toMatchObject(inline(n));
  await untilPassed?.();
  await fetch(`${server.url}/test/close`);
}

test("a user who has as many tasks as may be is answered as without tasks", async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks-few.ts" });
  const as = (name: string) => new TaskClient(server.url, { headers: { authorization: `Bearer key-of-${name}` } });
  await expectBound(as("ann"), { n: 3, other: as("bob") });
});

test("without a login a network has as many, an address or 64 bits of IPv6", async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks-few-open.ts" });
  const at = (address: string) => new TaskClient(server.url, { headers: { "cf-connecting-ip": address } });
  await expectBound(at("192.0.2.1"), { n: 3, other: at("192.0.2.2") });
  await expectBound(at("2001:db8:1:2::1"), { n: 4, other: at("2001:db8:1:3::1") });
  await expectInline(at("2001:db8:1:2::2"), 5);
});

test("a count outlives the process", async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks-few-open.ts" });
  const client = new TaskClient(server.url);
  await client.begin("gated-once", { n: 1 });
  await client.begin("gated-once", { n: 2 });
  await server.kill();
  await server.restart();
  await expectInline(client, 3);
});

const large = "x".repeat(4_000_000);
const answer = (name: string) => ({ action: "accept", content: { name } });

test("calls of 4 MB that wait for their clients take no isolate along", async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks.ts", heapMib: 128 });
  const client = new TaskClient(server.url);
  const pid = server.pid();
  const begun: string[] = [];
  for (let call = 0; call < 40; call++) begun.push(await client.begin("ask-many", { n: 1, large }));
  expect(server.pid()).toBe(pid);
  for (const taskId of [begun[0] ?? "", begun.at(-1) ?? ""]) {
    await client.until(taskId, "input_required");
    await client.ask("tasks/update", { taskId, inputResponses: { "0.q0": answer("Ann") } });
    expect(await client.until(taskId, "completed")).toMatchObject({ result: { content: [{ text: "1 answers" }] } });
  }
});

test("the answers to a task take no more than those to a call, however many bring them", async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks.ts" });
  const client = new TaskClient(server.url);
  const taskId = await client.begin("ask-many", { n: 3 });
  await client.until(taskId, "input_required");
  const say = (key: string, name: string) =>
    client.ask("tasks/update", { taskId, inputResponses: { [key]: answer(name) } });
  expect(await say("0.q0", large)).toMatchObject({ result: {} });
  const message = "The answers take at most 4194304 bytes together.";
  expect(await say("0.q1", large)).toMatchObject({ error: { code: -32_602, message } });
  expect(await say("0.q1", "Ann")).toMatchObject({ result: {} });
  expect(await say("0.q2", "Bob")).toMatchObject({ result: {} });
  expect(await client.until(taskId, "completed")).toMatchObject({ result: { content: [{ text: "3 answers" }] } });
});
