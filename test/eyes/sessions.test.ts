import { afterAll, beforeAll, expect, test } from "vitest";
import { type LogLine, logLinesIn } from "../support/log-lines.ts";
import { logName } from "../support/log-name.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, reconnect } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

const main = "test/fixtures/watched.ts";

let edge: WorkerdProcess;
/** Its sessions end a second after their clients have left. */
let brief: WorkerdProcess;
beforeAll(async () => {
  [edge, brief] = await Promise.all([startWorkerd({ main, options: patient }), startWorkerd({ main })]);
});
afterAll(() => Promise.all([edge.close(), brief.close()]));

/** What the log says of a session besides its calls, without its name. */
const told = (sessionId: string, { output } = edge): Partial<LogLine>[] => {
  const lines = logLinesIn(output()).filter((line) => line["session"] === logName(sessionId));
  return lines.filter(({ event }) => event.startsWith("session-")).map(({ session: _session, ...rest }) => rest);
};

const opened = (lane: string, revision = "2025-11-25") => ({
  event: "session-opened",
  lane,
  revision,
  client: "raw 1",
});

test("a session is opened once, by what its client says it is, in the revision that it speaks from then on", async () => {
  const sse = await RawSseClient.open(edge.url);
  const mcp = await RawMcpClient.open(edge.url, {}, "2025-06-18");
  await expect.poll(() => told(sse.sessionId)).toEqual([opened("sse")]);
  await expect.poll(() => told(mcp.sessionId)).toEqual([opened("mcp", "2025-06-18")]);
  sse.close();
});

test("a stream that nobody initializes is no session, and has no line", async () => {
  const probe = await RawSseClient.connect(edge.url);
  probe.close();
  const after = await RawSseClient.open(edge.url);
  await expect.poll(() => told(after.sessionId)).toHaveLength(1);
  expect(edge.output()).not.toContain(logName(probe.sessionId));
  after.close();
});

test("a client that claims its session has resumed it, and its relay is not told of as well", async () => {
  const client = await RawSseClient.open(edge.url);
  client.stream.close();
  await client.stream.over;
  const { stream, ping } = await reconnect(edge.url);
  await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
  client.stream = stream;
  await client.request("ping");
  await expect
    .poll(() => told(client.sessionId))
    .toEqual([opened("sse"), { event: "session-resumed", lane: "sse", by: "claim" }]);
  client.close();
});

test("over Streamable HTTP a stream that goes on is a session that was resumed; one that begins is not", async () => {
  const client = await RawMcpClient.open(edge.url);
  const first = await client.listen();
  first.close();
  await first.over;
  expect(told(client.sessionId).filter(({ event }) => event === "session-resumed")).toEqual([]);
  const stream = await client.callAsStream("once", { key: "cut" });
  await expect.poll(() => stream.lastEventId).not.toBe("");
  stream.close();
  await stream.over;
  const again = await client.listen(stream.lastEventId);
  await expect
    .poll(() => told(client.sessionId))
    .toEqual([opened("mcp"), { event: "session-resumed", lane: "mcp", by: "Last-Event-ID" }]);
  again.close();
});

test.each(["/sse", "/mcp"] as const)("over %s a session that nobody uses any more has ended idle", async (lane) => {
  const client = lane === "/sse" ? await RawSseClient.open(brief.url) : await RawMcpClient.open(brief.url);
  if (client instanceof RawSseClient) client.close();
  await expect
    .poll(() => told(client.sessionId, brief))
    .toEqual([opened(lane.slice(1)), { event: "session-ended", lane: lane.slice(1), by: "idle" }]);
});

test("no line has an id by which anybody could enter", async () => {
  const client = await RawMcpClient.open(edge.url);
  await client.call("once", "no object");
  await client.post({ jsonrpc: "2.0", id: 99, method: "no/such", params: { sessionId: client.sessionId } });
  await expect.poll(() => edge.output()).toContain('"method":"no/such"');
  expect(edge.output()).not.toContain(client.sessionId.slice(0, 12));
});
