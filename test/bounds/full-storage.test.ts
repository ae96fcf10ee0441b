import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../support/digest.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

let bounded: EdgeServer;
/** Its sessions end a second and a half after their clients have left. */
let brief: EdgeServer;
let fragile: EdgeServer;
beforeAll(async () => {
  [bounded, brief, fragile] = await Promise.all([
    startEdge("test/fixtures/small-bounds.ts", { options: patient }),
    startEdge("test/fixtures/small-bounds.ts"),
    startEdge("test/fixtures/fragile.ts"),
  ]);
});
afterAll(() => Promise.all([bounded.close(), brief.close(), fragile.close()]));

/** The next `times` writes of the session fail, after `after` more. */
async function refuseWrites({ base, sessionId }: RawSseClient, times = 1_000, after = 0): Promise<void> {
  await fetch(`${base}/test/full?id=${sessionId}&times=${times}&after=${after}`);
}

const wait = (ms: number) => ({ name: "wait", arguments: { ms } });

describe("a session that the platform lets store nothing", () => {
  test("accepts and answers calls, also those that it cannot write down, and the log says why", async () => {
    const client = await RawSseClient.open(bounded.url);
    await refuseWrites(client);
    expect(textOf(await client.call("echo", { text: "quick" }))).toBe("quick");
    const body = { jsonrpc: "2.0", id: "long", method: "tools/call", params: wait(400) };
    expect((await client.post(body)).status).toBe(202);
    expect(textOf(await client.stream.answerTo("long"))).toBe("waited");
    const logs = () => bounded.logs().join("\n");
    await expect.poll(logs).toContain('{"event":"not-stored","error":"Error: Exceeded allowed rows written"}');
    client.close();
  });

  test("answers a call that it had written down before", async () => {
    const client = await RawSseClient.open(bounded.url);
    const id = await client.hold();
    await expect.poll(async () => (await bounded.inspect(client.sessionId)).rows.join()).toContain("call/");
    await refuseWrites(client);
    await client.release();
    expect(textOf(await client.stream.answerTo(id))).toBe("released");
    client.close();
  });

  test("hibernates and goes on, as long as its stream is open", async () => {
    const client = await RawSseClient.connect(bounded.url);
    await refuseWrites(client);
    await client.initialize();
    expect(textOf(await client.call("echo", { text: "before" }))).toBe("before");
    await bounded.evict(client.sessionId);
    expect(textOf(await client.call("echo", { text: "after" }))).toBe("after");
    client.close();
  });

  test("tells a tool that its memory is not stored", async () => {
    const client = await RawSseClient.open(bounded.url);
    await refuseWrites(client);
    const answer = await client.call("remember_late", { ms: 0 });
    expect(answer).toMatchObject({ result: { isError: true } });
    expect(textOf(answer)).toContain("Exceeded allowed rows written");
    client.close();
  });

  test("is stored as soon as it may be", async () => {
    // Alone, so that all that is logged is of this session.
    const edge = await startEdge("test/fixtures/small-bounds.ts", { options: patient });
    const client = await RawSseClient.connect(edge.url);
    await refuseWrites(client, 1);
    await client.initialize();
    const refusals = (): string[] => edge.logs().filter((line) => line.includes("not-stored"));
    await expect.poll(refusals).toHaveLength(1);
    await client.stream.answerTo(await client.send("tools/call", wait(400)));
    const { rows, alarmAtMs } = await edge.inspect(client.sessionId);
    expect(rows).toContain("handshake");
    expect(alarmAtMs).not.toBeNull();
    // What was logged before the line of the call has come with it.
    await expect.poll(() => edge.logs().join("\n")).toContain('"name":"wait"');
    expect(refusals()).toHaveLength(1);
    client.close();
    await edge.close();
  });
});

/** Its client leaves, and its object dies: only the alarm can wake it. */
async function forsake(client: RawSseClient): Promise<void> {
  client.close();
  await expect.poll(async () => (await brief.inspect(client.sessionId)).sockets).toBe(0);
  await brief.abort(client.sessionId);
}

/** The writes before that which is refused, of those for a call that takes long. */
const [beforeWatch, beforeAlarm] = [1, 2];

describe("a session that the platform does not let watch over a call", () => {
  test("watches over the next one, which is answered and leaves nothing behind, also if nobody else wakes it", async () => {
    const client = await RawSseClient.open(brief.url);
    await refuseWrites(client, 1, beforeWatch);
    await client.stream.answerTo(await client.send("tools/call", wait(400)));
    await client.send("tools/call", wait(600_000));
    await forsake(client);
    await expect
      .poll(() => brief.inspect(client.sessionId), { interval: 500 })
      .toMatchObject({ rows: [], alarmAtMs: null });
  });

  test("does so with the next message", async () => {
    const client = await RawSseClient.open(brief.url);
    await refuseWrites(client, 1, beforeAlarm);
    await client.send("tools/call", wait(600_000));
    await client.post({ jsonrpc: "2.0", id: "ping", method: "ping" });
    await forsake(client);
    await expect
      .poll(() => brief.inspect(client.sessionId), { interval: 500 })
      .toMatchObject({ rows: [], alarmAtMs: null });
  });
});

describe("a session that the platform lets store a part of a value only", () => {
  test("takes POSTs after an eviction, though a long call was half written down", async () => {
    const client = await RawSseClient.open(fragile.url);
    await refuseWrites(client, 1, 1);
    await client.send("tools/call", { name: "wait", arguments: { ms: 800, of: "x".repeat(900_000) } });
    await fragile.evict(client.sessionId);
    expect((await client.post({ jsonrpc: "2.0", id: "ping", method: "ping" })).status).toBe(202);
    await client.stream.answerTo("ping");
    expect((await fragile.inspect(client.sessionId)).rows.filter((row) => row.startsWith("call/"))).toEqual([]);
    client.close();
  });

  test("remembers what it remembered before, whether that was longer or shorter", async () => {
    const client = await RawSseClient.open(fragile.url);
    await client.call("remember", { text: "a", times: 900_000 });
    for (const times of [600_000, 1]) {
      await refuseWrites(client, 1, 1);
      const refused = await client.call("remember", { text: "b", times });
      expect(refused).toMatchObject({ result: { isError: true } });
      expect(digest(textOf(await client.call("recall")))).toBe(digest("a".repeat(900_000)));
    }
    client.close();
  });
});
