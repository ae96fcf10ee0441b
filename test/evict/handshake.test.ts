import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { initialize, RawSseClient, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

let edge: EdgeServer;
let bounded: EdgeServer;
beforeAll(async () => {
  [edge, bounded] = await Promise.all([
    startEdge("test/fixtures/counted-builds.ts"),
    startEdge("test/fixtures/small-bounds.ts", { options: patient }),
  ]);
});
afterAll(() => Promise.all([edge.close(), bounded.close()]));

describe("what a client said once", () => {
  test("and was refused is not remembered: capabilities and level stay what they were", async () => {
    const client = await RawSseClient.open(edge.url, { sampling: {} });
    await client.request("logging/setLevel", { level: "error" });
    expect(await client.request("initialize", { capabilities: {} })).toHaveProperty("error");
    expect(await client.request("logging/setLevel", { level: "nonsense" })).toHaveProperty("error");
    await edge.evict(client.sessionId);
    const id = await client.send("tools/call", { name: "sample", arguments: {} });
    const asked = await client.stream.message(({ method }) => method === "sampling/createMessage");
    const result = { role: "assistant", model: "m", content: { type: "text", text: "hello" } };
    await client.post({ jsonrpc: "2.0", id: asked["id"], result });
    expect(textOf(await client.stream.answerTo(id))).toContain("hello");
    await client.call("announce", { level: "info" });
    expect(client.stream.events).toEqual([]);
    client.close();
  });

  test("its log level holds for what the server says by itself, also after an eviction", async () => {
    const client = await RawSseClient.open(edge.url);
    await client.call("announce", { level: "info" });
    expect(await client.stream.message()).toMatchObject({ params: { data: "this is info" } });
    await client.request("logging/setLevel", { level: "error" });
    for (let round = 0; round < 2; round++) {
      await client.call("announce", { level: "info" });
      await client.call("announce", { level: "error" });
      expect(await client.stream.message()).toMatchObject({ params: { data: "this is error" } });
      expect(client.stream.events).toEqual([]);
      await edge.evict(client.sessionId);
    }
    client.close();
  });

  test("a client that never initialized has its session all the same, from its first call on", async () => {
    const client = await RawSseClient.connect(bounded.url);
    await client.call("echo", { text: "seen" });
    client.stream.close();
    const quick = await client.send("tools/call", { name: "echo", arguments: { text: "while nobody listened" } });
    const long = await client.send("tools/call", { name: "wait", arguments: { ms: 400 } });
    await client.resume();
    expect((await client.stream.next()).data).toContain(client.sessionId);
    expect(textOf(await client.stream.answerTo(quick))).toBe("while nobody listened");
    expect(textOf(await client.stream.answerTo(long))).toBe("waited");
    client.close();
  });
});

test("what a rebuilt server is asked again is asked for whoever made it necessary", async () => {
  const client = await RawSseClient.open(edge.url);
  const ask = async (method: string, params: unknown): Promise<Record<string, unknown>> => {
    await client.post({ jsonrpc: "2.0", id: method, method, params }, { "x-user": "ann" });
    return await client.stream.answerTo(method);
  };
  expect(await ask("resources/subscribe", { uri: "note:" })).toHaveProperty("result");
  const updated = async (): Promise<unknown> =>
    (await client.stream.message(({ method }) => method === "notifications/resources/updated"))["params"];
  expect([await updated(), await updated()]).toEqual([{ uri: "note:at-once" }, { uri: "note:later" }]);
  await edge.evict(client.sessionId);
  const uses = await ask("resources/read", { uri: "uses:" });
  expect(uses).toMatchObject({ result: { contents: [{ text: "note: for ann" }] } });
  // That it has the subscription is no news; what comes of it is.
  expect(await updated()).toEqual({ uri: "note:later" });
  // What runs again is what was sent, though the tool has taken all of it meanwhile.
  const params = { name: "slow", arguments: { words: ["one", "two"] } };
  const call = { jsonrpc: "2.0", id: "slow", method: "tools/call", params };
  expect((await client.post(call, { "x-user": "ann" })).status).toBe(202);
  await edge.abort(client.sessionId);
  expect(textOf(await client.stream.answerTo("slow"))).toBe("one two");
  client.close();
});

describe.each(["/sse", "/mcp"])("what is said of a call after its answer, over %s", (lane) => {
  test("is heard on the common stream, and nobody is asked on account of it", async () => {
    const over = lane === "/sse" ? await RawSseClient.open(edge.url) : await RawMcpClient.open(edge.url);
    const stream = over instanceof RawSseClient ? over.stream : await over.listen();
    await over.call("speak_later", {}, { progressToken: 1 });
    const heard = [await stream.message(), await stream.message(), await stream.message()];
    expect(heard).toMatchObject([
      { method: "notifications/message", params: { data: "of the call" } },
      { method: "notifications/tools/list_changed" },
      { method: "notifications/message", params: { data: "Error: The call that this ping belongs to is over." } },
    ]);
    stream.close();
  });
});

test("what a server asks and gives up, its client is told by the id that it was asked with", async () => {
  const client = await RawSseClient.open(edge.url);
  const id = await client.send("tools/call", { name: "impatient", arguments: {} });
  const asked = await client.stream.message(({ method }) => method === "ping");
  const givenUp = await client.stream.message(({ method }) => method === "notifications/cancelled");
  expect(givenUp["params"]).toMatchObject({ requestId: asked["id"] });
  expect(textOf(await client.stream.answerTo(id))).toBe("it took too long");
  client.close();
});

describe("a factory", () => {
  test("may remember something, in a session of either transport", async () => {
    const sse = await RawSseClient.open(edge.url);
    expect(textOf(await sse.call("builds"))).toBe("1");
    await edge.abort(sse.sessionId);
    expect(textOf(await sse.call("builds"))).toBe("2");
    sse.close();
    const mcp = await RawMcpClient.open(edge.url);
    expect(await (await mcp.call("builds")).text()).toContain('"text":"1"');
  });

  test("that throws fails that POST only, without a word of why; the log has it, and the next one is served", async () => {
    const client = await RawSseClient.connect(edge.url);
    const failed = await client.post(initialize(), { "x-fail": "1" });
    const text = await failed.text();
    expect(failed.status).toBe(500);
    expect(text).toMatch(/Internal error/);
    expect(text).not.toMatch(/fire/);
    await expect.poll(() => edge.logs().join("\n")).toContain("the factory is on fire");
    await client.initialize();
    expect(textOf(await client.call("announce", { level: "error" }))).toBe("announced");
    client.close();
  });
});
