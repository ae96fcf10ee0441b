import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { TaskClient } from "../support/task-client.ts";

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

const as = (name: string, { url } = server) =>
  new TaskClient(url, { headers: { authorization: `Bearer key-of-${name}` } });

test("a task is only its owner's, and another is told what an unknown id is told", async () => {
  const ann = as("ann", lasting);
  const taskId = await ann.whileHeld(() => ann.begin("wait", { ms: 500 }));
  for (const method of ["get", "update", "cancel"]) {
    const answer = await as("bob", lasting).ask(`tasks/${method}`, { taskId, inputResponses: {} });
    expect(answer).toMatchObject({ error: { code: -32_602, message: expect.stringContaining("Task not found") } });
  }
  expect(await ann.until(taskId, "completed")).toMatchObject({ result: { content: [{ text: "waited 500" }] } });
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
