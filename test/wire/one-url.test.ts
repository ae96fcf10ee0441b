import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { connectV1, connectV2 } from "../support/official-clients.ts";
import { initialize, postJson, RawSseClient, RawStream, reconnect } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/mirror.ts");
});
afterAll(() => edge.close());

describe("one URL is enough", () => {
  test.each([
    ["SDK v1", connectV1],
    ["SDK v2", connectV2],
  ] as const)("HTTP+SSE at /mcp, and Streamable HTTP at /sse: %s", async (_, connect) => {
    for (const [path, transport] of [
      ["/mcp", "sse"],
      ["/sse", "http"],
      ["/mcp", "http"],
    ] as const) {
      const client = await connect(edge.url + path, transport);
      const { content } = (await client.send({ method: "tools/call", params: { name: "see", arguments: {} } })) as {
        content: [{ text: string }];
      };
      const { called } = JSON.parse(content[0].text) as { called: { url: string } };
      expect(new URL(called.url).pathname).toBe(transport === "sse" ? `${path}/message` : path);
      await client.close();
    }
  });

  test("a GET without session that speaks a revision without streams is refused, and told which have some", async () => {
    const headers = { accept: "text/event-stream", "mcp-protocol-version": "2026-07-28" };
    const refused = await fetch(`${edge.url}/mcp`, { headers });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("Send one of 2025-11-25")]);
  });

  test.each(["/sse", "/mcp"])("a header of the protocol that is empty says nothing, on %s", async (path) => {
    const empty = { "mcp-session-id": "", "mcp-protocol-version": "" };
    const opened = await postJson(edge.url + path, initialize(), empty);
    expect([opened.status, await opened.text()]).toEqual([200, expect.stringContaining("protocolVersion")]);
    const stream = await RawStream.open(edge.url + path, { headers: empty });
    expect(await stream.next()).toMatchObject({ event: "endpoint" });
    stream.close();
  });

  test("the endpoint below /mcp takes POST and nothing else", async () => {
    const refused = await fetch(`${edge.url}/mcp/message`, { method: "DELETE" });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await postJson(`${edge.url}/mcp/message`, { jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(400);
  });
});

describe("a stream of one transport is not opened by the other", () => {
  const listening = { accept: "text/event-stream" };
  const refusedWith = async (path: string, headers: Record<string, string>): Promise<[number, string]> => {
    const response = await fetch(edge.url + path, {
      headers: { ...listening, ...headers },
      signal: AbortSignal.timeout(60_000),
    });
    return [response.status, response.ok ? "a stream" : await response.text()];
  };

  test("with the id of an HTTP+SSE session as header: 400, and its quick calls write no row", async () => {
    const client = await RawSseClient.open(edge.url);
    for (const path of ["/mcp", "/sse"]) {
      const headers = { "mcp-session-id": client.sessionId };
      expect(await refusedWith(path, headers)).toEqual([400, expect.stringContaining("endpoint URL")]);
      const resuming = { ...headers, "last-event-id": client.stream.lastEventId };
      expect(await refusedWith(path, resuming)).toEqual([400, expect.stringContaining("endpoint URL")]);
      const named = { ...headers, "last-event-id": `${client.sessionId}/listen/1` };
      expect(await refusedWith(path, named)).toEqual([400, expect.stringContaining("endpoint URL")]);
    }
    expect((await edge.inspect(client.sessionId)).sockets).toBe(1);
    for (let n = 0; n < 5; n++) await client.call("see");
    await edge.evict(client.sessionId);
    expect((await edge.inspect(client.sessionId)).rows).toEqual(["handshake"]);
    client.close();
  });

  test("with an event id of a Streamable HTTP session, and no header: 400", async () => {
    const client = await RawMcpClient.open(edge.url);
    for (const path of ["/sse", "/mcp"]) {
      for (const stream of ["listen", "p1abc"]) {
        const headers = { "last-event-id": `${client.sessionId}/${stream}/1` };
        expect(await refusedWith(path, headers)).toEqual([400, expect.stringContaining("by its header")]);
      }
    }
    expect((await edge.inspect(client.sessionId)).sockets).toBe(0);
  });

  test("with an event id that names a Streamable HTTP session as HTTP+SSE: a new session, and nothing of that one", async () => {
    const client = await RawMcpClient.open(edge.url);
    const headers = { ...listening, "last-event-id": `${client.sessionId}/sse/1` };
    const stream = await RawStream.open(`${edge.url}/sse`, { headers });
    expect((await stream.next()).data).not.toContain(client.sessionId);
    expect((await edge.inspect(client.sessionId)).sockets).toBe(0);
    stream.close();
  });

  test("with an event id of another session than that of the header: 400, and nothing is attached", async () => {
    const [client, other] = [await RawMcpClient.open(edge.url), await RawMcpClient.open(edge.url)];
    const headers = { ...client.headers, "last-event-id": `${other.sessionId}/listen/1` };
    expect(await refusedWith("/mcp", headers)).toEqual([400, expect.stringContaining("of another session")]);
    for (const { sessionId } of [client, other]) expect((await edge.inspect(sessionId)).sockets).toBe(0);
  });

  test("by a claim: a session of Streamable HTTP is not claimed", async () => {
    const client = await RawMcpClient.open(edge.url);
    const { stream, ping } = await reconnect(edge.url);
    await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
    expect((await stream.next(({ event }) => event === "endpoint")).data).not.toContain(client.sessionId);
    stream.close();
  });
});
