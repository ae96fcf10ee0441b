import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { postJson, RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** All objects are this release's, which has a login. By `otherUrl` a Worker of the one before is asked, which has none. */
let deploy: WorkerdProcess;
beforeAll(async () => {
  deploy = await startWorkerd({ main: "test/fixtures/guarded.ts", isSplit: true, previous: "other" });
});
afterAll(() => deploy.close());

const alice = bearer("alice-key-1");
const call = { jsonrpc: "2.0", id: "c", method: "tools/call", params: { name: "whoami", arguments: {} } };
const events = { accept: "text/event-stream" };

/** What is told who asks for a session in each way that there is. */
async function statusesOf(base: string, headers: Record<string, string>, sessionId: string): Promise<number[]> {
  const inSession = { ...headers, "mcp-session-id": sessionId, "mcp-protocol-version": "2025-11-25" };
  const answers = [
    await postJson(`${base}/sse/message?sessionId=${sessionId}`, call, headers),
    await postJson(`${base}/mcp`, call, inSession),
    await fetch(`${base}/mcp`, { headers: { ...inSession, ...events } }),
    await fetch(`${base}/mcp`, { method: "DELETE", headers: inSession }),
  ];
  for (const answer of answers) await answer.body?.cancel();
  return answers.map(({ status }) => status);
}

const none = [404, 404, 404, 404];

test("while a login is deployed, a session with one is none by a Worker that has no login yet", async () => {
  const client = await GuardedSseClient.openAs(deploy.url, alice);
  const mcp = await openMcpAs(deploy.url, alice);
  for (const { sessionId } of [client, mcp]) {
    expect(await statusesOf(deploy.otherUrl, alice, sessionId)).toEqual(none);
    // The release before knew this half of an id only.
    expect(await statusesOf(deploy.otherUrl, alice, sessionId.slice(0, 64))).toEqual(none);
  }
  const other = await RawStream.open(`${deploy.otherUrl}/sse`, {
    headers: { ...alice, "last-event-id": client.stream.lastEventId },
  });
  const { data } = await other.next(({ event }) => event === "endpoint");
  expect(data).not.toContain(client.sessionId.slice(0, 64));
  other.close();
  expect(textOf(await client.call("whoami"))).toContain('"user":"alice"');
  expect(await (await mcp.call("whoami")).text()).toContain("alice");
  client.close();
});

test("while a login is deployed, a session that was opened without one is none by a Worker that has it", async () => {
  const client = await RawSseClient.open(deploy.otherUrl);
  const mcp = await RawMcpClient.open(deploy.otherUrl);
  for (const { sessionId } of [client, mcp]) expect(await statusesOf(deploy.url, alice, sessionId)).toEqual(none);
  // Both are there for whoever opened them.
  expect(textOf(await client.call("whoami"))).not.toContain("alice");
  expect((await mcp.call("whoami")).status).toBe(200);
  client.close();
});
