import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";
import { initialize, RawSseClient } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { lanes, openLane } from "../support/wire-lanes.ts";
import { logLinesIn } from "../support/log-lines.ts";
import { logName } from "../support/log-name.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const secrets = ["sesame-in-argument", "4711081500", "sesame-in-header", "abc.def.ghi", "sesame-in-meta"];

let edge: WorkerdProcess;
beforeAll(async () => void (edge = await startWorkerd({ main: "test/fixtures/hooked.ts" })));
afterAll(() => edge.close());

test.each(lanes)("a call over %s is one line that says who called what, and keeps its secrets", async (lane) => {
  const client = await openLane(lane, { base: edge.url, stdioMain: "test/fixtures/hooked-stdio.ts" });
  const written = () => (lane === "stdio" ? client.log() : edge.output());
  const before = logLinesIn(written()).length;
  const params = {
    name: "repeats",
    arguments: { secret: "sesame-in-argument", number: 4_711_081_500 },
    _meta: { traceparent, other: "sesame-in-meta" },
  };
  await client.ask("tools/call", params, { authorization: "Bearer sesame-in-header" });
  const called = () =>
    logLinesIn(written())
      .slice(before)
      .filter((line) => line["name"] === "repeats");
  await expect.poll(called).toHaveLength(1);
  const isSession = lane === "/sse" || lane === "/mcp";
  const [line] = called();
  expect(line).toMatchObject({
    event: "call",
    lane: lane.replace("/", ""),
    method: "tools/call",
    outcome: "failed",
    error: 'No account for "…" and …, …',
    revision: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
    ms: expect.any(Number) as number,
    client: expect.stringMatching(/^\S+ [\d.]+$/) as string,
    traceparent,
  });
  expect(line?.["session"]).toEqual(isSession ? expect.stringMatching(/^[0-9a-f]{8}$/) : undefined);
  expect(secrets.filter((secret) => written().includes(secret))).toEqual([]);
  client.close();
});

test.each(lanes)("over %s what a tool has taken from its arguments is in no line either", async (lane) => {
  const client = await openLane(lane, { base: edge.url, stdioMain: "test/fixtures/hooked-stdio.ts" });
  const written = () => (lane === "stdio" ? client.log() : edge.output());
  const before = logLinesIn(written()).length;
  await client.ask("tools/call", { name: "takes", arguments: { words: ["sesame-in-words"] } });
  const errors = () =>
    logLinesIn(written())
      .slice(before)
      .flatMap(({ error }) => error ?? []);
  await expect.poll(errors).toEqual(['No account for "…"']);
  client.close();
});

test.each(lanes)("over %s a long argument is in no line, nor a part of it that a tool repeats", async (lane) => {
  const client = await openLane(lane, { base: edge.url, stdioMain: "test/fixtures/hooked-stdio.ts" });
  const written = () => (lane === "stdio" ? client.log() : edge.output());
  const before = logLinesIn(written()).length;
  const letter = Array.from({ length: 2_000 }, (_, at) => `${lane}: line ${at}`).join("\n");
  for (const name of ["repeats", "cuts"])
    await client.ask("tools/call", { name, arguments: { secret: letter, number: 7 } });
  const errors = () =>
    logLinesIn(written())
      .slice(before)
      .flatMap(({ error }) => error ?? []);
  await expect.poll(errors).toEqual(['No account for "…', "Unexpected token in <…>"]);
  expect(written()).not.toContain("line 100");
  client.close();
});

test("a client that nests its arguments as deep as it can is answered, and its call has a line", async () => {
  const client = await RawMcpClient.open(edge.url);
  const deep = `${"[".repeat(100_000)}"sesame"${"]".repeat(100_000)}`;
  const call = (name: string) =>
    `{"jsonrpc":"2.0","id":"${name}","method":"tools/call","params":{"name":"${name}","arguments":{"twice":${deep}}}}`;
  const answer = await (await client.post(call("no-such-tool"))).text();
  expect(answer).toContain("no-such-tool");
  const lines = () => logLinesIn(edge.output()).filter(({ name }) => name === "no-such-tool");
  await expect.poll(lines).toMatchObject([{ event: "call", error: expect.stringContaining("no-such-tool") as string }]);
});

test("a client that calls things by names as long as it may has written no long line", async () => {
  const client = await RawMcpClient.open(edge.url);
  const longest = () =>
    Math.max(
      ...edge
        .output()
        .split("\n")
        .map(({ length }) => length),
    );
  // Each character takes three times as much in the answer, which is too large then.
  const name = "\u0085".repeat(1_800_000);
  const answer = await (await client.call(name)).text();
  expect(answer).toContain("larger than");
  await client.post(JSON.stringify({ jsonrpc: "2.0", id: 2, method: `tools/${name}` }));
  await expect.poll(() => edge.output()).toContain("result-not-sent");
  await expect.poll(() => logLinesIn(edge.output()).at(-1)).toMatchObject({ event: "call", outcome: "error" });
  expect(longest()).toBeLessThan(2_000);
});

test("the header traceparent names the caller's trace, and an invalid one is not logged", async () => {
  const client = await openLane("/sse", { base: edge.url, stdioMain: "" });
  const trace = traceparent.replace("0af7", "0bf7");
  await client.ask("prompts/get", { name: "ask" }, { traceparent: trace });
  await client.ask("resources/read", { uri: "note://one?key=sesame" }, { traceparent: `${trace}-sesame` });
  const lines = () => logLinesIn(edge.output()).filter(({ session }) => session !== undefined);
  await expect.poll(() => lines().find((line) => line["traceparent"] === trace)).toMatchObject({ name: "ask" });
  await expect
    .poll(() => lines().find((line) => line["name"] === "note://one" && line["outcome"] === "error"))
    .toBeDefined();
  expect(edge.output()).not.toContain("sesame");
  client.close();
});

test("a session that is opened, resumed and ended has a line for each, by a name that opens nothing", async () => {
  const client = await RawSseClient.open(edge.url);
  const { sessionId } = client;
  const session = logName(sessionId);
  const of = (event: string) =>
    logLinesIn(edge.output()).filter((line) => line["event"] === event && line["session"] === session);
  await expect
    .poll(() => of("session-opened"))
    .toMatchObject([{ lane: "sse", client: expect.stringContaining(" ") as string }]);
  await client.resume();
  await expect.poll(() => of("session-resumed")).toMatchObject([{ lane: "sse", by: "Last-Event-ID" }]);
  await fetch(`${edge.url}/test/abort?id=${sessionId}`);
  await expect.poll(() => of("session-resumed")).toMatchObject([{}, { lane: "sse", by: "relay" }]);
  client.close();
  expect(edge.output()).not.toContain(sessionId);
  expect(edge.output()).not.toContain(sessionId.slice(0, 8));
});

test("DELETE ends a session, which its line says", async () => {
  const opened = await fetch(`${edge.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(initialize()),
  });
  await opened.text();
  const sessionId = opened.headers.get("mcp-session-id") ?? "";
  const session = logName(sessionId);
  await fetch(`${edge.url}/mcp`, { method: "DELETE", headers: { "mcp-session-id": sessionId } });
  const lines = () => logLinesIn(edge.output()).filter((line) => line["session"] === session);
  await expect.poll(() => lines().at(-1)).toEqual({ event: "session-ended", session, lane: "mcp", by: "client" });
});
