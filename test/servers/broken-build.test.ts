import { afterAll, beforeAll, describe, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

let fragile: EdgeServer;
beforeAll(async () => void (fragile = await startEdge("test/fixtures/fragile.ts")));
afterAll(() => fragile.close());

const rowsOf = async ({ sessionId }: RawSseClient): Promise<string[]> => (await fragile.inspect(sessionId)).rows;

/** A client whose session has a call running, and whose server cannot be built again for the next `times`. */
async function startCall(breakage: { how: "throw" | "die"; times: number }) {
  const client = await RawSseClient.open(fragile.url);
  await client.call("break", breakage);
  return { client, id: await client.send("tools/call", { name: "wait", arguments: { ms: 3_000 } }) };
}

/** It leaves, and its object dies: only the alarm wakes that. */
async function forsake(client: RawSseClient): Promise<void> {
  client.close();
  while ((await fragile.inspect(client.sessionId)).sockets > 0) continue;
  await fragile.abort(client.sessionId);
}

describe.concurrent("a server that cannot be built again", () => {
  for (const how of ["throw", "die"] as const) {
    test(`because it would ${how}: a forsaken session with a call in it ends all the same`, async ({ expect }) => {
      const { client } = await startCall({ how, times: 1_000 });
      await forsake(client);
      await expect
        .poll(() => fragile.inspect(client.sessionId), { interval: 500 })
        .toMatchObject({ rows: [], alarmAtMs: null });
      const incident = fragile.logs().find((line) => line.startsWith('{"event":"incident"'));
      if (how === "throw") expect(incident).toContain("this version does not start");
    });
  }

  test("but can later: the call is answered, to a client that listens all the time", async ({ expect }) => {
    // When its stream comes back, and at the first alarm.
    const { client, id } = await startCall({ how: "throw", times: 2 });
    await fragile.abort(client.sessionId);
    expect(textOf(await client.stream.answerTo(id))).toBe("waited");
    client.close();
  });

  test("but can when its client comes back: the call runs again, is watched over and answered", async ({ expect }) => {
    const { client, id } = await startCall({ how: "throw", times: 1 });
    await forsake(client);
    expect(await rowsOf(client)).toContain("watch");
    await expect.poll(() => rowsOf(client), { interval: 100 }).not.toContain("watch");
    await client.resume();
    await expect.poll(() => rowsOf(client), { interval: 100 }).toContain("watch");
    expect(textOf(await client.stream.answerTo(id))).toBe("waited");
    client.close();
  });
});
