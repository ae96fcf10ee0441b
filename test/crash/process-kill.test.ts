import { afterAll, beforeAll, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";
import { clientKinds, connectClient, type TortureClient } from "../../lab/torture/clients.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/gated.ts" });
});
afterAll(() => server.close());

const sessionCount = 99;

/** What the caller of a call in flight hears: its answer, or why there is none. */
async function outcomeOf(call: Promise<string>): Promise<string> {
  return call.then(
    (text) => (/^\d+:x*$/.test(text) ? "answered" : text),
    (error: Error) => (error.message.includes("may or may not") ? "told" : `refused: ${error.message}`),
  );
}

test("kill -9 with 99 sessions and a call in flight in each: each resumes its own, and each call is answered", async () => {
  const clients: TortureClient[] = await Promise.all(
    Array.from({ length: sessionCount }, async (_, n) => connectClient(clientKinds[n % 3] ?? "sdk-v1", server.url)),
  );
  const before = await Promise.all(clients.map((client) => client.call("session", {}, 60_000)));

  const isRepeatable = (n: number): boolean => Math.floor(n / 3) % 2 === 0;
  const calls = clients.map((client, n) => {
    const tool = isRepeatable(n) ? "gated-repeatable" : "gated-once";
    return outcomeOf(client.call(tool, { n, bytes: 10 }, 120_000));
  });
  // Accepted means journaled: from then on a call is answered, whatever happens.
  await expect.poll(() => journaledCalls(before)).toBeGreaterThanOrEqual(sessionCount);
  // On a busy machine the last of them have not heard so yet. What is answered after that comes after it.
  await Promise.all(clients.map((client) => client.call("session", {}, 60_000)));
  await server.kill();
  await server.restart();
  await fetch(`${server.url}/test/open`);

  const outcomes = await Promise.all(calls);
  expect(outcomes).toEqual(clients.map((_, n) => (isRepeatable(n) ? "answered" : "told")));

  const after = await Promise.all(clients.map((client) => client.call("session", {}, 60_000)));
  expect(after).toEqual(before);
  await Promise.all(clients.map((client) => client.close()));
}, 600_000);

test("kill -9 after a stream was replaced: what was stored beside something acknowledged since is still there", async () => {
  const client = await RawSseClient.open(server.url);
  const older = client.stream;
  await client.call("repeatable", { n: 1, ms: 0, bytes: 0 });
  const headers = { "last-event-id": older.lastEventId };
  const id = await client.send("tools/call", { name: "repeatable", arguments: { n: 2, ms: 400, bytes: 0 } });
  await older.answerTo(id);
  const newer = await RawStream.open(`${server.url}/sse`, { headers });
  await newer.answerTo(id);
  await older.over;
  newer.close();
  await expect.poll(async () => (await inspect(client.sessionId)).sockets).toBe(0);
  await server.kill();
  await server.restart();
  const last = await RawStream.open(`${server.url}/sse`, { headers });
  expect(textOf(await last.answerTo(id))).toBe("2:");
  last.close();
});

async function inspect(sessionId: string): Promise<Inspection> {
  return (await (await fetch(`${server.url}/test/inspect?id=${sessionId}`)).json()) as Inspection;
}

/** How many calls the sessions have written down. */
async function journaledCalls(sessionIds: string[]): Promise<number> {
  const inspections = await Promise.all(sessionIds.map(inspect));
  return inspections.flatMap(({ rows }) => rows).filter((row) => row.startsWith("call/")).length;
}
