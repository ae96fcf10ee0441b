import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/small-bounds.ts", { options: patient });
});
afterAll(() => edge.close());

test.each([
  ["a verb", { "mcp-edge-verb": "renew" }],
  ["a way to attach", { "mcp-edge-verb": "attach", "mcp-edge-attach": "renewed" }],
  ["no key, where there must be one", { "mcp-edge-verb": "sse-again" }],
])(
  "%s that an object does not know is refused with 503: a Worker of another release tries again",
  async (_, headers) => {
    const client = await RawSseClient.open(edge.url);
    const response = await fetch(`${edge.url}/test/ask?id=${client.sessionId}`, { headers: { ...headers } });
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: -32_603, message: expect.stringContaining("Nothing was done: send it again") as string } },
    ]);
    expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
    client.close();
  },
);
