import { afterAll, beforeAll, expect, test } from "vitest";
import { claimsAtOnce } from "../../src/session/calls/claims.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, RawStream, reconnect, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => void (edge = await startEdge("test/fixtures/counting-claims.ts", { options: patient })));
afterAll(() => edge.close());

const released = async (): Promise<number> => Number(await (await fetch(`${edge.url}/test/released`)).text());

/** Ids of objects that hold no stream any more. */
async function forsakenIds(count: number): Promise<string[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const stream = await RawStream.open(`${edge.url}/sse`);
      const { data } = await stream.next(({ event }) => event === "endpoint");
      stream.close();
      return new URL(data, edge.url).searchParams.get("sessionId") ?? "";
    }),
  );
}

const claim = (freshId: string, count = 0) => ({ jsonrpc: "2.0", id: `claim:${freshId}.${count}`, result: {} });

test("a batch of claims is one request to another object, and batches of them no more than a client can be cut", async () => {
  const client = await RawSseClient.open(edge.url);
  const ids = await forsakenIds(20);
  const before = await released();
  expect((await client.post(ids.flatMap((id) => [0, 1, 2, 3, 4].map((count) => claim(id, count))))).status).toBe(202);
  await expect.poll(async () => (await released()) - before).toBe(1);
  const sinceMs = performance.now();
  for (let post = 0; post < 10; post++) await client.post(ids.map((id) => claim(id, post)).toReversed());
  for (const id of ids) for (let count = 0; count < 5; count++) await client.post(claim(id, count));
  expect(textOf(await client.call("add", { a: 1, b: 1 }))).toBe("2");
  const passedSeconds = (performance.now() - sinceMs) / 1_000;
  // One in each 200 ms, by default.
  expect((await released()) - before).toBeLessThanOrEqual(claimsAtOnce + Math.ceil(passedSeconds * 5));
  client.close();
});

test("a client whose session was claimed in vain gets it all the same", async () => {
  const client = await RawSseClient.open(edge.url);
  const [forsaken = ""] = await forsakenIds(1);
  await client.post([claim(forsaken, 0), claim(forsaken, 1)]);
  client.stream.close();
  const { stream, ping } = await reconnect(edge.url);
  await client.post({ jsonrpc: "2.0", id: ping["id"], result: {} });
  client.stream = stream;
  expect(textOf(await client.call("add", { a: 1, b: 1 }))).toBe("2");
  client.close();
});
