import { afterAll, beforeAll, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  // By its keep-alive the Worker finds out that a client is gone.
  server = await startWorkerd({ main: "test/fixtures/example.ts", options: { keepAliveMs: 200 } });
});
afterAll(() => server.close());

const add = { name: "add", arguments: { a: 25, b: 25 } };

async function constructionsOf({ sessionId }: RawSseClient): Promise<number> {
  const response = await fetch(`${server.url}/test/inspect?id=${sessionId}`);
  const { constructions }: Inspection = await response.json();
  return constructions;
}

test("an object that crashes before it hears that its client is gone loses no answer that was on its way", async () => {
  const client = await RawSseClient.open(server.url);
  const { lastEventId } = client.stream;
  const id = await client.send("tools/call", add);
  await client.stream.answerTo(id);
  await fetch(`${server.url}/test/abort?id=${client.sessionId}&at=close`);
  client.close();
  await expect.poll(() => constructionsOf(client)).toBe(2);
  // As if it had been lost with the connection: it is given back soon, and may come before or after its client.
  const again = await RawStream.open(`${server.url}/sse`, { headers: { "last-event-id": lastEventId } });
  expect(textOf(await again.answerTo(id))).toBe("50");
  again.close();
});
