import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTalkativeServer } from "../fixtures/talkative-server.ts";
import { connectTestClient } from "../../src/testing.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { postJson, RawSseClient, textOf } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";
import { openLane } from "../support/wire-lanes.ts";

let edge: EdgeServer;
beforeAll(async () => void (edge = await startEdge("test/fixtures/talkative.ts")));
afterAll(() => edge.close());

interface Said {
  method?: string;
  params?: Record<string, unknown>;
}

const progressToken = "how far";
const listChanged: Said = { method: "notifications/tools/list_changed" };

// On /mcp most of it comes on a stream of its own, as with the SDK.
describe.each(["/sse", "stateless", "stdio"] as const)("on %s", (lane) => {
  test("what a server says without naming a request is heard, and no log message below the level", async () => {
    const opened = await openLane(lane, { base: edge.url, stdioMain: "test/fixtures/talkative-stdio.ts" });
    // In the stateless revision the request says it.
    if (lane !== "stateless") await opened.ask("logging/setLevel", { level: "info" });
    const came = await opened.ask("tools/call", { name: "talk", arguments: {}, _meta: { progressToken } });
    opened.close();
    const said = came.map((json) => JSON.parse(json) as Said & Record<string, unknown>);
    expect(textOf({ ...said.at(-1) })).toBe('"talked"');
    expect(said.slice(0, -1).map(({ method, params }) => ({ method, ...(params && { params }) }))).toEqual([
      { method: "notifications/message", params: { level: "warning", data: "loud" } },
      { method: "notifications/progress", params: { progressToken, progress: 1 } },
      { method: "talkative/said", params: { own: true } },
      // Who listens for changes hears of this.
      ...(lane === "stateless" ? [] : [listChanged]),
    ]);
  });
});

test("on /mcp progress that names no request comes with the answer to that of its token", async () => {
  const opened = await openLane("/mcp", { base: edge.url, stdioMain: "" });
  const came = await opened.ask("tools/call", { name: "talk", arguments: {}, _meta: { progressToken } });
  opened.close();
  expect(came.map((json) => JSON.parse(json) as unknown)).toMatchObject([
    { method: "notifications/progress", params: { progressToken, progress: 1 } },
    { result: { content: [{ text: '"talked"' }] } },
  ]);
});

test("a request that does not say a level is told no log message", async () => {
  const { headers, message } = statelessRequest("tools/call", { name: "talk", arguments: {} });
  const body = await (await postJson(`${edge.url}/mcp`, message, headers)).text();
  expect(body).toContain("talkative/said");
  expect(body).not.toContain("notifications/message");
});

test("a tool that asks a client of the stateless revision by a request is refused at once", async () => {
  const opened = await openLane("stateless", { base: edge.url, stdioMain: "" });
  const came = await opened.ask("tools/call", { name: "ask", arguments: {} });
  expect(came).toHaveLength(1);
  expect(came[0]).toContain("No client answers talkative/ask in 2026-07-28: use inputRequired");
});

describe("a progress token of the server's own comes back as it was", () => {
  const progress = [1, 2].map((step) => ({ progressToken: "5", progress: step }));
  const tokenIn = (params: unknown): string => (params as { _meta: { progressToken: string } })._meta.progressToken;
  const followed = (answer: Record<string, unknown>): unknown => JSON.parse(textOf(answer));

  test("on /sse", async () => {
    const client = await RawSseClient.open(edge.url);
    const id = await client.send("tools/call", { name: "follow", arguments: {} });
    const asked = await client.stream.message(({ method }) => method === "talkative/ask");
    const token = tokenIn(asked["params"]);
    for (const { progress: step } of progress) {
      const params = { progressToken: token, progress: step };
      await client.post({ jsonrpc: "2.0", method: "notifications/progress", params });
    }
    await client.post({ jsonrpc: "2.0", id: asked["id"], result: {} });
    expect(followed(await client.stream.answerTo(id))).toEqual(progress);
    client.close();
  });

  test("to a test client", async () => {
    const client = await connectTestClient(createTalkativeServer, {
      prepare: (own) => {
        own.fallbackRequestHandler = async ({ params }) => {
          const token = tokenIn(params);
          for (const { progress: step } of progress) {
            await own.notification({
              method: "notifications/progress",
              params: { progressToken: token, progress: step },
            });
          }
          return {};
        };
      },
    });
    const { content } = await client.callTool({ name: "follow", arguments: {} });
    expect(followed({ result: { content } })).toEqual(progress);
    await client.close();
  });
});
