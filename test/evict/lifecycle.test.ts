import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../support/digest.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { logLinesIn } from "../support/log-lines.ts";
import { logName } from "../support/log-name.ts";
import { patient } from "../support/patient.ts";
import { initialize, postJson, RawSseClient, reconnect, textOf } from "../support/raw-client.ts";

let example: EdgeServer;
let bounded: EdgeServer;
/** Its sessions end a second and a half after their clients have left. */
let brief: EdgeServer;
let fragile: EdgeServer;
beforeAll(async () => {
  [example, bounded, brief, fragile] = await Promise.all([
    startEdge("test/fixtures/example.ts", { options: patient }),
    startEdge("test/fixtures/small-bounds.ts", { options: patient }),
    startEdge("test/fixtures/small-bounds.ts"),
    startEdge("test/fixtures/fragile.ts"),
  ]);
});
afterAll(() => Promise.all([example.close(), bounded.close(), brief.close(), fragile.close()]));

/** The platform hibernates an object that has had nothing to do for 10 s. */
const hibernatedAfterMs = 12_000;

/** The lines of the log about a session. */
const linesOf = (edge: EdgeServer, sessionId: string) =>
  logLinesIn(`${edge.logs().join("\n")}\n`).filter(({ session }) => session === logName(sessionId));

/** What is logged beside calls and sessions, once all that was logged before this is there. */
async function noiseOf(edge: EdgeServer): Promise<string[]> {
  const last = await RawSseClient.open(edge.url);
  last.close();
  await expect.poll(() => linesOf(edge, last.sessionId)).not.toEqual([]);
  return edge.logs().filter((line) => !line.startsWith('{"event":"call"') && !line.startsWith('{"event":"session-'));
}

describe("a session that goes on", () => {
  test("with its stream open it hibernates, writes nothing, and the next message arrives on the same stream", async () => {
    const client = await RawSseClient.open(example.url);
    await client.call("remember", { key: "k", value: "before" });
    const { stream } = client;
    const constructions = async (): Promise<number> => {
      await passing(hibernatedAfterMs);
      expect(textOf(await client.call("recall", { key: "k" }))).toBe("before");
      return (await example.inspect(client.sessionId)).constructions;
    };
    // Later if the machine had no time to let it sleep.
    await expect.poll(constructions).toBe(2);
    expect(client.stream).toBe(stream);
    const { rows } = await example.inspect(client.sessionId);
    expect(rows.filter((row) => !row.startsWith("outbox/"))).toEqual(["handshake", "memory/k"]);
    client.close();
  });

  test("evicted between two calls, the client does not notice: same stream, log level, memory, no initialize", async () => {
    const client = await RawSseClient.open(example.url, { elicitation: {} });
    await client.request("logging/setLevel", { level: "error" });
    await client.call("remember", { key: "k", value: "v" });
    await example.evict(client.sessionId);
    expect(textOf(await client.call("recall", { key: "k" }))).toBe("v");
    await client.call("countdown", { from: 2, stepMs: 1 });
    expect(client.stream.events.filter(({ data }) => data.includes("notifications/message"))).toEqual([]);

    await example.evict(client.sessionId);
    const id = await client.send("tools/call", { name: "ask", arguments: { question: "Who?" } });
    const asked = await client.stream.message((message) => message["method"] === "elicitation/create");
    await client.post({ jsonrpc: "2.0", id: asked["id"], result: { action: "accept", content: { answer: "me" } } });
    expect(textOf(await client.stream.answerTo(id))).toBe("me");
    client.close();
  });

  test("an answer to a request of an evicted server is not taken for the answer to a new one", async () => {
    const client = await RawSseClient.open(bounded.url, { sampling: {} });
    await client.send("tools/call", { name: "ping_client", arguments: {} });
    const early = await client.stream.message((message) => message["method"] === "ping");
    await bounded.abort(client.sessionId);
    const id = await client.send("tools/call", { name: "ping_client", arguments: {} });
    const late = await client.stream.message((message) => message["method"] === "ping");
    await client.post({ jsonrpc: "2.0", id: early["id"], result: {} });
    expect(late["id"]).not.toBe(early["id"]);
    await client.post({ jsonrpc: "2.0", id: late["id"], result: {} });
    expect(textOf(await client.stream.answerTo(id))).toBe("the client is there");
    client.close();
  });

  test("evicted, a subscription that its server never answers again holds up nobody, nor the others", async () => {
    const client = await RawSseClient.open(fragile.url);
    for (const uri of ["test://first", "test://second"]) {
      expect(await client.request("resources/subscribe", { uri })).toMatchObject({ result: {} });
    }
    await fragile.evict(client.sessionId);
    expect(textOf(await client.call("wait", { ms: 0 }))).toBe("waited");
    expect(textOf(await client.call("subscriptions"))).toBe("test://first, test://second");
    expect(await noiseOf(fragile)).toEqual([]);
    client.close();
  });

  test("a few quick calls write no row at all, and what is in doubt survives an eviction and a cut", async () => {
    const client = await RawSseClient.open(example.url);
    for (let n = 0; n < 5; n++) await client.call("add", { a: n, b: 1 });
    // Evicted only when nothing is left to do: also not to keep what was sent.
    await example.evict(client.sessionId);
    expect((await example.inspect(client.sessionId)).rows).toEqual(["handshake"]);
    client.stream.close();
    await client.stream.over;
    const { stream, ping } = await reconnect(example.url);
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    for (let id = 1; id <= 5; id++) expect(textOf(await stream.answerTo(id))).toBe(String(id));
    stream.close();
  });

  test("many quick calls are one row, and the handshake one", async () => {
    const client = await RawSseClient.open(example.url);
    for (let n = 0; n < 50; n++) await client.call("add", { a: n, b: 1 });
    await expect
      .poll(async () => (await example.inspect(client.sessionId)).rows)
      .toEqual(["handshake", expect.stringMatching(/^outbox\//)]);
    client.close();
  });

  test("a call that takes long is written down until it is answered", async () => {
    const client = await RawSseClient.open(bounded.url);
    const id = await client.hold();
    expect((await bounded.inspect(client.sessionId)).rows.filter((row) => row.startsWith("call/"))).toHaveLength(1);
    await client.release();
    await client.stream.answerTo(id);
    expect((await bounded.inspect(client.sessionId)).rows.filter((row) => row.startsWith("call/"))).toEqual([]);
    client.close();
  });

  test("what a session remembers is bounded, and says so", async () => {
    const client = await RawSseClient.open(example.url);
    // One value may be longer than a row of ours, which ends here between the halves of a character.
    const long = "x".repeat(499_998) + "𝄞".repeat(120_000);
    await client.call("remember", { key: "long", value: long });
    const answer = await client.call("remember", { key: "k", value: "x".repeat(100_000) });
    expect(answer["result"]).toMatchObject({ isError: true });
    expect(textOf(answer)).toContain("memory is full");
    await example.evict(client.sessionId);
    expect(digest(textOf(await client.call("recall", { key: "long" })))).toBe(digest(long));
    client.close();
  });

  test("the bound counts bytes, and no key escapes it, also after an eviction", async () => {
    const client = await RawSseClient.open(bounded.url);
    const long = await client.call("remember", { key: "long", value: "€".repeat(333) });
    expect(textOf(long)).toContain("memory is full");
    for (const key of ["\ud800x", "x\udfff"]) {
      const answer = await client.call("remember", { key, value: "x".repeat(400) });
      expect(answer["result"]).toMatchObject({ isError: true });
      expect(textOf(answer)).toContain("half of a surrogate pair");
      await bounded.evict(client.sessionId);
    }
    await client.call("remember", { key: "\ufffdx", value: "x" });
    expect(textOf(await client.call("recall", { key: "\ud800x" }))).toBe("null");
    expect(textOf(await client.call("keys"))).toBe('["\ufffdx"]');
    client.close();
  });
});

/** How long a call of `small-bounds.ts` goes on whose client is gone. */
const graceMs = 1_000;

describe("a session that ends", () => {
  test("abandoned, without stream and traffic, it leaves no row and no alarm", async () => {
    const client = await RawSseClient.open(brief.url);
    await client.call("echo", { text: "x" });
    expect((await brief.inspect(client.sessionId)).rows).toContain("handshake");
    client.close();
    await expect
      .poll(() => brief.inspect(client.sessionId), { interval: 200 })
      .toMatchObject({ rows: [], alarmAtMs: null });
    expect((await client.post({ jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(404);
  });

  test("so it does when the close of its stream is what wakes it", async () => {
    const client = await RawSseClient.open(brief.url);
    await client.call("echo", { text: "x" });
    await brief.evict(client.sessionId);
    client.close();
    await expect
      .poll(() => brief.inspect(client.sessionId), { interval: 1_000 })
      .toMatchObject({ rows: [], alarmAtMs: null });
  });

  test("with a stream open it does not end, however idle", async () => {
    const client = await RawSseClient.open(brief.url);
    await passing(3_500);
    expect(textOf(await client.call("echo", { text: "still here" }))).toBe("still here");
    client.close();
  });

  test("Streamable HTTP without any stream ends by its alarm, too", async () => {
    const opened = await postJson(`${brief.url}/mcp`, initialize());
    const id = opened.headers.get("mcp-session-id") ?? "";
    const told = () => linesOf(brief, id).filter(({ event }) => event !== "call");
    await expect.poll(told).toMatchObject([{ event: "session-opened" }, { event: "session-ended", by: "idle" }]);
    await expect.poll(() => brief.inspect(id), { interval: 200 }).toMatchObject({ rows: [], alarmAtMs: null });
  });

  test("no header of a client makes its object believe that it is new", async () => {
    const opened = await postJson(`${example.url}/mcp`, initialize());
    const id = opened.headers.get("mcp-session-id") ?? "";
    await example.evict(id);
    const headers = { "mcp-session-id": id, "mcp-edge-attach": "new", "mcp-edge-verb": "mcp-initialize" };
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    expect((await postJson(`${example.url}/mcp`, ping, { ...headers, "mcp-edge-verb": "attach" })).status).toBe(200);
    await example.evict(id);
    expect((await postJson(`${example.url}/mcp`, ping, headers)).status).toBe(200);
    await example.evict(id);
    expect(
      (await postJson(`${example.url}/mcp`, ping, { "mcp-session-id": id, "mcp-edge-attach": "new" })).status,
    ).toBe(200);
  });

  test("DELETE leaves no row", async () => {
    const opened = await postJson(`${bounded.url}/mcp`, initialize());
    const id = opened.headers.get("mcp-session-id") ?? "";
    const response = await fetch(`${bounded.url}/mcp`, { method: "DELETE", headers: { "mcp-session-id": id } });
    expect(response.status).toBe(204);
    expect(await bounded.inspect(id)).toMatchObject({ rows: [], alarmAtMs: null });
  });

  test("what a tool remembers after that is stored no more", async () => {
    const opened = await postJson(`${bounded.url}/mcp`, initialize());
    const id = opened.headers.get("mcp-session-id") ?? "";
    const headers = { "mcp-session-id": id };
    const params = { name: "remember_afterwards", arguments: {} };
    // Its answer is a stream by then, which the end of the session ends.
    const call = await postJson(`${bounded.url}/mcp`, { jsonrpc: "2.0", id: 1, method: "tools/call", params }, headers);
    await fetch(`${bounded.url}/mcp`, { method: "DELETE", headers });
    expect(await call.text()).not.toContain("result");
    await expect.poll(() => bounded.logs()).toContain("remembered afterwards");
    expect(await bounded.inspect(id)).toMatchObject({ rows: [], alarmAtMs: null });
  });

  test("a lost client's call runs on through the grace, and is then aborted", async () => {
    const client = await RawSseClient.open(brief.url);
    await client.send("tools/call", { name: "wait", arguments: { ms: 600_000 } });
    client.close();
    const ended = () => linesOf(brief, client.sessionId).filter(({ name }) => name === "wait");
    await expect.poll(ended).toMatchObject([{ event: "call", outcome: "abandoned" }]);
    expect(ended()[0]?.["ms"]).toBeGreaterThanOrEqual(graceMs);
  });

  test("a client that leaves logs nothing above info", async () => {
    const client = await RawSseClient.open(example.url);
    await client.call("add", { a: 1, b: 1 });
    client.close();
    await client.stream.over;
    await expect.poll(async () => (await example.inspect(client.sessionId)).sockets).toBe(0);
    expect(await noiseOf(example)).toEqual([]);
  });
});
