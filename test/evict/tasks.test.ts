import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { TaskClient } from "../support/task-client.ts";

let edge: EdgeServer;
let client: TaskClient;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/tasks.ts");
  client = new TaskClient(edge.url);
});
afterAll(() => edge.close());

const content = (text: string) => ({ result: { content: [{ type: "text", text }] } });

/** Its object is another one afterwards. */
async function evict(taskId: string): Promise<void> {
  const { constructions } = await edge.inspect(taskId);
  await edge.evict(taskId);
  expect(await edge.inspect(taskId)).toMatchObject({ constructions: constructions + 1 });
}

test("a task that has ended, and whose object is evicted before anybody has asked, has its result", async () => {
  const taskId = await client.begin("wait", { ms: 600 });
  await expect.poll(async () => (await edge.inspect(taskId)).rows).toContain("task-outcome");
  await evict(taskId);
  expect(await client.get(taskId)).toMatchObject({ result: { status: "completed", ...content("waited 600") } });
});

test("a task that waits for its client, and whose object is evicted, asks the same and goes on", async () => {
  const taskId = await client.begin("ask-twice");
  for (const name of ["Ann", "Bob"]) {
    const { inputRequests } = await client.until(taskId, "input_required");
    await evict(taskId);
    expect(await client.get(taskId)).toMatchObject({ result: { status: "input_required", inputRequests } });
    const [key = ""] = Object.keys(Object(inputRequests));
    await evict(taskId);
    const inputResponses = { [key]: { action: "accept", content: { name } } };
    expect(await client.ask("tasks/update", { taskId, inputResponses })).toMatchObject({ status: 200 });
  }
  expect(await client.until(taskId, "completed")).toMatchObject(content("Ann and Bob"));
});

test("a task that was cancelled stays so", async () => {
  const taskId = await client.begin("until-aborted", { n: 1 });
  await client.ask("tasks/cancel", { taskId });
  await expect.poll(() => edge.logs()).toContainEqual(expect.stringContaining("1 was aborted"));
  await evict(taskId);
  expect(await client.get(taskId)).toMatchObject({ result: { status: "cancelled" } });
});
