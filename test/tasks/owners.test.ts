import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { seen } from "../support/guarded-client.ts";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd } from "../support/workerd-process.ts";

let server: EdgeServer;
/** Its tasks are kept for as long as a test may take. */
let lasting: EdgeServer;
beforeAll(async () => {
  [server, lasting] = await Promise.all([
    startEdge("test/fixtures/tasks-brief.ts"),
    startEdge("test/fixtures/tasks-owned.ts"),
  ]);
});
afterAll(() => Promise.all([server.close(), lasting.close()]));

const as = (name: string, { url }: { url: string } = server) =>
  new TaskClient(url, { headers: { authorization: `Bearer key-of-${name}` } });

/** Whatever `client` asks about the task of another, it is told what it is of one that never was. */
async function expectNone(client: TaskClient, taskId: string): Promise<void> {
  const asked = async (method: string, id: string) =>
    await seen(await client.post(`tasks/${method}`, { taskId: id, inputResponses: {} }));
  for (const method of ["get", "update", "cancel"]) {
    const foreign = await asked(method, taskId);
    expect(foreign).toEqual(await asked(method, "0".repeat(96)));
    expect(foreign.body).toContain("Task not found");
    // Nor is half of the id enough.
    expect(foreign).toEqual(await asked(method, taskId.slice(0, 64)));
  }
}

test("a task is only its owner's, and another is told what an unknown id is told", async () => {
  const ann = as("ann", lasting);
  const taskId = await ann.whileHeld(() => ann.begin("wait", { ms: 500 }));
  await expectNone(as("bob", lasting), taskId);
  expect(await ann.until(taskId, "completed")).toMatchObject({ result: { content: [{ text: "waited 500" }] } });
  await expectNone(as("bob", lasting), taskId);
});

test("so it is after kill -9: whoever else asks has it neither told nor cancelled", async () => {
  const workerd = await startWorkerd({ main: "test/fixtures/tasks-owned.ts" });
  try {
    const [ann, bob] = [as("ann", workerd), as("bob", workerd)];
    const taskId = await ann.begin("gated-repeatable", { n: 3 });
    await expectNone(bob, taskId);
    await workerd.kill();
    await workerd.restart();
    await expectNone(bob, taskId);
    await fetch(`${workerd.url}/test/open`);
    expect(await ann.until(taskId, "completed")).toMatchObject({ result: { content: [{ text: "3 done" }] } });
    await expectNone(bob, taskId);
  } finally {
    await workerd.close();
  }
});

test("a task whose time to live is over is not found, and leaves no row", async () => {
  const ann = as("ann");
  const begun = [
    await ann.whileHeld(() => ann.begin("wait", { ms: 100 })),
    await ann.begin("until-aborted", { n: 7 }),
    await ann.whileHeld(() => ann.begin("again-for-ever")),
  ];
  for (const taskId of begun) {
    await expect.poll(() => ann.get(taskId)).toMatchObject({ error: { code: -32_602 } });
    const stored = async () => {
      const { rows, alarmAtMs } = await server.inspect(taskId.slice(0, 64));
      return { rows, alarmAtMs };
    };
    await expect.poll(stored).toEqual({ rows: [], alarmAtMs: null });
  }
  await expect.poll(() => server.logs()).toContainEqual(expect.stringContaining("7 was aborted"));
});

test("there is room for tasks as others are over, and of their count nothing is left", async () => {
  const bob = as("bob");
  let begun = 0;
  const begin = async () => {
    const { result } = await bob.call("wait", { ms: 1_000 });
    return (begun += result?.["resultType"] === "task" ? 1 : 0);
  };
  // More than may be kept at once.
  await expect.poll(begin).toBe(7);
  const owner = createHash("sha256").update("bob").digest("base64");
  const name = encodeURIComponent(`tasks/user/${owner}`);
  const count = async () => await (await fetch(`${server.url}/test/inspect?name=${name}`)).json();
  await expect.poll(count).toMatchObject({ rows: [], alarmAtMs: null });
});
