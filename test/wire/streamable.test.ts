import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { initialize, postJson, RawStream, release, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

let example: EdgeServer;
let bounded: EdgeServer;
beforeAll(async () => {
  [example, bounded] = await Promise.all([
    startEdge(),
    startEdge("test/fixtures/small-bounds.ts", { options: { ...patient, keepAliveMs: 100 } }),
  ]);
});
afterAll(() => Promise.all([example.close(), bounded.close()]));

describe("the answer to a POST", () => {
  test("initialize gives a session id; notifications and responses are answered 202", async () => {
    const client = await RawMcpClient.open(example.url);
    expect(client.opened.headers.get("content-type")).toBe("application/json");
    expect(client.sessionId).toMatch(/^[0-9a-f]{96}$/);
    expect((await client.post({ jsonrpc: "2.0", method: "notifications/initialized" })).status).toBe(202);
    expect((await client.post({ jsonrpc: "2.0", id: 99, result: {} })).status).toBe(202);
  });

  test("is JSON when it is the only message", async () => {
    const client = await RawMcpClient.open(example.url);
    const response = await client.call("add", { a: 25, b: 25 });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("mcp-session-id")).toBe(client.sessionId);
    expect(textOf(await response.json())).toBe("50");
  });

  test("is a JSON array for a batch", async () => {
    const client = await RawMcpClient.open(example.url, {}, "2025-03-26");
    const response = await client.post(["x", "y"].map((id) => ({ jsonrpc: "2.0", id, method: "ping" })));
    const answers = (await response.json()) as { id: string }[];
    expect(answers.map(({ id }) => id).sort()).toEqual(["x", "y"]);
  });

  test("is a stream when something comes before it, primed for resumption, and ends with it", async () => {
    const client = await RawMcpClient.open(example.url);
    const stream = await client.callAsStream("countdown", { from: 3, stepMs: 1 }, { progressToken: 1 });
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(await stream.over).toBe("ended");
    const messages = stream.events.map(({ data }) => JSON.parse(data) as { method?: string; id?: number });
    expect(messages.map(({ method, id }) => method ?? id)).toEqual([
      ...Array.from({ length: 3 }, () => ["notifications/progress", "notifications/message"]).flat(),
      1,
    ]);
    expect(stream.retries).toEqual([200]);
  });

  test("is a stream without an empty first event for revisions that cannot read one", async () => {
    const client = await RawMcpClient.open(example.url, {}, "2025-06-18");
    const stream = await client.callAsStream("countdown", { from: 1, stepMs: 1 });
    await stream.over;
    expect(stream.retries).toEqual([]);
    expect(stream.events.filter(({ data }) => data === "")).toEqual([]);
  });

  test("is a stream when the call takes long, so that nothing on the way gives up", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const stream = await client.callAsStream("hold");
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    await expect.poll(() => stream.comments.length).toBeGreaterThan(0);
    await client.post(release);
    expect(textOf(await stream.answerTo(1))).toBe("released");
  });

  test("carries what the tool asks the client, even if the SDK does not say which call it belongs to", async () => {
    const client = await RawMcpClient.open(bounded.url, { sampling: {} });
    const stream = await client.callAsStream("sample");
    const asked = await stream.message((message) => message["method"] === "sampling/createMessage");
    const result = { role: "assistant", content: { type: "text", text: "sampled" }, model: "m" };
    expect((await client.post({ jsonrpc: "2.0", id: asked["id"], result })).status).toBe(202);
    expect(textOf(await stream.answerTo(1))).toContain("sampled");
  });

  test("is the same for a body of unknown length: its tool sees `cf`, too", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const declared = textOf(await (await client.call("colo")).json());
    expect(declared).toMatch(/^"[A-Z]{3}"$/);
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 2,
      method: "tools/call",
      params: { name: "colo", arguments: {} },
    });
    const headers = { ...client.headers, "content-type": "application/json", accept: "*/*" };
    const init = { method: "POST", headers, body: new Blob([body]).stream(), duplex: "half" };
    expect(textOf(await (await fetch(client.url, init as RequestInit)).json())).toBe(declared);
  });

  test("is 429 when the calls at once are longer than twice maxBodyBytes", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const args = { filler: "x".repeat(60_000) };
    const accepted = await Promise.all([client.call("hold", args), client.call("hold", args)]);
    const refused = await client.call("hold", args);
    expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining("131072 bytes")]);
    await client.post(release);
    for (const response of accepted) expect(await response.text()).toContain("released");
    expect(await (await client.call("hold", args)).text()).toContain("released");
  });

  test("ends without an answer when the call is cancelled", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const stream = await client.callAsStream("wait", { ms: 60_000 });
    await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    expect(await stream.over).toBe("ended");
    expect(stream.events).toEqual([]);
  });
});

describe("the listening stream", () => {
  test("opens at once and carries what belongs to no call", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const stream = await client.listen();
    expect(stream.response.status).toBe(200);
    await client.call("add_tool", { name: "late" });
    const changed = await stream.message();
    expect(changed["method"]).toBe("notifications/tools/list_changed");
    stream.close();
  });

  test("the newest wins, and the older one ends in order", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const older = await client.listen();
    const newer = await client.listen();
    expect(newer.response.status).toBe(200);
    expect(await older.over).toBe("ended");
    await client.call("add_tool", { name: "late" });
    expect((await newer.message())["method"]).toBe("notifications/tools/list_changed");
    newer.close();
  });

  test("begins with the place to resume from: after what has arrived, and before what may not have", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const sequenceOf = (id: string): number => Number(id.split("/")[2]);
    const told = await client.listen();
    await client.call("add_tool", { name: "one" });
    await told.message();
    const delivered = sequenceOf(told.lastEventId);
    // It says that it got it.
    const resumed = await client.listen(told.lastEventId);
    await expect.poll(() => sequenceOf(resumed.lastEventId)).toBe(delivered);
    const fresh = await client.listen();
    await expect.poll(() => sequenceOf(fresh.lastEventId)).toBeGreaterThan(delivered);

    await client.call("add_tool", { name: "two" });
    await fresh.message();
    const inDoubt = sequenceOf(fresh.lastEventId);
    // It says nothing.
    const silent = await fetch(client.url, { headers: { ...client.headers, accept: "text/event-stream" } });
    let text = "";
    for await (const chunk of silent.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes("list_changed")) break;
    }
    const [primed = ""] = /(?<=^id: )\S+/m.exec(text) ?? [];
    expect(sequenceOf(primed)).toBeGreaterThan(delivered);
    expect(sequenceOf(primed)).toBeLessThan(inDoubt);
    const again = await client.listen(primed);
    expect((await again.message())["method"]).toBe("notifications/tools/list_changed");
    again.close();
  });

  test("survives an eviction", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const stream = await client.listen();
    await bounded.evict(client.sessionId);
    await client.call("add_tool", { name: "late" });
    expect((await stream.message())["method"]).toBe("notifications/tools/list_changed");
    stream.close();
  });
});

describe("a revision that no session speaks", () => {
  const headers = { "mcp-protocol-version": "1999-01-01" };

  test("is refused with 400 for every method of a session, which lives on", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const init = { headers: { ...client.headers, ...headers, accept: "*/*" } };
    for (const refused of [
      await client.post({ jsonrpc: "2.0", id: 1, method: "ping" }, headers),
      await fetch(client.url, init),
      await fetch(client.url, { ...init, method: "DELETE" }),
    ]) {
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("Send one of 2025-11-25")]);
    }
    expect(textOf(await (await client.call("echo", { text: "alive" })).json())).toBe("alive");
  });

  test("harms no initialize, which negotiates in its body", async () => {
    const opened = await postJson(`${bounded.url}/mcp`, initialize(), headers);
    expect([opened.status, await opened.text()]).toEqual([200, expect.stringContaining('"2025-11-25"')]);
  });
});

describe("one URL for every client", () => {
  test("POST /sse opens a Streamable HTTP session, which GET and DELETE there serve as well", async () => {
    const opened = await postJson(`${bounded.url}/sse`, initialize());
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "", accept: "text/event-stream" };
    const listening = await fetch(`${bounded.url}/sse`, { headers });
    expect(listening.headers.get("mcp-session-id")).toBe(headers["mcp-session-id"]);
    await listening.body?.cancel();
    expect((await fetch(`${bounded.url}/sse`, { method: "DELETE", headers })).status).toBe(204);
  });
});

describe("the stateless revision", () => {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const ask = (path: string, method: string, params: Record<string, unknown> = {}): Promise<Response> => {
    const headers: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
    if (typeof params["name"] === "string") headers["mcp-name"] = params["name"];
    return postJson(example.url + path, { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } }, headers);
  };

  test.each(["/mcp", "/sse"])("POST %s is answered without a session", async (path) => {
    const before = await example.worker.listDurableObjectIds("Session");
    const response = await ask(path, "tools/call", { name: "add", arguments: { a: 25, b: 25 } });
    expect(response.headers.get("mcp-session-id")).toBeNull();
    expect(textOf(await response.json())).toBe("50");
    expect(await example.worker.listDurableObjectIds("Session")).toEqual(before);
  });

  test("server/discover names the revision", async () => {
    const body = await (await ask("/mcp", "server/discover")).json();
    expect(JSON.stringify(body)).toContain("2026-07-28");
  });

  test("a tool that needs a session says so", async () => {
    const body = (await (
      await ask("/mcp", "tools/call", { name: "recall", arguments: { key: "k" } })
    ).json()) as object;
    expect(textOf(body as Record<string, unknown>)).toContain("no session");
  });

  test("those who listen for changes are told of one, and are bounded in number", async () => {
    const headersOf = (method: string): Record<string, string> => ({
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
    });
    const listen = (path: string): Promise<Response> => {
      const params = { notifications: { toolsListChanged: true }, _meta: meta };
      const message = { jsonrpc: "2.0", id: path, method: "subscriptions/listen", params };
      return postJson(bounded.url + path, message, headersOf("subscriptions/listen"));
    };
    const listening = new RawStream(await listen("/mcp"), new AbortController());
    await listening.message((message) => message["method"] === "notifications/subscriptions/acknowledged");
    for (const path of ["/mcp", "/mcp/", "/MCP", "/sse"]) {
      const refused = await listen(path);
      expect(refused.headers.get("content-type")).toContain("application/json");
      expect(await refused.text()).toContain("limit reached");
    }

    const params = { name: "add_tool", arguments: { name: "late" }, _meta: meta };
    const message = { jsonrpc: "2.0", id: 3, method: "tools/call", params };
    await postJson(`${bounded.url}/mcp`, message, { ...headersOf("tools/call"), "mcp-name": "add_tool" });
    await listening.message(({ method }) => method === "notifications/tools/list_changed");
    await listening.response.body?.cancel().catch(() => undefined);
  });

  test("a revision that nobody serves is refused with -32022 and the ones that are", async () => {
    const unknown = { ...meta, "io.modelcontextprotocol/protocolVersion": "2099-01-01" };
    const message = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: unknown } };
    const headers = { "mcp-protocol-version": "2099-01-01", "mcp-method": "tools/list" };
    const response = await postJson(`${example.url}/mcp`, message, headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32_022, data: { supported: ["2026-07-28"] } } });
  });
});
