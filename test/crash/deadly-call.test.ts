import { afterAll, beforeAll, describe, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

let fragile: EdgeServer;
beforeAll(async () => void (fragile = await startEdge("test/fixtures/fragile.ts")));
afterAll(() => fragile.close());

async function runsOf({ sessionId }: RawSseClient): Promise<number> {
  return Number(await (await fetch(`${fragile.url}/runs?id=${sessionId}`)).text());
}

describe("a read-only call that kills its object each time", () => {
  for (const [when, afterMs] of [
    ["after a while", 400],
    ["in the turn in which it is called", 0],
  ] as const) {
    test.concurrent(`${when}, is run three times, and its caller is told; the session goes on`, async ({ expect }) => {
      const client = await RawSseClient.open(fragile.url);
      const id = await client.send("tools/call", { name: "die", arguments: { afterMs } });
      // Its first run waits for that: it is in the journal by then, however slow the machine is.
      await fragile.abort(client.sessionId);
      const { error } = await client.stream.answerTo(id);
      expect(error).toMatchObject({ code: -32_603, message: expect.stringContaining("may or may not") });
      expect(await runsOf(client)).toBe(3);
      expect(textOf(await client.call("wait", { ms: 0 }))).toBe("waited");
      expect((await fragile.inspect(client.sessionId)).rows.filter((row) => row.startsWith("call/"))).toEqual([]);
      client.close();
    });
  }

  test.concurrent("is not run for ever when its client is gone", async ({ expect }) => {
    const client = await RawSseClient.open(fragile.url);
    await client.send("tools/call", { name: "die", arguments: { afterMs: 400 } });
    client.close();
    await fragile.abort(client.sessionId);
    await expect
      .poll(() => fragile.inspect(client.sessionId), { timeout: 150_000, interval: 500 })
      .toMatchObject({ rows: [], alarmAtMs: null });
    expect(await runsOf(client)).toBeLessThanOrEqual(3);
  });
});
