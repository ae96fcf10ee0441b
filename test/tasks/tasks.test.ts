import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { capabilitiesOf, TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
let client: TaskClient;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks.ts" });
  client = new TaskClient(server.url);
});
afterAll(() => server.close());

/** Longer than the 10 s after which the platform evicts an object that has nothing to do. */
const idleMs = 13_000;

const content = (text: string) => ({ result: { content: [{ type: "text", text }] } });

async function inspect(taskId: string): Promise<Inspection> {
  return (await (await fetch(`${server.url}/test/inspect?id=${taskId.slice(0, 64)}`)).json()) as Inspection;
}

async function abort(taskId: string): Promise<void> {
  await fetch(`${server.url}/test/abort?id=${taskId.slice(0, 64)}`);
}

describe("a call that takes long", () => {
  test("becomes a task for a client that reads tasks, whose result it has later", async () => {
    const answer = await client.whileHeld(() => client.call("wait", { ms: 800 }));
    expect(answer).toMatchObject({ status: 200, result: { resultType: "task", status: "working", ttlMs: 3_600_000 } });
    const done = await client.until(String(answer.result?.["taskId"]), "completed");
    expect(done).toMatchObject({ resultType: "complete", ...content("waited 800") });
  });

  test("is answered as it always was for one that does not", async () => {
    const plain = new TaskClient(server.url, { reads: false });
    expect(await plain.call("wait", { ms: 400 })).toMatchObject({ result: { resultType: "complete" } });
  });

  test("tells how far it is, also if its client asked for no progress", async () => {
    const taskId = await client.begin("tell");
    expect((await client.get(taskId)).result).toMatchObject({ statusMessage: "2/3: counting" });
    await client.ask("tasks/cancel", { taskId });
  });

  test("tells a client that asked for progress of it, before it becomes a task", async () => {
    const response = await client.post("tools/call", { name: "tell", arguments: {} }, { meta: { progressToken: 7 } });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = (await response.text()).split("\n\n").flatMap((event) => /data: (.+)/.exec(event)?.[1] ?? []);
    const messages = events.map((data) => JSON.parse(data) as Record<string, unknown>);
    expect(messages).toMatchObject([
      { method: "notifications/progress", params: { progressToken: 7, progress: 1 } },
      { method: "notifications/progress", params: { progressToken: 7, progress: 2 } },
      { id: 1, result: { resultType: "task", status: "working" } },
    ]);
  });
});

test("a quick call is answered at once, and nothing of it is told to a client that asked for no progress", async () => {
  const answer = await client.call("wait", { ms: 0 });
  expect(answer).toMatchObject({ status: 200, result: { resultType: "complete", content: [{ text: "waited 0" }] } });
  expect(answer.result).not.toHaveProperty("taskId");
});

test("a task whose object can write nothing is not told to be none, and can be cancelled later", async () => {
  const taskId = await client.begin("until-aborted", { n: 3 });
  await fetch(`${server.url}/test/full?id=${taskId.slice(0, 64)}&times=3`);
  expect(await client.ask("tasks/cancel", { taskId })).toMatchObject({
    error: { code: -32_603, message: "The task could not be reached: its object answered 500. Try again." },
  });
  expect(await client.ask("tasks/cancel", { taskId })).toMatchObject({ status: 200, result: {} });
  expect(await client.get(taskId)).toMatchObject({ result: { status: "cancelled" } });
});

test("a task that is cancelled is aborted, and stays cancelled", async () => {
  const taskId = await client.begin("until-aborted", { n: 4712 });
  expect(await client.ask("tasks/cancel", { taskId })).toMatchObject({ result: { resultType: "complete" } });
  await expect.poll(() => server.output()).toContain("4712 was aborted\n");
  expect(await client.get(taskId)).toMatchObject({ result: { status: "cancelled" } });
  expect(await client.ask("tasks/cancel", { taskId })).toMatchObject({ result: { resultType: "complete" } });
});

test("a task asks its client twice, by keys that are never the same, and goes on with its answers", async () => {
  const taskId = await client.whileHeld(() => client.begin("ask-twice"));
  const names = ["Ann", "Bob"];
  const keys: string[] = [];
  for (const name of names) {
    const { inputRequests } = await client.until(taskId, "input_required");
    const [key = ""] = Object.keys(Object(inputRequests));
    keys.push(key);
    await abort(taskId);
    const inputResponses = { [key]: { action: "accept", content: { name } }, other: { action: "decline" } };
    expect(await client.ask("tasks/update", { taskId, inputResponses })).toMatchObject({ status: 200 });
    // Again: it is answered already.
    await client.ask("tasks/update", { taskId, inputResponses });
  }
  expect(await client.until(taskId, "completed")).toMatchObject(content("Ann and Bob"));
  expect(new Set(keys).size).toBe(2);
});

test("a task of which an argument is said by a header as well runs again, whatever that is called", async () => {
  const keyed = new TaskClient(server.url, { headers: { "mcp-param-api-key": "k1" } });
  const taskId = await keyed.whileHeld(() => keyed.begin("ask-by-key", { key: "k1" }));
  const { inputRequests } = await client.until(taskId, "input_required");
  const [key = ""] = Object.keys(Object(inputRequests));
  const inputResponses = { [key]: { action: "accept", content: { name: "Ann" } } };
  await client.ask("tasks/update", { taskId, inputResponses });
  expect(await client.until(taskId, "completed")).toMatchObject(content("k1 of Ann"));
});

test("a task that asks what its client cannot answer has failed, and says what is missing", async () => {
  const without = capabilitiesOf({ reads: true, elicits: false });
  const call = { name: "ask-twice", arguments: {} };
  const response = await client.whileHeld(() => client.post("tools/call", call, { meta: without }));
  const { result } = (await response.json()) as { result: { taskId: string } };
  const { error } = await client.until(result.taskId, "failed");
  expect(error).toMatchObject({ code: -32_021, data: { requiredCapabilities: { elicitation: {} } } });
});

test("a task runs again with what was sent, though its tool has taken all of it", async () => {
  const taskId = await client.whileHeld(() => client.begin("take-and-ask", { words: ["one", "two"] }));
  for (let time = 0; time < 2; time++) {
    const { inputRequests } = await client.until(taskId, "input_required");
    const [key = ""] = Object.keys(Object(inputRequests));
    const inputResponses = { [key]: { action: "accept", content: { name: "Ann" } } };
    await client.ask("tasks/update", { taskId, inputResponses });
  }
  expect(await client.until(taskId, "completed")).toMatchObject(content("one two"));
});

test("a client that asks for its task while its answers are taken is not told that the call was interrupted", async () => {
  const taskId = await client.whileHeld(() => client.begin("ask-twice"));
  for (const name of ["Ann", "Bob"]) {
    const { inputRequests } = await client.until(taskId, "input_required");
    const [key = ""] = Object.keys(Object(inputRequests));
    const inputResponses = { [key]: { action: "accept", content: { name } } };
    const updated = client.ask("tasks/update", { taskId, inputResponses });
    const polled = await Promise.all(Array.from({ length: 8 }, () => client.get(taskId)));
    await updated;
    expect(polled.filter(({ result }) => result?.["status"] === "failed")).toEqual([]);
  }
  expect(await client.until(taskId, "completed")).toMatchObject(content("Ann and Bob"));
});

test("a result that is too large is an error that says so", async () => {
  const begin = (bytes: number) => client.whileHeld(() => client.begin("large", { bytes }));
  const failed = await client.until(await begin(200_000), "failed");
  expect(failed["error"]).toMatchObject({ message: expect.stringContaining("larger than 100000 bytes") });
  const large = await client.until(await begin(90_000), "completed");
  expect(JSON.stringify(large).length).toBeGreaterThan(90_000);
});

describe("a task is not found", () => {
  const unknown = { error: { code: -32_602, message: expect.stringContaining("Task not found") } };

  test.each(["get", "update", "cancel"])("by tasks/%s of an id that never was", async (method) => {
    const taskId = await client.begin("until-aborted", { n: 1 });
    const ids = ["nonsense", "0".repeat(96), taskId.slice(0, 64), `${taskId.slice(0, 64)}${"0".repeat(32)}`];
    for (const id of ids) {
      expect(await client.ask(`tasks/${method}`, { taskId: id, inputResponses: {} })).toMatchObject(unknown);
    }
    expect(await client.get(taskId)).toMatchObject({ result: { status: "working" } });
    await client.ask("tasks/cancel", { taskId });
  });

  test("as a session", async () => {
    const taskId = await client.begin("until-aborted", { n: 2 });
    const headers = { "mcp-session-id": taskId, accept: "text/event-stream" };
    expect((await fetch(`${server.url}/mcp`, { headers })).status).toBe(404);
    await client.ask("tasks/cancel", { taskId });
  });
});

test("who does not read tasks is told so of what is asked about them", async () => {
  const plain = new TaskClient(server.url, { reads: false });
  const missing = { status: 400, error: { code: -32_021 } };
  expect(await plain.get("any")).toMatchObject(missing);
  expect(await plain.ask("subscriptions/listen", { notifications: { taskIds: ["any"] } })).toMatchObject(missing);
});

describe("a client that asks about a task and does not say which in Mcp-Name", () => {
  const without = async (headers: Record<string, string>) => {
    const taskId = await client.whileHeld(() => client.begin("wait", { ms: 300 }));
    const { headers: standard, message } = statelessRequest("tasks/get", { taskId });
    Object.assign(message.params._meta, capabilitiesOf({ reads: true }));
    const accept = "application/json, text/event-stream";
    const response = await fetch(`${server.url}/mcp`, {
      method: "POST",
      headers: { "content-type": "application/json", accept, ...standard, ...headers },
      body: JSON.stringify(message),
    });
    return { status: response.status, said: await response.json() };
  };

  test("is answered if it is FastMCP, which forgets it", async () => {
    const { said } = await without({ "user-agent": "python-httpx2/2.16.2" });
    expect(said).toMatchObject({ result: { status: expect.stringMatching(/working|completed/) } });
  });

  test("is told of it otherwise, as is FastMCP if it says another", async () => {
    const refused = { status: 400, said: { error: { code: -32_020 } } };
    expect(await without({})).toMatchObject(refused);
    expect(await without({ "user-agent": "python-httpx2/2.16.2", "mcp-name": "0".repeat(96) })).toMatchObject(refused);
  });
});

describe("nothing is lost of a task", () => {
  /** Both kinds: one that may run again, and one that may not. */
  async function beginBoth(): Promise<{ repeatable: string; once: string }> {
    const [repeatable, once] = await Promise.all([
      client.begin("gated-repeatable", { n: 1 }),
      client.begin("gated-once", { n: 2 }),
    ]);
    return { repeatable, once };
  }

  async function expectBothAnswered({ repeatable, once }: { repeatable: string; once: string }): Promise<void> {
    await expect.poll(() => client.get(once)).toMatchObject({ result: { status: "failed" } });
    const failed = await client.get(once);
    expect(failed.result?.["error"]).toMatchObject({ message: expect.stringContaining("may or may not") });
    await fetch(`${server.url}/test/open`);
    expect(await client.until(repeatable, "completed")).toMatchObject(content("1 done"));
  }

  test("whose object crashes: it runs again if it may, else it is told", async () => {
    const begun = await beginBoth();
    await Promise.all(Object.values(begun).map(abort));
    await expectBothAnswered(begun);
  });

  test("whose object crashes as it is asked for", async () => {
    const taskId = await client.begin("until-aborted", { n: 4 });
    await fetch(`${server.url}/test/abort?id=${taskId.slice(0, 64)}&at=next`);
    expect(await client.get(taskId)).toMatchObject({ result: { taskId, status: "failed" } });
  });

  test("whose process is killed, also if nobody asks for a while", async () => {
    await server.kill();
    await server.restart();
    const begun = await beginBoth();
    const ran = await client.whileHeld(() => client.begin("wait", { ms: 300 }));
    const done = await client.until(ran, "completed");
    await server.kill();
    await server.restart();
    // By its alarm: the object is not asked.
    await expect
      .poll(() => inspect(begun.once))
      .toMatchObject({
        rows: expect.arrayContaining(["task-outcome"]),
      });
    await expectBothAnswered(begun);
    expect(done).toMatchObject(content("waited 300"));
  });

  test("that runs for longer than an idle object stays, and that nobody asks for meanwhile", async () => {
    // It waits for nothing that the platform knows of.
    const silent = await client.begin("until-aborted", { n: 3 });
    const timed = await client.begin("wait", { ms: idleMs });
    // Said to the log: whoever asked the object would keep it in memory.
    await expect.poll(() => server.output()).toContain(`waited ${idleMs}\n`);
    expect(await client.until(timed, "completed")).toMatchObject(content(`waited ${idleMs}`));
    expect(await client.get(silent)).toMatchObject({ result: { status: "working" } });
    expect(await inspect(silent)).toMatchObject({ constructions: 1 });
    await client.ask("tasks/cancel", { taskId: silent });
  });
});
