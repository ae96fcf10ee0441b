import * as v2 from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { connectV2 } from "../support/official-clients.ts";
import { postJson } from "../support/raw-client.ts";
import { statelessRequest } from "../support/stateless-request.ts";

let preferring: EdgeServer;
let offering: EdgeServer;
beforeAll(async () => {
  [preferring, offering] = await Promise.all([startEdge("test/fixtures/sessions-preferred.ts"), startEdge()]);
});
afterAll(() => Promise.all([preferring.close(), offering.close()]));

async function discovered(url: string): Promise<unknown> {
  const { headers, message } = statelessRequest("server/discover");
  const { result } = (await (await postJson(url, message, headers)).json()) as {
    result: { supportedVersions: string[]; serverInfo: { name: string } };
  };
  return result.supportedVersions;
}

const call = (name: string, args: Record<string, unknown>) =>
  ({ method: "tools/call", params: { name, arguments: args } }) as const;

describe('sessions: "preferred"', () => {
  test.each(["/mcp", "/sse"])(
    "a client that asks %s for revisions is told those with sessions, and only them",
    async (path) => {
      expect(await discovered(`${preferring.url}${path}`)).toEqual([
        "2025-11-25",
        "2025-06-18",
        "2025-03-26",
        "2024-11-05",
        "2024-10-07",
      ]);
      expect(await discovered(`${offering.url}${path}`)).toEqual(["2026-07-28"]);
    },
  );

  test("a client that speaks both has a session, and what it remembers is there at its next call", async () => {
    const client = await connectV2(`${preferring.url}/mcp`, "http", { mode: "auto" });
    expect(client.revision()).toBe("2025-11-25");
    await client.send(call("remember", { key: "colour", value: "green" }));
    expect(await client.send(call("recall", { key: "colour" }))).toMatchObject({ content: [{ text: "green" }] });
    await client.close();
  });

  test("offered, the same client is stateless, and the tool says that there is no session", async () => {
    const client = await connectV2(`${offering.url}/mcp`, "http", { mode: "auto" });
    expect(client.revision()).toBe("2026-07-28");
    expect(await client.send(call("remember", { key: "colour", value: "green" }))).toMatchObject({ isError: true });
    await client.close();
  });

  test("a direct request of the stateless revision is answered all the same", async () => {
    const { headers, message } = statelessRequest("tools/call", { name: "add", arguments: { a: 25, b: 25 } });
    const response = await postJson(`${preferring.url}/mcp`, message, headers);
    expect(await response.text()).toContain('"50"');
  });

  test("a client that is pinned to the stateless revision says that it was not offered", async () => {
    const client = new v2.Client(
      { name: "pinned", version: "1" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    const transport = new v2.StreamableHTTPClientTransport(new URL(`${preferring.url}/mcp`));
    await expect(client.connect(transport)).rejects.toThrow("2026-07-28");
    await client.close();
  });
});
