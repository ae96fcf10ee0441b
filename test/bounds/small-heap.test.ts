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
  const remember = { name: "remember", arguments: { key: "large", value: mebibyte } };
  // One after the other: all at once they would be more than an isolate reads at the same time.
  const first: number[] = [];
  for (const { client } of deaf) {
    first.push((await client.post({ jsonrpc: "2.0", id: 0, method: "tools/call", params: remember })).status);
  }
  const batches = await Promise.all(deaf.map(({ client }) => client.post(recalls.slice(0, 8))));
  expect([...first, ...batches.map(({ status }) => status)].filter((status) => status !== 202)).toEqual([]);
  for (const { socket } of deaf) socket.destroy();
  await expectOthersLive();
});

/** Uploads that stop when nearly all of 4 MiB are there. */
function stalledUpload(path: string, headers: string[], isChunked: boolean): Promise<Socket> {
  const length = 4 * 1024 * 1024;
  const sent = "x".repeat((length * 63) / 64);
  const framing = isChunked ? "transfer-encoding: chunked" : `content-length: ${length}`;
  const head = [
    `POST ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    "content-type: application/json",
    framing,
    ...headers,
    "",
    "",
  ];
  const socket = connect(Number(new URL(workerd.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    const body = isChunked ? `${sent.length.toString(16)}\r\n${sent}\r\n` : sent;
    socket.write(head.join("\r\n") + body, () => resolve(socket));
  });
}

test("60 uploads that stall: who has taken longest is told so, others upload as much meanwhile", async () => {
  const client = await RawMcpClient.open(workerd.url);
  const { pathname, search } = new URL(bystander.endpoint);
  const accept = "accept: application/json, text/event-stream";
  const places: [string, string[]][] = [
    [pathname + search, []],
    ["/mcp", [accept]],
    ["/mcp", [accept, `mcp-session-id: ${client.sessionId}`]],
  ];
  const sockets = await Promise.all(
    places.flatMap(([path, headers]) =>
      Array.from({ length: 20 }, (_, index) => stalledUpload(path, headers, index % 2 === 0)),
    ),
  );
  const answers = sockets.map(
    (socket) =>
      new Promise<string>((resolve) => {
        let text = "";
        socket.on("data", (chunk: Buffer) => resolve((text += chunk.toString())));
        socket.on("close", () => resolve(text));
      }),
  );
  // As large as theirs, and whole.
  expect(await bystander.call("remember", { key: "large", value: mebibyte }).then(textOf)).toBe("Remembered large.");
  const first = await Promise.race(answers);
  expect(first).toContain("408");
  for (const socket of sockets) socket.destroy();
  await expectOthersLive();
});
