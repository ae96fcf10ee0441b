import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { connectV2 } from "../support/official-clients.ts";
import { textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => void (edge = await startEdge("test/fixtures/delegating.ts")));
afterAll(() => edge.close());

const ends = {
  evicted: (sessionId: string) => edge.evict(sessionId),
  crashed: (sessionId: string) => edge.abort(sessionId),
};

describe.each([
  ["/sse", "sse", "v2"],
  ["/sse", "sse", "v1"],
  ["/mcp", "http", "v2"],
  ["/mcp", "http", "v1"],
] as const)("what a call has another ask, on %s", (path, transport, sdk) => {
  describe.each(["createServer", "oninitialized"])(`of SDK ${sdk}, that was begun in %s,`, (by) => {
    test.each(Object.entries(ends))(
      "is asked each time, and answered by what its user says now: %s",
      async (_name, end) => {
        const answers = ["accept", "decline", "cancel"] as const;
        let asked = 0;
        const user = { elicit: () => ({ action: answers[asked++] ?? "cancel", content: {} }) };
        const client = await connectV2(edge.url + path, transport, { user, headers: { "x-sdk": sdk } });
        for (const answer of answers) {
          client.notifications.splice(0);
          const result = await client.send({ method: "tools/call", params: { name: "confirm", arguments: { by } } });
          expect(textOf({ result })).toBe(answer);
          const told = { method: "notifications/message", params: { level: "info", data: "asking" } };
          await expect.poll(() => client.notifications).toContainEqual(told);
          await end(client.sessionId() ?? "");
        }
        await client.close();
      },
    );
  });
});
