import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { postJson, textOf } from "../support/raw-client.ts";
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

// On /mcp it comes on a stream of its own, as with the SDK.
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
