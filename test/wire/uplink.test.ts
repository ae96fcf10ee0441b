import { request } from "node:http";
import { text as readText } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Counts } from "../../lab/bench/counts.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let metered: WorkerdProcess;
/** Two isolates that serve the same sessions. */
let split: WorkerdProcess;
beforeAll(async () => {
  [metered, split] = await Promise.all([
    startWorkerd({ main: "lab/bench/contestants/counted.ts" }),
    startWorkerd({ main: "test/fixtures/small-bounds.ts", isSplit: true, options: patient }),
  ]);
});
afterAll(() => Promise.all([metered.close(), split.close()]));

async function objectRequests(): Promise<number> {
  const counts = (await (await fetch(`${metered.url}/bench/counts`)).json()) as Counts;
  return counts.objectRequests;
}

/** A client whose POSTs go to the isolate at `base`, wherever its stream is. */
function postingTo(base: string, { stream, endpoint, base: origin }: RawSseClient): RawSseClient {
  return new RawSseClient(origin, stream, endpoint.replace(origin, base));
}

/** Status and body of a POST with the header that opens a WebSocket, which `fetch` does not send. */
function postUpgrading(url: string, message: unknown, more: Record<string, string> = {}): Promise<[number, string]> {
  const body = JSON.stringify(message);
  const headers = {
    ...more,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    accept: "application/json, text/event-stream",
    connection: "Upgrade",
    upgrade: "websocket",
  };
  return new Promise((resolve, reject) => {
    request(url, { method: "POST", headers }, (response) => {
      readText(response).then((answer) => resolve([response.statusCode ?? 0, answer]), reject);
    })
      .on("error", reject)
      .end(body);
  });
}

describe("a POST in the isolate of its stream", () => {
  test("goes over the stream's WebSocket, a twentieth of a request, also once all code is optimised", async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawSseClient.open(metered.url)));
    const before = await objectRequests();
    const callsEach = 1_000;
    await Promise.all(
      clients.map(async (client) => {
        for (let call = 0; call < callsEach; call++) await client.call("add", { a: call, b: 1 });
      }),
    );
    const carried = (clients.length * callsEach) / 20;
    const requests = (await objectRequests()) - before;
    expect(requests).toBeGreaterThan(0.99 * carried);
    // Of which nothing is heard for a while, where the machine stands still, goes by itself as well.
    expect(requests).toBeLessThan(1.1 * carried);
    for (const client of clients) client.close();
  }, 600_000);

  test("is a request of its own if it is long", async () => {
    const client = await RawSseClient.open(metered.url);
    const before = await objectRequests();
    const text = "x".repeat(64 * 1024);
    expect(textOf(await client.call("echo", { text }))).toBe(text);
    expect((await objectRequests()) - before).toBeCloseTo(1, 3);
    client.close();
  });

  test("shows its tool the headers that it came with", async () => {
    const client = await RawSseClient.open(split.url);
    const params = { name: "headers", arguments: {} };
    for (const user of ["ada", "bob", "ada", "ümläut"]) {
      await client.post({ jsonrpc: "2.0", id: user, method: "tools/call", params }, { "x-user": encodeURI(user) });
      expect(textOf(await client.stream.answerTo(user))).toBe(encodeURI(user));
    }
    await client.post({ jsonrpc: "2.0", id: "nobody", method: "tools/call", params });
    expect(textOf(await client.stream.answerTo("nobody"))).toBe("none");
    client.close();
  });

  test("does not wait for the one before it", async () => {
    const client = await RawSseClient.open(split.url);
    const slow = client.hold();
    await client.call("echo", { text: "quick" });
    await client.release();
    expect(textOf(await client.stream.answerTo(await slow))).toBe("released");
    client.close();
  });

  test("is accepted, and answered on the next stream, if its own is cut under it", async () => {
    const client = await RawSseClient.open(split.url);
    const sent = client.hold();
    // It has come as soon as another one that was sent after it is answered.
    await client.call("echo", { text: "later" });
    await client.resume();
    await client.release();
    const answered = await client.stream.answerTo(await sent);
    expect(textOf(answered)).toBe("released");
    client.close();
  });

  test("runs on each stream that the session ever has: none takes it for one of another stream", async () => {
    const client = await RawSseClient.open(split.url);
    for (let stream = 0; stream < 10; stream++) {
      for (let call = 0; call < 3; call++) {
        const text = `call ${call} on stream ${stream}`;
        expect(textOf(await client.call("echo", { text }))).toBe(text);
      }
      await client.resume();
    }
    client.close();
  });

  test("is not taken for accepted because the same one of an earlier stream is answered", async () => {
    const client = await RawSseClient.open(split.url);
    await client.resume();
    await client.stream.next(({ event }) => event === "endpoint");
    // The first of this stream, whose answer is replayed on the next one: there it is the first again.
    const params = { name: "echo", arguments: { text: "replayed" } };
    const { lastEventId } = client.stream;
    await client.post({ jsonrpc: "2.0", id: "early", method: "tools/call", params });
    await client.stream.answerTo("early");
    client.stream.close();
    client.stream = await RawStream.open(`${split.url}/sse`, { headers: { "last-event-id": lastEventId } });
    const refused = client.post({ jsonrpc: "1.0", id: "late", method: "ping" });
    await client.stream.answerTo("early");
    expect((await refused).status).toBe(400);
    client.close();
  });

  test("is told at once if the object goes away under it, and the session lives", async () => {
    const client = await RawSseClient.open(split.url);
    await fetch(`${split.url}/test/abort?id=${client.sessionId}&at=post`);
    const params = { name: "hold", arguments: {} };
    const response = await client.post({ jsonrpc: "2.0", id: "lost", method: "tools/call", params });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("Check before you send it again") as string },
    });
    expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
    client.close();
  });
});

describe("a POST of which nothing is heard", () => {
  test("goes by itself, and its stream is attached again: it is answered there, and so are those after it", async () => {
    const client = await RawSseClient.open(split.url);
    await client.call("echo", { text: "heard" });
    await fetch(`${split.url}/test/deafen?id=${client.sessionId}`);
    for (const text of ["unheard", "heard again"]) {
      expect(textOf(await client.call("echo", { text }))).toBe(text);
    }
    client.close();
  });
});

describe("a POST whose client hangs up on it", () => {
  test("harms nobody: it is answered on the stream, and its session is attached again after a crash", async () => {
    const client = await RawSseClient.open(split.url);
    const headers = { "content-type": "application/json" };
    for (const crashes of [true, false]) {
      const abort = new AbortController();
      const id = `hung up ${crashes}`;
      const params = { name: "hold", arguments: {} };
      const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
      const posted = fetch(client.endpoint, { method: "POST", headers, body, signal: abort.signal });
      // Unless the machine stood still: then it was accepted before.
      const over = posted.catch((error: unknown) => expect(String(error)).toContain("aborted"));
      await client.call("echo", { text: "later" });
      abort.abort();
      await over;
      if (crashes) {
        await fetch(`${split.url}/test/abort?id=${client.sessionId}`);
      } else {
        await client.release();
        expect(textOf(await client.stream.answerTo(id))).toBe("released");
      }
      expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
    }
    client.close();
  });
});

describe("a POST in another isolate than its stream", () => {
  test("is answered on the stream", async () => {
    for (const [streaming, posting] of [
      [split.url, split.otherUrl],
      [split.otherUrl, split.url],
    ] as const) {
      const client = postingTo(posting, await RawSseClient.connect(streaming));
      await client.initialize();
      expect(textOf(await client.call("echo", { text: "there" }))).toBe("there");
      const held = await client.hold();
      await client.resume();
      await client.release();
      expect(textOf(await client.stream.answerTo(held))).toBe("released");
      client.close();
    }
  });

  test("is taken like any other if it would upgrade to a WebSocket, on /mcp as well", async () => {
    const client = await RawSseClient.open(split.url);
    const call = { jsonrpc: "2.0", method: "tools/call", params: { name: "echo", arguments: { text: "taken" } } };
    for (const [id, { endpoint }] of [client, postingTo(split.otherUrl, client)].entries()) {
      expect(await postUpgrading(endpoint, { ...call, id })).toEqual([202, ""]);
      expect(textOf(await client.stream.answerTo(id))).toBe("taken");
    }
    client.close();
    const { url, headers } = await RawMcpClient.open(split.url);
    expect(await postUpgrading(url, { ...call, id: 1 }, headers)).toEqual([200, expect.stringContaining("taken")]);
  });

  test("is refused in the same words as in the stream's own", async () => {
    const call = { jsonrpc: "2.0", method: "tools/call", params: { name: "hold", arguments: {} } };
    const refused = [
      "{",
      '{"jsonrpc":"1.0"}',
      JSON.stringify({ ...call, id: "running" }),
      JSON.stringify(Array.from({ length: 5 }, (_none, id) => ({ ...call, id }))),
    ];
    const client = await RawSseClient.open(split.url);
    await client.post({ ...call, id: "running" });
    const statuses: number[] = [];
    for (const body of refused) {
      const [carried, asked] = await Promise.all([client.post(body), postingTo(split.otherUrl, client).post(body)]);
      expect(carried.status).toBe(asked.status);
      expect(Object.fromEntries(carried.headers)).toEqual(Object.fromEntries(asked.headers));
      expect(await carried.json()).toEqual(await asked.json());
      statuses.push(carried.status);
    }
    expect(statuses).toEqual([400, 400, 400, 429]);
    await client.release();
    client.close();
  });
});
