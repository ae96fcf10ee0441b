import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { root } from "../support/bundle.ts";
import { logName } from "../support/log-name.ts";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

type Rows = Record<string, Record<string, unknown>>;

/** As the release before stored them, of one task each. */
const stored = JSON.parse(await readFile(join(root, "test/fixtures/previous/task-rows.json"), "utf8")) as Record<
  string,
  { secret: string; rows: Rows }
>;

let server: WorkerdProcess;
let client: TaskClient;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/tasks.ts" });
  client = new TaskClient(server.url);
});
afterAll(() => server.close());

interface Place {
  at?: WorkerdProcess;
  as?: TaskClient;
}

/** An object that finds these rows when it is built the next time. The id of its task. */
async function taskOf(
  name: string,
  change: (rows: Rows) => object = (rows) => rows,
  place: Place = {},
): Promise<string> {
  const { at = server, as = client } = place;
  const { secret, rows = {} } = stored[name] ?? {};
  const objectId = (await as.begin("until-aborted", { n: 0 })).slice(0, 64);
  const nowMs = Date.now();
  const kept = structuredClone(rows);
  Object.assign(kept["task"] ?? {}, { createdAtMs: nowMs, updatedAtMs: nowMs });
  for (const [key, value] of Object.entries(change(kept))) {
    const text = encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value));
    await fetch(`${at.url}/test/rewrite?id=${objectId}&key=${key}&value=${text}`);
  }
  await fetch(`${at.url}/test/abort?id=${objectId}`);
  return `${objectId}${secret}`;
}

const content = (text: string) => ({ result: { content: [{ type: "text", text }] } });

describe("of a task that the release before stored", () => {
  test("the result is there, for its owner, who has not fetched it yet", async () => {
    const at = await startWorkerd({ main: "test/fixtures/tasks-few.ts" });
    const as = (name: string) => new TaskClient(at.url, { headers: { authorization: `Bearer key-of-${name}` } });
    const ann = as("ann");
    const taskId = await taskOf("completed, of a user", undefined, { at, as: ann });
    expect(await as("bob").get(taskId)).toMatchObject({ error: { code: -32_602 } });
    expect((await ann.get(taskId)).result).toMatchObject({ status: "completed", ...content("4 done") });
    await at.close();
  });

  test("the call that was in flight runs again if it may, else its client is told", async () => {
    const again = await taskOf("working, may run again");
    const once = await taskOf("working, may not run again");
    const failed = await client.until(once, "failed");
    expect(failed["error"]).toMatchObject({ message: expect.stringContaining("may or may not") });
    await fetch(`${server.url}/test/open`);
    expect(await client.until(again, "completed")).toMatchObject(content("1 done"));
    await fetch(`${server.url}/test/close`);
  });

  test("what it asks its client is asked, and it goes on with the answer", async () => {
    const taskId = await taskOf("asks its client");
    for (const name of ["Ann", "Bob"]) {
      const { inputRequests } = await client.until(taskId, "input_required");
      const [key = ""] = Object.keys(Object(inputRequests));
      await client.ask("tasks/update", { taskId, inputResponses: { [key]: { action: "accept", content: { name } } } });
    }
    expect(await client.until(taskId, "completed")).toMatchObject(content("Ann and Bob"));
  });

  test("how it ended is told", async () => {
    expect(await client.get(await taskOf("cancelled"))).toMatchObject({ result: { status: "cancelled" } });
    expect(await client.get(await taskOf("failed"))).toMatchObject({ result: { status: "failed", error: {} } });
  });
});

async function inspect(taskId: string): Promise<Pick<Inspection, "rows" | "alarmAtMs">> {
  const response = await fetch(`${server.url}/test/inspect?id=${taskId.slice(0, 64)}`);
  const { rows, alarmAtMs } = (await response.json()) as Inspection;
  return { rows, alarmAtMs };
}

const linesOf = (taskId: string): string[] =>
  server
    .output()
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.includes('"unreadable"') && line.includes(logName(taskId)));

const working = "working, may run again";
const changed =
  (members: object) =>
  ({ task }: Rows) => ({ task: { ...task, ...members } });

const unreadable: [string, string, string, (rows: Rows) => object][] = [
  [
    "of a newer format",
    "the row task cannot be read: RangeError: its format is 1000",
    working,
    changed({ format: 1_000 }),
  ],
  ["whose format is no number", "its format is newest", working, changed({ format: "newest" })],
  ["that is no JSON", "the row task cannot be read: SyntaxError", working, () => ({ task: "{" })],
  ["that is no object", "it is no object", working, () => ({ task: [] })],
  ["without its call", "it lacks its call", working, changed({ request: {} })],
  ["whose URL is none", "it lacks its call", working, changed({ url: "?" })],
  ["whose headers are none", "it lacks its call", working, changed({ headers: ["accept"] })],
  ["without its times", "it lacks a time", working, changed({ updatedAtMs: null })],
  ["that was made when no clock will be", "it lacks a time", working, changed({ createdAtMs: 1e300 })],
  [
    "of a time for which there is no alarm",
    "it lacks a time",
    "failed",
    changed({ updatedAtMs: 8_000_000_000_000_000 }),
  ],
  ["that does not say how often it ran", "it lacks a number", working, changed({ reruns: "twice" })],
  ["without who may ask", "it lacks who may ask", working, changed({ secretHash: 0 })],
  ["of a status that is none", "it lacks its status", working, changed({ state: { status: "paused" } })],
  ["that asks nothing", "it lacks its status", working, changed({ state: { status: "input_required" } })],
  [
    "whose outcome is no JSON",
    "the row task-outcome cannot be read: SyntaxError",
    "failed",
    (rows) => ({ ...rows, "task-outcome": "{" }),
  ],
  [
    "whose outcome is lost",
    "the row task-outcome cannot be read: TypeError: it is no result",
    "failed",
    ({ task }) => ({ task }),
  ],
];

describe("a task that cannot be read", () => {
  test.each(unreadable)(
    "%s: one line in the log, nothing is left, and it is not found",
    async (_, why, name, change) => {
      const taskId = await taskOf(name, change);
      const unknown = { error: { code: -32_602, message: expect.stringContaining("Task not found") } };
      expect(await client.get(taskId)).toMatchObject(unknown);
      expect(await client.get(taskId)).toMatchObject(unknown);
      expect(await inspect(taskId)).toEqual({ rows: [], alarmAtMs: null });
      await expect.poll(() => linesOf(taskId)).toEqual([expect.stringContaining(why)]);
    },
  );

  test("is deleted by its alarm, if nobody asks for it", async () => {
    const taskId = await taskOf(working, changed({ format: 1_000 }));
    await expect.poll(() => linesOf(taskId)).toEqual([expect.stringContaining("the row task")]);
    await expect.poll(() => inspect(taskId)).toEqual({ rows: [], alarmAtMs: null });
  });
});

test.each([
  ["whose times are none", { "kept/1": "1e300", "kept/2": "soon" }],
  ["that cannot be read at all", { handshake: "{" }],
])("a count of tasks %s keeps its caller from none", async (_, rows) => {
  const at = await startWorkerd({ main: "test/fixtures/tasks-few.ts" });
  const ann = new TaskClient(at.url, { headers: { authorization: "Bearer key-of-ann" } });
  await ann.begin("until-aborted", { n: 1 });
  const book = `name=${encodeURIComponent(`tasks/user/${createHash("sha256").update("ann").digest("base64")}`)}`;
  for (const [key, value] of Object.entries(rows))
    await fetch(`${at.url}/test/rewrite?${book}&key=${key}&value=${value}`);
  await fetch(`${at.url}/test/abort?${book}`);
  const taskId = await ann.begin("until-aborted", { n: 2 });
  const { rows: kept } = (await (await fetch(`${at.url}/test/inspect?${book}`)).json()) as Inspection;
  expect(kept).toContain(`kept/${taskId.slice(0, 64)}`);
  expect(kept.filter((key) => key in rows)).toEqual([]);
  await at.close();
});

/** The same, with the kind of each value in its place. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

test("what is stored today is of the format before and says so: the release before reads it, with what is added to it", async () => {
  const taskId = await client.begin("gated-repeatable", { n: 1 });
  const text = await (await fetch(`${server.url}/test/read?id=${taskId.slice(0, 64)}&key=task`)).text();
  const now = JSON.parse(text) as Record<string, unknown>;
  expect(now).toMatchObject({ format: 1 });
  expect(shapeOf(now)).toMatchObject(shapeOf({ ...stored[working]?.rows["task"] }) as object);
});
