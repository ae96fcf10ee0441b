import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";

/** Characters of one to four bytes, so that some lie across the ends of whatever is read in one go. */
const letters = "aä€😀";

/** What is wrong with it would be a megabyte of text. */
function expectLetters(text: string, times: number): void {
  expect(text.replaceAll(letters, "").slice(0, 100)).toBe("");
  expect(text).toHaveLength(letters.length * times);
}

type Post = (url: string, body: string, headers: Record<string, string>) => Promise<string>;

const withLength: Post = async (url, body, headers) =>
  await (await fetch(url, { method: "POST", body, headers })).text();

const inChunks: Post = (url, body, headers) =>
  new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: "POST", headers: { ...headers, "transfer-encoding": "chunked" } });
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
    request.end(body);
  });

describe.each(["test/fixtures/interactive.ts", "test/fixtures/rewritten.ts"])("a large body, to %s", (main) => {
  let edge: EdgeServer;
  beforeAll(async () => void (edge = await startEdge(main)));
  afterAll(() => edge.close());

  test.each([
    ["/sse", "with its length", withLength],
    ["/sse", "in chunks", inChunks],
    ["/mcp", "with its length", withLength],
    ["/mcp", "in chunks", inChunks],
  ] as const)("over %s %s is read as it was written", async (lane, _, post) => {
    const client = lane === "/sse" ? await RawSseClient.open(edge.url) : await RawMcpClient.open(edge.url);
    const own = { "content-type": "application/json" };
    for (const [id, times] of [70, 30_000, 200_000].entries()) {
      const text = letters.repeat(times);
      const params = { name: "echo", arguments: { text } };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 100 + id, method: "tools/call", params });
      if (client instanceof RawSseClient) {
        await post(client.endpoint, body, own);
        expectLetters(textOf(await client.stream.answerTo(100 + id)), times);
      } else {
        const accept = "application/json, text/event-stream";
        const answer = await post(`${edge.url}/mcp`, body, { ...own, accept, "mcp-session-id": client.sessionId });
        expectLetters(textOf(JSON.parse(answer) as Record<string, unknown>), times);
      }
    }
    if (client instanceof RawSseClient) client.close();
  });
});
