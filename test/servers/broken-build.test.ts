import { afterAll, beforeAll, describe, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";

/** Its sessions end 5 s after their clients have left. */
let brief: EdgeServer;
let lasting: EdgeServer;
beforeAll(async () => {
  const main = "test/fixtures/fragile.ts";
  [brief, lasting] = await Promise.all([startEdge(main), startEdge(main, { options: patient })]);
});
afterAll(() => Promise.all([brief.close(), lasting.close()]));

const rowsOf = async (server: EdgeServer, { sessionId }: RawSseClient): Promise<string[]> =>
  (await server.inspect(sessionId)).rows;

interface Breakage {
  how: "throw" | "die";
  times: number;
}

/** A client whose session has a call running, and whose server cannot be built again for the next `times`. */
async function startCall(server: EdgeServer, breakage: Breakage) {
  const client = await RawSseClient.open(server.url);
  await client.call("break", breakage);
  const id = await client.send("tools/call", { name: "hold", arguments: {} });
  const release = (): Promise<Response> => fetch(`${server.url}/release?id=${client.sessionId}`);
  return { client, id, release };
}

/** Its client leaves, and its object dies with the call: only the alarm wakes that. */
async function startForsakenCall(server: EdgeServer, breakage: Breakage): ReturnType<typeof startCall> {
  const started = await startCall(server, breakage);
  const { client } = started;
  client.close();
  while ((await server.inspect(client.sessionId)).sockets > 0) continue;
  await server.abort(client.sessionId);
  // Once more, if the machine took so long that it was over before.
  return (await rowsOf(server, client)).includes("watch") ? started : await startForsakenCall(server, breakage);
}

describe.concurrent("a server that cannot be built again", () => {
  for (const how of ["throw", "die"] as const) {
    test(`because it would ${how}: a forsaken session with a call in it ends all the same`, async ({ expect }) => {
      const { client } = await startForsakenCall(brief, { how, times: 1_000 });
      await expect
        .poll(() => brief.inspect(client.sessionId), { interval: 500 })
        .toMatchObject({ rows: [], alarmAtMs: null });
      if (how === "die") return;
      const incidents = (): string[] => brief.logs().filter((line) => line.startsWith('{"event":"incident"'));
      await expect.poll(() => incidents().join("\n")).toContain("this version does not start");
    });
  }

  test("but can later: the call is answered, to a client that listens all the time", async ({ expect }) => {
    // When its stream comes back, and at the first alarm.
    const { client, id, release } = await startCall(lasting, { how: "throw", times: 2 });
    await lasting.abort(client.sessionId);
    await release();
    expect(textOf(await client.stream.answerTo(id))).toBe("released");
    client.close();
  });

  test("but can when its client comes back: the call runs again, is watched over and answered", async ({ expect }) => {
    const { client, id, release } = await startForsakenCall(lasting, { how: "throw", times: 1 });
    await expect.poll(() => rowsOf(lasting, client), { interval: 100 }).not.toContain("watch");
    await client.resume();
    await expect.poll(() => rowsOf(lasting, client), { interval: 100 }).toContain("watch");
    await release();
    expect(textOf(await client.stream.answerTo(id))).toBe("released");
    client.close();
  });
});
