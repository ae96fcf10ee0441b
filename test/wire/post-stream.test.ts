import { on } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as passing } from "node:timers/promises";
import {
  Client as ClientV2,
  type FetchLike,
  StreamableHTTPClientTransport as HttpTransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpTransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { RawStream, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";
import { logName } from "../support/log-name.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/post-stream.ts" });
});
afterAll(() => server.close());

/** That of the fixture, milliseconds. */
const reconnectGraceMs = 12_000;

const call = (id: string, name: string, args: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

const isLog = ({ data }: { data: string }): boolean => data.includes("notifications/message");

/** What a log message says, up to its colon. */
const labelOf = ({ data }: { data: string }): string =>
  (JSON.parse(data) as { params: { data: string } }).params.data.split(":")[0] ?? "";

describe("a call that says more than may wait for its client", () => {
  test.each([
    ["in many messages", { times: 20, bytes: 100_000, answerBytes: 5 }],
    ["in one message", { times: 1, bytes: 1_500_000, answerBytes: 5 }],
    ["in its answer too", { times: 3, bytes: 600_000, answerBytes: 1_500_000 }],
  ])("%s at once is heard in full, in order, by a client that reads", async (_how, args) => {
    const client = await RawMcpClient.open(server.url);
    const stream = await client.callAsStream("talk", args);
    expect(await stream.over).toBe("ended");
    expect(stream.events.filter(isLog).map(labelOf)).toEqual(Array.from({ length: args.times }, (_, n) => String(n)));
    expect(textOf(await stream.answerTo(1))).toHaveLength(args.answerBytes);
  });

  /** POSTs `body` by a socket of its own, and stops to read once the first message is there. */
  async function postAndStopReading(client: RawMcpClient, body: string): Promise<{ head: string; socket: Socket }> {
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port) });
    const headers = {
      ...client.headers,
      host: "localhost",
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "content-length": String(body.length),
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(["POST /mcp HTTP/1.1", ...lines, "", body].join("\r\n"));
    let head = "";
    for await (const chunk of on(socket, "data")) {
      head += String(chunk);
      if (head.includes("data: {")) break;
    }
    socket.pause();
    // It is cut off while it does not look.
    socket.on("error", () => undefined);
    return { head, socket };
  }

  test("is closed if its client does not read; new calls are refused until then, and it can resume", async () => {
    const client = await RawMcpClient.open(server.url, {}, "2025-03-26");
    const answerBytes = 1_000_000;
    const ids = Array.from({ length: 16 }, (_, n) => `t${n}`);
    const batch = ids.map((id) => call(id, "talk", { times: 1, bytes: 1, answerBytes }));
    const { head, socket } = await postAndStopReading(client, JSON.stringify(batch));
    // As soon as so many of them are there that nothing more fits beside them.
    let refusal = await client.call("wait", { ms: 0 });
    while (refusal.status === 200) refusal = await client.call("wait", { ms: 0 });
    expect(refusal.status).toBe(429);
    expect(await refusal.text()).toContain("read them first");

    // It is closed at the second keep-alive at which it has read nothing, and then holds up nobody.
    await expect.poll(async () => (await client.call("wait", { ms: 0 })).status).toBe(200);
    const resumed = await client.listen(/^id: (\S+)/m.exec(head)?.[1]);
    // Of what nobody was there for the oldest made room for those calls.
    expect(await resumed.over).toBe("ended");
    const answers = resumed.events.map(({ data }): Record<string, unknown> => JSON.parse(data));
    const left = answers.filter((message) => !("method" in message));
    expect(left.map(({ id }) => id)).toEqual(ids.slice(-left.length));
    const outcomes = left.map((answer) => summaryOf(answer, answerBytes));
    // One that does not fit may have one behind it that does: what lies in sockets on the way moves on when it likes.
    const refused = outcomes.filter((outcome) => outcome !== "whole");
    expect(outcomes.length - refused.length).toBeGreaterThanOrEqual(3);
    const advice = "The result of tools/call does not fit beside what its client has not read yet. Read that first.";
    expect(refused).toEqual(refused.map(() => `${advice} Ask for less at once.`));
    expect(refused).not.toEqual([]);
    socket.destroy();
  });
});

/** An answer in a word, or the error that it is. */
function summaryOf(answer: Record<string, unknown>, bytes: number): unknown {
  const error = answer["error"] as { message: string } | undefined;
  return error === undefined && textOf(answer).length === bytes ? "whole" : (error?.message ?? answer);
}

describe("answers that nobody came back for", () => {
  /** Calls the tool, and is gone before its answer: what it says meanwhile shows that nobody is there. */
  async function callAndLeave(client: RawMcpClient, answerBytes: number): Promise<string> {
    const stream = await client.callAsStream("talk", { times: 8, bytes: 1, answerBytes, gapMs: 100 });
    await stream.message();
    stream.close();
    await (await client.call("release")).text();
    return stream.lastEventId;
  }

  test("do not keep a session from new calls, and the latest are there for a resume", async () => {
    const client = await RawMcpClient.open(server.url, {}, "2025-06-18");
    const left: string[] = [];
    for (let n = 0; n < 6; n++) left.push(await callAndLeave(client, 1_000_000));
    const isAnswered = (line: string): boolean =>
      [`"session":"${logName(client.sessionId)}"`, '"name":"talk","outcome":"ok"'].every((part) => line.includes(part));
    await expect.poll(() => server.output().split("\n").filter(isAnswered).length).toBe(left.length);
    expect(textOf(await (await client.call("wait", { ms: 0 })).json())).toBe("waited");
    for (const id of left.slice(-3)) {
      const resumed = await client.listen(id);
      expect(textOf(await resumed.message((message) => "result" in message))).toHaveLength(1_000_000);
    }
  });

  test("are forgotten after reconnectGraceMs", async () => {
    const client = await RawMcpClient.open(server.url, {}, "2025-06-18");
    const outboxRows = async (): Promise<string[]> => {
      const response = await fetch(`${server.url}/test/inspect?id=${client.sessionId}`);
      const { rows } = (await response.json()) as Inspection;
      return rows.filter((row) => row.startsWith("outbox/"));
    };
    await callAndLeave(client, 1_000_000);
    await expect.poll(outboxRows).not.toEqual([]);
    const first = await outboxRows();
    await expect
      .poll(async () => {
        // What is old goes when something new is written.
        await callAndLeave(client, 1);
        const rows = await outboxRows();
        return first.filter((row) => rows.includes(row));
      })
      .toEqual([]);
  });
});

test("a batch of which one call is cancelled is answered by the array of the others", async () => {
  const client = await RawMcpClient.open(server.url, {}, "2025-03-26");
  const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "slow" } };
  // The cancellation is of the same POST: it comes within `journalAfterMs`.
  const batch = [
    call("one", "wait", { ms: 0 }),
    call("slow", "wait", { ms: 60_000 }),
    call("two", "hang_up"),
    cancelled,
  ];
  const response = await client.post(batch);
  expect(response.headers.get("content-type")).toBe("application/json");
  const answers = (await response.json()) as Record<string, unknown>[];
  expect(Object.fromEntries(answers.map((answer) => [answer["id"], textOf(answer)]))).toEqual({
    one: "waited",
    two: "hung up",
  });
});

describe("a tool that ends its connection and has its client poll", () => {
  test("can do so again and again, and its client has the grace each time", async () => {
    const client = await RawMcpClient.open(server.url);
    const first = await client.callAsStream("hold");
    await client.call("hang_up");
    expect(await first.over).toBe("ended");
    // Longer than the grace: it counts from the last time that the client was there.
    const second = await client.listen(first.lastEventId);
    await passing(reconnectGraceMs + 1_000);
    await client.call("hang_up");
    expect(await second.over).toBe("ended");
    // Time for whoever aborts the calls of clients that are gone.
    expect(await (await client.call("wait", { ms: 2_000 })).text()).toContain("waited");
    const third = await client.listen(second.lastEventId);
    await client.call("release");
    expect(textOf(await third.answerTo(1))).toBe("held");
  });

  test("loses no answer that its batch has already", async () => {
    const client = await RawMcpClient.open(server.url);
    const quick = { jsonrpc: "2.0", id: "quick", method: "ping" };
    // Within `journalAfterMs`: what is answered is held until then, as it may all be JSON yet.
    const posted = await client.post([quick, call("slow", "hold"), call("end", "hang_up", { afterMs: 20 })]);
    const stream = new RawStream(posted, new AbortController());
    expect((await stream.answerTo("quick"))["result"]).toEqual({});
    expect(await stream.over).toBe("ended");
  });
});

describe("a POST's stream that is resumed", () => {
  test("begins with the id that it was resumed from: if nothing comes before the next cut, that still says where it was", async () => {
    const client = await RawMcpClient.open(server.url);
    const cut = await client.callAsStream("hold");
    await expect.poll(() => cut.lastEventId).not.toBe("");
    cut.close();
    const resumed = await client.listen(cut.lastEventId);
    await expect.poll(() => resumed.lastEventId).toBe(cut.lastEventId);
    await client.call("release");
    expect(textOf(await resumed.answerTo(1))).toBe("held");
  });

  test("is refused with 405 if it has nothing more to carry, as a client then asks no more", async () => {
    const client = await RawMcpClient.open(server.url);
    const stream = await client.callAsStream("wait", { ms: 300 });
    await stream.answerTo(1);
    const { response } = await client.listen(stream.lastEventId);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST, DELETE");
    expect(await stream.over).toBe("ended");
  });

  const args = { name: "wait", arguments: { ms: 60_000 } };
  const connecting = {
    v1: async (fetch: FetchLike) => {
      const client = new ClientV1({ name: "canceller", version: "1.0.0" });
      await client.connect(new HttpTransportV1(new URL(`${server.url}/mcp`), { fetch }));
      const callTool = (params: typeof args, signal?: AbortSignal): Promise<unknown> =>
        client.callTool(params, undefined, signal && { signal });
      return { callTool, close: () => client.close() };
    },
    v2: async (fetch: FetchLike) => {
      const client = new ClientV2({ name: "canceller", version: "1.0.0" });
      await client.connect(new HttpTransportV2(new URL(`${server.url}/mcp`), { fetch }));
      const callTool = (params: typeof args, signal?: AbortSignal): Promise<unknown> =>
        client.callTool(params, signal && { signal });
      return { callTool, close: () => client.close() };
    },
  };

  test.each(["v1", "v2"] as const)(
    "is not asked for again and again by SDK %s when its call is cancelled",
    async (sdk) => {
      const seen = { GET: [] as number[], POST: [] as number[] };
      const client = await connecting[sdk](async (url, init) => {
        const response = await fetch(url, init);
        seen[(init?.method ?? "GET") as keyof typeof seen].push(response.status);
        return response;
      });
      // The listening stream is open, and three messages are said: initialize, that it is done, and the call.
      const abort = new AbortController();
      const calling = client.callTool(args, abort.signal);
      await expect.poll(() => seen).toEqual({ GET: [200], POST: [200, 202, 200] });
      abort.abort("the user said so");
      await expect(calling).rejects.toThrow("the user said so");
      await expect.poll(() => seen.GET).toEqual([200, 405]);
      // Longer than it waits to reconnect, many times.
      await client.callTool({ name: "wait", arguments: { ms: 2_000 } });
      expect(seen.GET).toEqual([200, 405]);
      await client.close();
    },
  );
});
