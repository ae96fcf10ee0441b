import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

// As of a disk that fails: to end the stream at once would end Python, Java and Go clients, which a disk that works again
// would have served; those that reconnect would come back every 200 ms. So the relay tries for some twelve seconds.
test("an object that cannot be attached to: the stream is held, then ended in order, and what was owed comes afterwards", async () => {
  const client = await RawSseClient.open(edge.url);
  await client.call("add", { a: 1, b: 1 });
  // More often than the relay tries.
  await fetch(`${edge.url}/test/hide?id=${client.sessionId}&times=200`);
  await edge.abort(client.sessionId);
  // Its calls are taken meanwhile, which its client is told.
  const id = await client.send("tools/call", { name: "add", arguments: { a: 25, b: 25 } });
  expect(await Promise.race([client.stream.over, Promise.resolve("held")])).toBe("held");
  expect(await client.stream.over).toBe("ended");
  await fetch(`${edge.url}/test/hide?id=${client.sessionId}&times=0`);
  await client.resume();
  expect(textOf(await client.stream.answerTo(id))).toBe("50");
  expect(textOf(await client.call("add", { a: 2, b: 2 }))).toBe("4");
  client.close();
});
