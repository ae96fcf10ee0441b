import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { postJson, RawSseClient, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** An isolate as large as the platform's: one that needs more takes all sessions in it along. */
let workerd: WorkerdProcess;
/** Has nothing to do with what happens. */
let bystander: RawSseClient;
let pid: number;

beforeAll(async () => {
  workerd = await startWorkerd({ main: "test/fixtures/example.ts", heapMib: 128 });
});
afterAll(() => workerd.close());

beforeEach(async () => {
  pid = workerd.pid();
  bystander = await RawSseClient.open(workerd.url);
});

afterEach(() => bystander.close());

/** The process lives, and so does the stream of somebody else. */
async function expectOthersLive(): Promise<void> {
  expect(await bystander.call("add", { a: 1, b: 2 }).then(textOf)).toBe("3");
  expect(workerd.pid()).toBe(pid);
}

const mebibyte = "x".repeat(1024 * 1024 - 100);
const recalls = Array.from({ length: 100 }, (_, id) => ({
  jsonrpc: "2.0",
  id: `recall ${id}`,
  method: "tools/call",
  params: { name: "recall", arguments: { key: "large" } },
}));

/** What an answer is: the value, or the advice. */
function kindOf(answer: Record<string, unknown>): string {
  const error = answer["error"] as { message?: string } | undefined;
  return error?.message ?? (textOf(answer) === mebibyte ? "recalled" : textOf(answer).slice(0, 100));
}

const advice =
  "The result of tools/call does not fit beside what its client has not read yet. Read that first. Ask for less at once.";

const isFine = (kind: string): boolean => kind === "recalled" || kind === advice;

test("a batch that asks for 100 MiB on /sse", async () => {
  const client = await RawSseClient.open(workerd.url);
  await client.call("remember", { key: "large", value: mebibyte });
  expect((await client.post(recalls)).status).toBe(202);
  const kinds: string[] = [];
  for (const { id } of recalls) kinds.push(kindOf(await client.stream.answerTo(id)));
  expect(kinds.filter((kind) => !isFine(kind))).toEqual([]);
  expect(await client.call("recall", { key: "large" }).then(kindOf)).toBe("recalled");
  client.close();
  await expectOthersLive();
});

test("the same, and nobody reads: what does not fit beside the rest is an error that says so", async () => {
  const client = await RawSseClient.open(workerd.url);
  await client.call("remember", { key: "large", value: mebibyte });
  client.close();
  await client.stream.over;
  expect((await client.post(recalls)).status).toBe(202);
  await client.resume();
  const kinds: string[] = [];
  for (const { id } of recalls) kinds.push(kindOf(await client.stream.answerTo(id)));
  expect(kinds.filter((kind) => !isFine(kind))).toEqual([]);
  // Some more, if its stream was there again before the last of them.
  expect(kinds.filter((kind) => kind === "recalled").length).toBeGreaterThanOrEqual(7);
  expect(await client.call("recall", { key: "large" }).then(kindOf)).toBe("recalled");
  client.close();
  await expectOthersLive();
});

test("the same on /mcp", async () => {
  const client = await RawMcpClient.open(workerd.url);
  await client.call("remember", { key: "large", value: mebibyte });
  const response = await postJson(client.url, recalls, client.headers);
  const text = await response.text();
  const answers: Record<string, unknown>[] = text.startsWith("[")
    ? JSON.parse(text)
    : Array.from(text.matchAll(/^data: (\{.*)$/gm), ([, data = ""]) => JSON.parse(data));
  const kinds = answers.map(kindOf);
  expect(kinds).toHaveLength(recalls.length);
  expect(kinds.filter((kind) => !isFine(kind))).toEqual([]);
  await expectOthersLive();
});

/** A client that opens its stream and never reads from it. */
async function openDeaf(): Promise<{ client: RawSseClient; socket: Socket }> {
  const socket = connect(Number(new URL(workerd.url).port), "127.0.0.1");
  const endpoint = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const path = /data: (\S*sessionId=\w+)/.exec(text)?.[1];
      if (path === undefined) return;
      socket.pause();
      resolve(path);
    });
    socket.write("GET /sse HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n");
  });
  socket.on("error", () => undefined);
  return { client: new RawSseClient(workerd.url, bystander.stream, new URL(endpoint, workerd.url).href), socket };
}

test("60 sessions that read nothing of 8 MiB each", async () => {
  const deaf = await Promise.all(Array.from({ length: 60 }, openDeaf));
  const statuses = await Promise.all(
    deaf.map(async ({ client }) => {
      const remember = { name: "remember", arguments: { key: "large", value: mebibyte } };
      const first = await client.post({ jsonrpc: "2.0", id: 0, method: "tools/call", params: remember });
      const batch = await client.post(recalls.slice(0, 8));
      return [first.status, batch.status];
    }),
  );
  expect(statuses.filter(([first, batch]) => first !== 202 || batch !== 202)).toEqual([]);
  for (const { socket } of deaf) socket.destroy();
  await expectOthersLive();
});
