import { afterAll, beforeAll, expect, test } from "vitest";
import { logLinesIn } from "../support/log-lines.ts";
import { logName } from "../support/log-name.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let edge: WorkerdProcess;
beforeAll(async () => void (edge = await startWorkerd({ main: "test/fixtures/watched.ts", options: patient })));
afterAll(() => edge.close());

const abort = (id: string) => fetch(`${edge.url}/test/abort?id=${id}`);

/** What the hook saw of the calls with that key. */
const seen = (key: string) => logLinesIn(edge.output()).filter((line) => line["key"] === key);

const calls = (session: string) =>
  logLinesIn(edge.output()).filter((line) => line.event === "call" && line["session"] === session);

test.each(["/sse", "/mcp"] as const)(
  "over %s a hook runs around a call that runs again after a crash, once for each run",
  async (lane) => {
    const key = `again over ${lane}`;
    const client = lane === "/sse" ? await RawSseClient.open(edge.url) : await RawMcpClient.open(edge.url);
    const session = logName(client.sessionId);
    if (client instanceof RawSseClient) {
      const id = await client.send("tools/call", { name: "repeatable", arguments: { key } });
      await abort(client.sessionId);
      expect(textOf(await client.stream.answerTo(id))).toBe("run 2");
      client.close();
    } else {
      // A stream: it is in the journal by then.
      const stream = await client.callAsStream("repeatable", { key });
      await expect.poll(() => stream.lastEventId).not.toBe("");
      await abort(client.sessionId);
      const again = await client.listen(stream.lastEventId);
      expect(textOf(await again.answerTo(1))).toBe("run 2");
    }
    const told = { name: "repeatable", lane: lane.slice(1), session };
    await expect
      .poll(() => seen(key))
      .toMatchObject([
        { ...told, hook: "before", isRerun: false },
        { ...told, hook: "before", isRerun: true },
        { ...told, hook: "after", isRerun: true },
      ]);
    const [first, second] = seen(key);
    expect(second).toEqual({ ...first, isRerun: true });
    await expect
      .poll(() => calls(session).filter(({ name }) => name === "repeatable"))
      .toMatchObject([{ method: "tools/call", outcome: "ok", lane: lane.slice(1), client: "raw 1" }]);
  },
);

test("a call that may not run again is interrupted, which its line says and its hook does not see", async () => {
  const client = await RawSseClient.open(edge.url);
  const id = await client.send("tools/call", { name: "once", arguments: { key: "once" } });
  await abort(client.sessionId);
  expect(await client.stream.answerTo(id)).toMatchObject({ error: { code: -32_603 } });
  await expect
    .poll(() => calls(logName(client.sessionId)).filter(({ name }) => name === "once"))
    .toMatchObject([{ outcome: "interrupted", error: expect.stringContaining("may or may not") as string }]);
  expect(seen("once")).toMatchObject([{ hook: "before" }]);
  client.close();
});

test("a hook runs around a task, and around its run after a crash; each run that ends has a line", async () => {
  const client = new TaskClient(edge.url);
  const taskId = await client.begin("repeatable", { key: "task" });
  await abort(taskId);
  expect(await client.until(taskId, "completed")).toMatchObject({ result: { content: [{ text: "run 2" }] } });
  const told = { name: "repeatable", lane: "stateless", path: "/mcp" };
  await expect
    .poll(() => seen("task"))
    .toMatchObject([
      { ...told, hook: "before", isRerun: false },
      { ...told, hook: "before", isRerun: true },
      { ...told, hook: "after", isRerun: true },
    ]);
  const lines = () => logLinesIn(edge.output()).filter((line) => line["lane"] === "stateless" && line.event === "call");
  await expect
    .poll(() => lines().filter(({ name }) => name === "repeatable"))
    .toMatchObject([{ method: "tools/call", outcome: "ok", revision: "2026-07-28" }]);
  // What is asked about it is a call as well, by a client that polls: its line says no more than that.
  await expect.poll(() => lines().filter(({ method }) => method === "tasks/get")).not.toEqual([]);
  expect(edge.output()).not.toContain(taskId.slice(0, 8));
});

test("a task that is cancelled is a call that was cancelled", async () => {
  const client = new TaskClient(edge.url);
  const taskId = await client.begin("once", { key: "cancelled task" });
  await client.ask("tasks/cancel", { taskId });
  const lines = () => logLinesIn(edge.output()).filter((line) => line.event === "call" && line["name"] === "once");
  await expect.poll(() => lines().at(-1)).toMatchObject({ lane: "stateless", outcome: "cancelled" });
  expect(lines().at(-1)).not.toHaveProperty("error");
});
