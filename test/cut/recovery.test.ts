import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { initialize, RawSseClient, RawStream, reconnect, release, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

/** Waits a second for a client to say which session it was in. */
let example: EdgeServer;
let bounded: EdgeServer;
beforeAll(async () => {
  [example, bounded] = await Promise.all([
    startEdge("test/fixtures/example.ts", { options: { claimMs: 1_000 } }),
    startEdge("test/fixtures/small-bounds.ts", { options: patient }),
  ]);
});
afterAll(() => Promise.all([example.close(), bounded.close()]));

describe("a stream that is cut, on /sse", () => {
  test("with Last-Event-ID, a call in flight is answered on the next stream, exactly once", async () => {
    const client = await RawSseClient.open(bounded.url);
    await client.call("echo", { text: "seen" });
    const id = await client.hold();
    await client.resume();
    expect((await client.stream.next()).event).toBe("endpoint");
    await client.release();
    expect(textOf(await client.stream.answerTo(id))).toBe("released");
    expect(client.stream.events).toEqual([]);
    client.close();
  });

  test("cut before its first message, a client names its session by the id of endpoint, and is answered", async () => {
    const client = await RawSseClient.connect(bounded.url);
    const { endpoint } = client;
    const { lastEventId } = client.stream;
    await client.post(initialize());
    const id = await client.hold();
    client.stream.close();
    client.stream = await RawStream.open(`${bounded.url}/sse`, { headers: { "last-event-id": lastEventId } });
    const again = await client.stream.next();
    expect(new URL(again.data, bounded.url).href).toBe(endpoint);
    await client.stream.answerTo("initialize");
    await client.release();
    expect(textOf(await client.stream.answerTo(id))).toBe("released");
    client.close();
  });

  test("cut again before the next message, it has its session still, and nothing twice", async () => {
    const client = await RawSseClient.open(bounded.url);
    await client.call("echo", { text: "seen" });
    const { lastEventId } = client.stream;
    for (let cut = 0; cut < 2; cut++) {
      await client.resume();
      expect(await client.stream.next()).toMatchObject({ event: "endpoint", id: lastEventId });
    }
    expect(textOf(await client.call("echo", { text: "same session" }))).toBe("same session");
    expect(client.stream.events).toEqual([]);
    client.close();
  });

  test("with Last-Event-ID, the client has its session also if the object cannot be reached for a while", async () => {
    const client = await RawSseClient.open(bounded.url);
    await client.call("echo", { text: "seen" });
    const id = await client.hold();
    await fetch(`${bounded.url}/test/hide?id=${client.sessionId}&times=5`);
    await client.resume();
    expect((await client.stream.next()).event).toBe("endpoint");
    await client.release();
    expect(textOf(await client.stream.answerTo(id))).toBe("released");
    expect(textOf(await client.call("echo", { text: "the same session" }))).toBe("the same session");
    client.close();
  });

  test("with Last-Event-ID, what was sent while nobody listened comes in order", async () => {
    const client = await RawSseClient.open(bounded.url);
    client.stream.close();
    await client.stream.over;
    const ids = [];
    for (const text of ["a", "b", "c"])
      ids.push(await client.send("tools/call", { name: "echo", arguments: { text } }));
    await client.resume();
    const answered: unknown[] = [];
    while (answered.length < 3) answered.push((await client.stream.message())["id"]);
    expect(answered).toEqual(ids);
    client.close();
  });

  test("a client that cannot say where it was claims its session by answering a ping, and gets what it missed", async () => {
    const client = await RawSseClient.open(bounded.url);
    const id = await client.hold();
    client.stream.close();
    const { stream, ping } = await reconnect(bounded.url);
    expect(ping["id"]).toMatch(/^claim:[0-9a-f]{96}\.0$/);
    expect((await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} })).status).toBe(202);
    await client.release();
    expect(textOf(await stream.answerTo(id))).toBe("released");
    client.stream = stream;
    expect(textOf(await client.call("echo", { text: "on the claimed stream" }))).toBe("on the claimed stream");
    expect(stream.events.filter(({ event }) => event === "endpoint")).toEqual([]);
    client.close();
  });

  test("a claim that met a crash is asked for again, under another id", async () => {
    const client = await RawSseClient.open(bounded.url);
    client.stream.close();
    const { stream, ping } = await reconnect(bounded.url);
    await bounded.abort(client.sessionId);
    const second = await stream.message((message) => message["method"] === "ping");
    expect(second["id"]).not.toBe(ping["id"]);
    // Both answers come, as those of a client do whose first one was only slow.
    for (const { id } of [second, ping]) await client.post({ jsonrpc: "2.0", id, result: {} });
    client.stream = stream;
    expect(textOf(await client.call("echo", { text: "claimed" }))).toBe("claimed");
    client.close();
  });

  test("nothing of the fresh object remains after a claim", async () => {
    const client = await RawSseClient.open(bounded.url);
    client.stream.close();
    const { stream, ping } = await reconnect(bounded.url);
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    client.stream = stream;
    await client.call("echo", { text: "x" });
    const freshId = /[0-9a-f]{64}/.exec(String(ping["id"]))?.[0] ?? "";
    expect(await bounded.inspect(freshId)).toMatchObject({ rows: [], alarmAtMs: null });
    client.close();
  });

  test("a client that claims nothing is given a new session, and is served there", async () => {
    const { stream, ping } = await reconnect(example.url);
    const endpoint = await stream.next((event) => event.event === "endpoint");
    const client = new RawSseClient(example.url, stream, new URL(endpoint.data, example.url).href);
    expect(String(ping["id"])).toContain(client.sessionId);
    expect(textOf(await client.call("add", { a: 1, b: 1 }))).toBe("2");
    await client.initialize();
    const id = await client.send("tools/call", { name: "countdown", arguments: { from: 1, stepMs: 100 } });
    stream.close();
    client.stream = await RawStream.open(`${example.url}/sse`, { headers: { "last-event-id": endpoint.id ?? "" } });
    expect(textOf(await client.stream.answerTo(id))).toBe("Counted down from 1.");
    client.close();
  });

  test("a claim for an object that does not exist harms nobody", async () => {
    const client = await RawSseClient.open(bounded.url);
    for (const id of ["claim:", `claim:${"0".repeat(64)}.0`]) {
      expect((await client.post({ jsonrpc: "2.0", id, result: {} })).status).toBe(202);
    }
    expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
    client.close();
  });

  test("Last-Event-ID of a session that has ended gives a new one", async () => {
    const headers = { "last-event-id": `${"0".repeat(64)}/sse/1` };
    const stream = await RawStream.open(`${bounded.url}/sse`, { headers });
    expect((await stream.next()).event).toBe("endpoint");
    stream.close();
  });

  test("the newest stream wins; the older one ends in order and is told to wait before it comes back", async () => {
    const client = await RawSseClient.open(bounded.url);
    await client.call("echo", { text: "x" });
    const older = client.stream;
    client.stream = await RawStream.open(`${bounded.url}/sse`, { headers: { "last-event-id": older.lastEventId } });
    expect(await older.over).toBe("ended");
    expect(older.retries.at(-1)).toBeGreaterThanOrEqual(5_000);
    expect(textOf(await client.call("echo", { text: "newest" }))).toBe("newest");
    client.close();
  });

  test("two clients that fight over one session do not throw each other out again and again", async () => {
    const client = await RawSseClient.open(bounded.url);
    await client.call("echo", { text: "x" });
    const headers = { "last-event-id": client.stream.lastEventId };
    const endsAtMs = Date.now() + 2_000;
    let opened = 0;
    const fighter = async (): Promise<void> => {
      while (Date.now() < endsAtMs) {
        const stream = await RawStream.open(`${bounded.url}/sse`, { headers });
        opened += 1;
        const ended = await Promise.race([stream.over, passing(2_000)]);
        stream.close();
        // As an EventSource does: it comes back when it was told to, and these have no time for that.
        if (ended === "ended" && (stream.retries.at(-1) ?? 0) > 2_000) return;
      }
    };
    await Promise.all([fighter(), fighter()]);
    expect(opened).toBeLessThanOrEqual(3);
    client.close();
  });
});

describe("a stream that is cut, on /mcp", () => {
  test("a call whose POST stream was cut is finished, and its answer is there for the resume", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const cut = await client.callAsStream("hold");
    await expect.poll(() => cut.lastEventId).not.toBe("");
    cut.close();
    const resumed = await client.listen(cut.lastEventId);
    await client.post(release);
    expect(textOf(await resumed.answerTo(1))).toBe("released");
    expect(await resumed.over).toBe("ended");
  });

  test("resumed after the answer was made, it is replayed and the stream ends", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const cut = await client.callAsStream("hold");
    await expect.poll(() => cut.lastEventId).not.toBe("");
    const { lastEventId } = cut;
    cut.close();
    await client.post(release);
    await expect.poll(async () => (await bounded.inspect(client.sessionId)).rows.join()).toContain("outbox/");
    const resumed = await client.listen(lastEventId);
    expect(textOf(await resumed.answerTo(1))).toBe("released");
    expect(await resumed.over).toBe("ended");
  });

  test("only the stream that was cut is replayed", async () => {
    const client = await RawMcpClient.open(example.url);
    const other = await client.callAsStream("countdown", { from: 2, stepMs: 1 });
    await other.over;
    const cut = await client.callAsStream("countdown", { from: 3, stepMs: 300 }, { progressToken: "t" });
    // However much of the rest has come by the time of the cut.
    const { id: firstEventId } = await cut.next();
    cut.close();
    const resumed = await client.listen(firstEventId);
    await resumed.over;
    expect(resumed.events.flatMap(({ data }) => (JSON.parse(data) as { id?: number }).id ?? [])).toEqual([2]);
  });

  test("crashed during a call, the POST stream breaks and the resume has the answer", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const cut = await client.callAsStream("hold_again");
    await expect.poll(() => cut.lastEventId).not.toBe("");
    await bounded.abort(client.sessionId);
    expect(await cut.over).toBe("broken");
    const resumed = await client.listen(cut.lastEventId);
    await client.post(release);
    expect(textOf(await resumed.answerTo(1))).toBe("released");
  });

  test("crashed while it carries much, the resume has all but the last 1.5 MB of it", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const bytes = 125_000;
    const said = { way: "notification", bytes, times: 20, thenWaitMs: 600_000 };
    const cut = await client.callAsStream("say", said);
    const ids: (string | undefined)[] = [];
    while (ids.length < said.times) ids.push((await cut.next(({ data }) => data.length > bytes)).id);
    await bounded.abort(client.sessionId);
    expect(await cut.over).toBe("broken");
    const resumed = await client.listen(ids[0]);
    await resumed.answerTo(1);
    const replayed = resumed.events.filter(({ data }) => data.length > bytes).map(({ id }) => id);
    const surelyStored = ids.slice(1, said.times - Math.ceil(1_500_000 / bytes));
    expect(replayed.slice(0, surelyStored.length)).toEqual(surelyStored);
  });

  test("the listening stream stays open when the object crashes, and resumes when it is cut", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const first = await client.listen();
    await client.call("add_tool", { name: "one" });
    await first.message();
    const { lastEventId } = first;
    first.close();
    await first.over;
    await client.call("add_tool", { name: "two" });
    const resumed = await client.listen(lastEventId);
    expect((await resumed.message())["method"]).toBe("notifications/tools/list_changed");
    expect(resumed.events.filter(({ data }) => data.includes("list_changed"))).toEqual([]);
    await bounded.abort(client.sessionId);
    await client.call("add_tool", { name: "three" });
    expect((await resumed.message())["method"]).toBe("notifications/tools/list_changed");
    resumed.close();
  });
});
