import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { logName } from "../support/log-name.ts";

let edge: EdgeServer;
/** Waits for its clients for a second. */
let brief: EdgeServer;
beforeAll(async () => {
  const main = "test/fixtures/small-bounds.ts";
  [edge, brief] = await Promise.all([startEdge(main, { options: { ...patient, keepAliveMs: 100 } }), startEdge(main)]);
});
afterAll(() => Promise.all([edge.close(), brief.close()]));

describe("opening a stream", () => {
  test.each(["/sse", "/SSE", "/sse/"])("GET %s is answered with endpoint first, once", async (path) => {
    const stream = await RawStream.open(edge.url + path);
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    const first = await stream.next();
    expect(first.event).toBe("endpoint");
    expect(first.data).toMatch(/^\/sse\/message\?sessionId=[0-9a-f]{96}$/i);
    await expect.poll(() => stream.comments.length).toBeGreaterThan(1);
    expect(stream.events).toEqual([]);
    stream.close();
  });

  test("an idle stream gets comments, and no event but endpoint", async () => {
    const client = await RawSseClient.connect(edge.url);
    await expect.poll(() => client.stream.comments).toEqual(expect.arrayContaining(["keep-alive"]));
    expect(client.stream.events).toEqual([]);
    client.close();
  });

  test("a stream that only probed leaves nothing stored", async () => {
    const client = await RawSseClient.connect(edge.url);
    expect((await edge.inspect(client.sessionId)).rows).toEqual([]);
    client.close();
    await expect.poll(async () => (await edge.inspect(client.sessionId)).sockets).toBe(0);
    expect(await edge.inspect(client.sessionId)).toMatchObject({ rows: [], alarmAtMs: null });
  });
});

describe("talking", () => {
  let client: RawSseClient;
  beforeAll(async () => {
    client = await RawSseClient.open(edge.url, { sampling: {} });
  });
  afterAll(() => client.close());

  test("a POST is answered 202 without a body, and the answer comes on the stream with an id to resume from", async () => {
    const response = await client.post({ jsonrpc: "2.0", id: "p", method: "ping" });
    expect([response.status, await response.text()]).toEqual([202, ""]);
    const event = await client.stream.next((candidate) => candidate.data.includes('"id":"p"'));
    expect(event.id).toMatch(new RegExp(`^${client.sessionId}/sse/[0-9]+$`));
  });

  test("no line break of Unicode is in a message as it is, whoever said it: some clients end a line there", async () => {
    const breaks = "a\u0085b\u2028c\u2029d";
    for (const method of ["tools/call", `no/${breaks}`]) {
      const params = { name: "echo", arguments: { text: breaks } };
      await client.post({ jsonrpc: "2.0", id: breaks, method, params });
      const { data } = await client.stream.next((event) => (JSON.parse(event.data) as { id?: unknown }).id === breaks);
      expect(data).not.toMatch(/[\u0085\u2028\u2029]/);
      expect(data).toContain(String.raw`a\u0085b\u2028c\u2029d`);
    }
  });

  test("a call's line in the log holds little of what its client says, and names only", async () => {
    const long = "x".repeat(10_000);
    for (const [method, params] of [
      ["tools/call", { name: long }],
      [long, {}],
      ["tools/call", { name: { is: long } }],
    ] as const) {
      await client.request(method, params);
    }
    const lines = (): string[] => edge.logs().filter((line) => line.includes('"error"') && line.includes(session));
    const session = logName(client.sessionId);
    await expect.poll(() => lines().length).toBeGreaterThanOrEqual(3);
    for (const line of lines()) expect(line.length).toBeLessThan(700);
    expect(lines().at(-1)).not.toContain('"name"');
  });

  test("each request of a batch is answered", async () => {
    const batch = ["b1", "b2", "b3"].map((id) => ({ jsonrpc: "2.0", id, method: "ping" }));
    expect((await client.post(batch)).status).toBe(202);
    for (const id of ["b1", "b2", "b3"]) expect(await client.stream.answerTo(id)).toMatchObject({ result: {} });
  });

  test("the server's ping reaches the client, and its answer the tool", async () => {
    const id = await client.send("tools/call", { name: "ping_client", arguments: {} });
    const ping = await client.stream.message((message) => message["method"] === "ping");
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    expect(textOf(await client.stream.answerTo(id))).toBe("the client is there");
  });

  test("the server's sampling request reaches a client that declared it", async () => {
    const id = await client.send("tools/call", { name: "sample", arguments: {} });
    const asked = await client.stream.message((message) => message["method"] === "sampling/createMessage");
    const result = { role: "assistant", content: { type: "text", text: "hello" }, model: "m" };
    await client.post({ jsonrpc: "2.0", id: asked["id"], result });
    expect(textOf(await client.stream.answerTo(id))).toContain("hello");
  });

  test("a client that declared no sampling is not asked: the tool is refused at once, and the capability named", async () => {
    const other = await RawSseClient.open(edge.url);
    const answer = await other.call("sample");
    expect(answer["result"]).toMatchObject({ isError: true });
    expect(textOf(answer)).toContain("sampling");
    other.close();
  });

  test("a tool added at run time is announced on the open stream, and can be called", async () => {
    await client.call("add_tool", { name: "late" });
    await client.stream.message((message) => message["method"] === "notifications/tools/list_changed");
    expect(textOf(await client.call("late"))).toBe("I am late");
  });

  test("a tool sees the headers of the POST that called it, also after an eviction", async () => {
    const callAs = async (id: string, user: string): Promise<string> => {
      const params = { name: "headers", arguments: {} };
      await client.post({ jsonrpc: "2.0", id, method: "tools/call", params }, { "x-user": user });
      return textOf(await client.stream.answerTo(id));
    };
    expect(await callAs("h1", "ada")).toBe("ada");
    await edge.evict(client.sessionId);
    expect(await callAs("h2", "grace")).toBe("grace");
  });

  test("a call before initialize is served", async () => {
    const early = await RawSseClient.connect(edge.url);
    expect(textOf(await early.call("echo", { text: "early" }))).toBe("early");
    early.close();
  });

  test("initialize and 20 calls in parallel are each answered once", async () => {
    const example = await startEdge();
    const eager = await RawSseClient.connect(example.url);
    const calls = Array.from({ length: 20 }, (_, n) => eager.call("add", { a: n, b: n }));
    const [initialized, ...answers] = await Promise.all([eager.initialize(), ...calls]);
    expect(initialized).toMatchObject({ result: { serverInfo: { name: "mcp-edge" } } });
    expect(answers.map(textOf)).toEqual(Array.from({ length: 20 }, (_, n) => String(2 * n)));
    expect(eager.stream.events).toEqual([]);
    eager.close();
    await example.close();
  });
});

describe("long calls", () => {
  test("a call that runs long reports progress by itself, increasing, if its client gave a token", async () => {
    const client = await RawSseClient.open(edge.url);
    const answer = client.call("hold", {}, { progressToken: "t" });
    const seen: number[] = [];
    for (let count = 0; count < 3; count++) {
      const { params } = await client.stream.message((message) => message["method"] === "notifications/progress");
      const { progressToken, progress } = params as { progressToken: string; progress: number };
      expect(progressToken).toBe("t");
      seen.push(progress);
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    await client.release();
    expect(textOf(await answer)).toBe("released");
    client.close();
  });

  test.each([5e10, 1e300])("progress increases also from %d on", async (progress) => {
    const client = await RawSseClient.open(edge.url);
    const answer = client.call("tell_and_hold", { progress }, { progressToken: "t" });
    const seen: number[] = [];
    for (let count = 0; count < 3; count++) {
      const { params } = await client.stream.message((message) => message["method"] === "notifications/progress");
      seen.push((params as { progress: number }).progress);
    }
    expect(seen[0]).toBe(progress);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    await client.release();
    expect(textOf(await answer)).toBe("told");
    client.close();
  });

  test("a cancelled call's signal fires at once, from any POST, and it is not answered", async () => {
    const client = await RawSseClient.open(edge.url);
    const id = await client.send("tools/call", { name: "wait", arguments: { ms: 60_000 } });
    await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
    await expect.poll(() => edge.logs().join("\n")).toContain('"cancelled"');
    // The id is free again: the call is over.
    await client.post({ jsonrpc: "2.0", id, method: "ping" });
    expect(await client.stream.answerTo(id)).toMatchObject({ result: {} });
    client.close();
  });

  test("a tool that waits for its client is refused at maxWaitForClientMs", async () => {
    const client = await RawSseClient.open(brief.url, { sampling: {} });
    await expectRefusal(client.stream, await client.send("tools/call", { name: "sample", arguments: {} }));
    client.close();
  });

  test("likewise over /mcp, on the stream of the call", async () => {
    const client = await RawMcpClient.open(brief.url, { sampling: {} });
    await expectRefusal(await client.callAsStream("sample"), 1);
  });
});

/** What the client shows to a person is to go away. */
async function expectRefusal(stream: RawStream, id: number): Promise<void> {
  const asked = await stream.message(({ method }) => method === "sampling/createMessage");
  expect(textOf(await stream.answerTo(id))).toMatch(/did not answer within 1000 ms/);
  const { params } = await stream.message(({ method }) => method === "notifications/cancelled");
  expect(params).toMatchObject({ requestId: asked["id"] });
}
