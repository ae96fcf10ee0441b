import { afterAll, beforeAll, expect, test } from "vitest";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks-of-its-own.ts" });
});
afterAll(() => server.close());

test("a server that has the extension itself is asked about its tasks, and none is made that it does not know", async () => {
  const client = new TaskClient(server.url);
  const answer = await client.call("wait", { ms: 600 });
  expect(answer).toMatchObject({ result: { resultType: "complete", content: [{ text: "waited 600" }] } });
  expect(await client.get("one")).toMatchObject({ result: { taskId: "one", by: "its own" } });
});
