import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { formatFromRelay, unpackFrame } from "../../src/link/link.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, reconnect, textOf } from "../support/raw-client.ts";

const options = { keepAliveMs: 5_000, claimMs: patient.claimMs };

/** A lost client is noticed after 15 s here, at the latest; that long it is not known what has arrived. Milliseconds. */
const forgottenAfterMs = 16_000;

let weighing: EdgeServer;
beforeAll(async () => {
  weighing = await startEdge("test/fixtures/large-answers.ts", { options });
});
afterAll(() => weighing.close());

/** Its answers are in rows, and no call is. */
async function isStored(edge: EdgeServer, sessionId: string): Promise<void> {
  const rows = async (): Promise<string> => (await edge.inspect(sessionId)).rows.join();
  // Of tests that run at the same time, `expect.poll` does not know in which it is.
  await vi.waitFor(async () => expect(await rows()).toMatch(/^(?!.*call\/).*outbox\//), { timeout: 90_000 });
}

describe.concurrent("an answer that may not have arrived is there for a client", () => {
  test("that claims its session after long, from an object that was evicted meanwhile", async () => {
    const client = await RawSseClient.open(weighing.url);
    // It does not arrive, let us say: the connection is dead.
    const early = await client.call("weigh", { n: 1, bytes: 1 });
    const late = await client.send("tools/call", { name: "weigh", arguments: { n: 2, bytes: 1, ms: 500 } });
    client.close();
    await isStored(weighing, client.sessionId);
    await weighing.evict(client.sessionId);
    await passing(forgottenAfterMs);
    const { stream, ping } = await reconnect(weighing.url);
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    expect(textOf(await stream.answerTo(early["id"] as number))).toBe("1:x");
    expect(textOf(await stream.answerTo(late))).toBe("2:x");
    stream.close();
  });

  test("that was not there when it was made, however long it is away", async () => {
    const client = await RawSseClient.open(weighing.url);
    const late = await client.send("tools/call", { name: "weigh", arguments: { n: 1, bytes: 1, ms: 500 } });
    client.close();
    await isStored(weighing, client.sessionId);
    await weighing.evict(client.sessionId);
    // What was handed over is forgotten after that here, at the end of the next burst.
    await passing(forgottenAfterMs);
    const later = await client.send("tools/call", { name: "weigh", arguments: { n: 2, bytes: 1 } });
    await weighing.evict(client.sessionId);
    const { stream, ping } = await reconnect(weighing.url);
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    expect(textOf(await stream.answerTo(late))).toBe("1:x");
    expect(textOf(await stream.answerTo(later))).toBe("2:x");
    stream.close();
  });

  test("whose stream was cut again after its resume, and whose object was evicted", async () => {
    const client = await RawSseClient.open(weighing.url);
    await client.call("weigh", { n: 1, bytes: 1 });
    const headers = { "last-event-id": client.stream.lastEventId };
    const { id } = (await client.call("weigh", { n: 2, bytes: 1 })) as { id: number };
    // Evicted only when nothing is left to do: also not to keep what was sent.
    await weighing.evict(client.sessionId);
    // It knows nothing of the answer, nor does anybody know that its first two streams are dead.
    const second = await RawStream.open(`${weighing.url}/sse`, { headers });
    await second.answerTo(id);
    await weighing.evict(client.sessionId);
    const third = await RawStream.open(`${weighing.url}/sse`, { headers });
    expect(textOf(await third.answerTo(id))).toBe("2:x");
    for (const stream of [client.stream, second, third]) stream.close();
  });

  test("long after, and its object crashes before the client comes back", async () => {
    const client = await RawSseClient.open(weighing.url);
    await client.call("weigh", { n: 1, bytes: 1 });
    const headers = { "last-event-id": client.stream.lastEventId };
    const { id } = (await client.call("weigh", { n: 2, bytes: 1 })) as { id: number };
    await passing(forgottenAfterMs);
    await weighing.abort(client.sessionId);
    const next = await RawStream.open(`${weighing.url}/sse`, { headers });
    expect(textOf(await next.answerTo(id))).toBe("2:x");
    for (const stream of [client.stream, next]) stream.close();
  });
});

/** A relay whose client reads when the test says so. */
class Relay {
  /** The JSON-RPC ids of what was sent to it, in order. */
  readonly got: unknown[] = [];
  #sequence = 0;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Takes the stream of `client`, after all that this has got. */
  static async attach({ base, sessionId, stream }: RawSseClient): Promise<Relay> {
    const after = stream.lastEventId.split("/").at(-1) ?? "";
    const socket = new WebSocket(`${base.replace("http", "ws")}/test/attach?id=${sessionId}&after=${after}`);
    socket.binaryType = "arraybuffer";
    const relay = new Relay(socket);
    // As text it hears what is kept, and holds nothing itself.
    socket.addEventListener("message", ({ data }) => data instanceof ArrayBuffer && relay.#take(data));
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    return relay;
  }

  /** Its client has read all. */
  confirm(): void {
    this.#socket.send(formatFromRelay({ is: "confirmation", sequence: this.#sequence }));
  }

  close(): void {
    this.#socket.close();
  }

  #take(data: ArrayBuffer): void {
    const { sequence, frame } = unpackFrame(new Uint8Array(data));
    this.#sequence = sequence;
    this.got.push(JSON.parse(/^data: (.*)$/m.exec(new TextDecoder().decode(frame))?.[1] ?? "{}").id);
  }
}

describe("what waits until a client has read what is before it", () => {
  const large = 500_000;
  const post = async (client: RawSseClient, id: string, bytes: number): Promise<void> => {
    const params = { name: "weigh", arguments: { n: 0, bytes } };
    expect((await client.post({ jsonrpc: "2.0", id, method: "tools/call", params })).status).toBe(202);
  };
  const slowClient = async (): Promise<{ client: RawSseClient; relay: Relay }> => {
    const client = await RawSseClient.open(weighing.url);
    await client.call("weigh", { n: 0, bytes: 1 });
    const relay = await Relay.attach(client);
    for (const id of ["a", "b", "c", "d"]) await post(client, id, large);
    await expect.poll(() => relay.got).toEqual(["a", "b"]);
    return { client, relay };
  };

  test("waits through an eviction, is overtaken by nothing, and goes out once", async () => {
    const { client, relay } = await slowClient();
    await isStored(weighing, client.sessionId);
    await weighing.evict(client.sessionId);
    await post(client, "late", 1);
    relay.confirm();
    await expect.poll(() => relay.got).toContain("late");
    expect(relay.got).toEqual(["a", "b", "c", "d", "late"]);
    await weighing.evict(client.sessionId);
    await post(client, "later", 1);
    relay.confirm();
    await post(client, "last", 1);
    await expect.poll(() => relay.got).toContain("last");
    expect(relay.got).toEqual(["a", "b", "c", "d", "late", "later", "last"]);
    relay.close();
  });

  test("survives a crash of the object that comes at the sight of its 202", async () => {
    const { client, relay } = await slowClient();
    await post(client, "late", 1);
    await weighing.abort(client.sessionId);
    await client.resume();
    const ids: unknown[] = [];
    while (ids.length < 5) ids.push((await client.stream.message())["id"]);
    expect(ids).toEqual(["a", "b", "c", "d", "late"]);
    relay.close();
    client.close();
  });
});
