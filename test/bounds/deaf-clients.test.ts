import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { capabilitiesOf } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let workerd: WorkerdProcess;
beforeAll(async () => {
  workerd = await startWorkerd({ main: "test/fixtures/small-bounds.ts" });
});
afterAll(() => workerd.close());

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** POSTs a message of the stateless revision, and reads nothing of what is answered. */
function postDeaf(method: string, params: Record<string, unknown>, meta: object): void {
  const { headers, message } = statelessRequest(method, params);
  const body = JSON.stringify({
    ...message,
    params: { ...message.params, _meta: { ...message.params._meta, ...meta } },
  });
  const lines = [
    "POST /mcp HTTP/1.1",
    "host: 127.0.0.1",
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    `content-length: ${body.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const socket = connect(Number(new URL(workerd.url).port), "127.0.0.1");
  sockets.push(socket.on("error", () => undefined).pause());
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

const logLevel = { "io.modelcontextprotocol/logLevel": "debug" };

/** Says 30 MB, more than any buffer between server and client takes, and goes on until it is cancelled. */
const says = { name: "say", arguments: { way: "notification", bytes: 100_000, times: 300, thenWaitMs: 600_000 } };

const cancelled = (): number => workerd.output().split('"outcome":"cancelled"').length - 1;

test("a client of the stateless revision that reads nothing of what a call says is let go", async () => {
  postDeaf("tools/call", says, logLevel);
  await expect.poll(cancelled).toBe(1);
});

test("likewise if the call may become a task", async () => {
  postDeaf("tools/call", says, { ...logLevel, ...capabilitiesOf({ reads: true }) });
  await expect.poll(cancelled).toBe(2);
});

test("what a tool asks its client, small as it is, is refused beside too much that is not read", async () => {
  const pinging = await startWorkerd({ main: "test/fixtures/pinging.ts" });
  onTestFinished(() => pinging.close());
  const client = await RawSseClient.open(pinging.url);
  client.close();
  await client.stream.over;
  const params = { name: "ping_often", arguments: { times: 3_000, bytes: 3_500 } };
  expect((await client.post({ jsonrpc: "2.0", id: "often", method: "tools/call", params })).status).toBe(202);
  await client.resume();
  const answer = await client.stream.answerTo("often");
  expect(textOf(answer)).toContain("ping does not fit beside what its client has not read yet");
  client.close();
});
