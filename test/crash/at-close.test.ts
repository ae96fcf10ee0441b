import { afterAll, beforeAll, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
let changing: WorkerdProcess;
beforeAll(async () => {
  // By its keep-alive the Worker finds out that a client is gone.
  const options = { ...patient, keepAliveMs: 200 };
  [server, changing] = await Promise.all([
    startWorkerd({ main: "test/fixtures/example.ts", options }),
    startWorkerd({ main: "test/fixtures/small-bounds.ts", options }),
  ]);
});
afterAll(() => Promise.all([server.close(), changing.close()]));

const add = { name: "add", arguments: { a: 25, b: 25 } };

async function inspect({ sessionId }: { sessionId: string }, { url } = server): Promise<Inspection> {
  return (await (await fetch(`${url}/test/inspect?id=${sessionId}`)).json()) as Inspection;
}

/** A session with an answer that its client has, and the event from which it would come once more. */
async function withAnswer(): Promise<{ client: RawSseClient; id: number; lastEventId: string }> {
  const client = await RawSseClient.open(server.url);
  const { lastEventId } = client.stream;
  const id = await client.send("tools/call", add);
  await client.stream.answerTo(id);
  return { client, id, lastEventId };
}

const resumed = (lastEventId: string): Promise<RawStream> =>
  RawStream.open(`${server.url}/sse`, { headers: { "last-event-id": lastEventId } });

async function expectFifty(stream: RawStream, id: number): Promise<void> {
  expect(textOf(await stream.answerTo(id))).toBe("50");
  stream.close();
}

const constructionsOf = async (client: RawSseClient): Promise<number> => (await inspect(client)).constructions;
const rowsOf = async (client: RawSseClient): Promise<string[]> => (await inspect(client)).rows;

test("an object that crashes before it hears that its client is gone loses no answer that was on its way", async () => {
  const { client, id, lastEventId } = await withAnswer();
  await fetch(`${server.url}/test/abort?id=${client.sessionId}&at=close`);
  client.close();
  await expect.poll(() => constructionsOf(client)).toBe(2);
  // As if it had been lost with the connection: it is given back soon, and may come before or after its client.
  await expectFifty(await resumed(lastEventId), id);
});

test.each([
  ["/sse", (url: string) => RawSseClient.open(url)],
  ["/mcp", (url: string) => RawMcpClient.open(url)],
] as const)("nor, on %s, that a list has changed", async (lane, open) => {
  const client = await open(changing.url);
  const stream = client instanceof RawMcpClient ? await client.listen() : client.stream;
  const session = client instanceof RawMcpClient ? client.headers : {};
  const isChange = ({ data }: { data: string }): boolean => data.includes("notifications/tools/list_changed");
  // From the second on it is resumed.
  await client.call("add_tool", { name: "first" });
  const { id = "" } = await stream.next(isChange);
  await client.call("add_tool", { name: "second" });
  await stream.next(isChange);
  await fetch(`${changing.url}/test/abort?id=${client.sessionId}&at=close`);
  stream.close();
  await expect.poll(async () => (await inspect(client, changing)).constructions).toBe(2);
  const again = await RawStream.open(changing.url + lane, { headers: { ...session, "last-event-id": id } });
  await again.next(isChange);
  again.close();
});

test("a client that goes while its object cannot be reached loses none either", async () => {
  const { client, id, lastEventId } = await withAnswer();
  const abort = `${server.url}/test/abort?id=${client.sessionId}`;
  await fetch(`${abort}&at=return`);
  await fetch(abort);
  client.close();
  // For longer than it takes to notice that the client is gone.
  await expect.poll(() => server.output().split("took nothing back").length).toBeGreaterThan(7);
  await fetch(`${abort}&at=never`);
  await expect.poll(() => rowsOf(client)).toContainEqual(expect.stringContaining("outbox/"));
  await expectFifty(await resumed(lastEventId), id);
});

test("nor one that it sends before it hears of that", async () => {
  const client = await RawSseClient.open(server.url);
  const { lastEventId } = client.stream;
  const abort = `${server.url}/test/abort?id=${client.sessionId}`;
  await fetch(`${abort}&at=unheard`);
  client.close();
  await expect.poll(() => server.output()).toContain("did not hear that its client is gone");
  const id = await client.send("tools/call", add);
  await fetch(abort);
  await expectFifty(await resumed(lastEventId), id);
});

test("an object that crashes as it gives its client's stream to another relay loses none", async () => {
  const { client, id, lastEventId } = await withAnswer();
  const abort = `${server.url}/test/abort?id=${client.sessionId}`;
  await fetch(`${abort}&at=attach`);
  const opening = resumed(lastEventId);
  // Its relay has let go of what it held.
  expect(await client.stream.over).toBe("ended");
  await fetch(abort);
  await expectFifty(await opening, id);
});

test("an answer that is given back late comes to a client that has got later ones", async () => {
  const { client, id, lastEventId } = await withAnswer();
  const abort = `${server.url}/test/abort?id=${client.sessionId}`;
  await fetch(`${abort}&at=return`);
  await fetch(abort);
  client.close();
  const second = await resumed(lastEventId);
  await second.answerTo(await client.send("tools/call", add));
  second.close();
  await expect.poll(async () => (await inspect(client)).sockets).toBe(0);
  const rows = await rowsOf(client);
  await fetch(`${abort}&at=never`);
  await expect.poll(() => rowsOf(client)).not.toEqual(rows);
  await expectFifty(await resumed(second.lastEventId), id);
});
