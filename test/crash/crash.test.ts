import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";

let example: EdgeServer;
let bounded: EdgeServer;
beforeAll(async () => {
  [example, bounded] = await Promise.all([
    startEdge(),
    startEdge("test/fixtures/small-bounds.ts", { options: patient }),
  ]);
});
afterAll(() => Promise.all([example.close(), bounded.close()]));

describe("an object that dies", () => {
  test("crashed between two calls, the stream stays and the next call is answered on it", async () => {
    const client = await RawSseClient.open(example.url);
    await client.call("remember", { key: "k", value: "v" });
    await example.abort(client.sessionId);
    expect(textOf(await client.call("recall", { key: "k" }))).toBe("v");
    client.close();
  });

  test("crashed at the sight of a 202, the answer is there for the resume, whatever it says", async () => {
    for (const text of ["plain", "two\nlines", "a line\u2028and a paragraph\u2029of Unicode's own"]) {
      const client = await RawSseClient.open(bounded.url);
      const { lastEventId } = client.stream;
      const id = await client.send("tools/call", { name: "echo", arguments: { text } });
      await bounded.abort(client.sessionId);
      client.stream.close();
      client.stream = await RawStream.open(`${bounded.url}/sse`, { headers: { "last-event-id": lastEventId } });
      expect(textOf(await client.stream.answerTo(id))).toBe(text);
      client.close();
    }
  });

  test("crashed during a read-only call, the call runs again and is answered on the same stream", async () => {
    const client = await RawSseClient.open(example.url);
    const id = await client.send("tools/call", { name: "countdown", arguments: { from: 3, stepMs: 300 } });
    await example.abort(client.sessionId);
    expect(textOf(await client.stream.answerTo(id))).toBe("Counted down from 3.");
    client.close();
  });

  test("crashed during a call that is not repeatable, the caller is told that it may or may not have run", async () => {
    const client = await RawSseClient.open(bounded.url);
    const id = await client.hold();
    await bounded.abort(client.sessionId);
    const { error } = await client.stream.answerTo(id);
    expect(error).toMatchObject({ code: -32_603, message: expect.stringContaining("may or may not") });
    client.close();
  });

  test("crashed just after the answer to a POST of /mcp, which its client has not got: the resume has it", async () => {
    const client = await RawMcpClient.open(bounded.url);
    const listening = await client.listen();
    const answered = await client.callAsStream("say", { way: "notification", bytes: 1 });
    await answered.answerTo(1);
    const { id } = await answered.next(({ data }) => data.includes("notifications/message"));
    await bounded.abort(client.sessionId);
    const resumed = await client.listen(id);
    expect(textOf(await resumed.answerTo(1))).toBe("said");
    listening.close();
  });

  test("crashed while a call asks something of its client, which has not read it: nobody is asked for nothing", async () => {
    const client = await RawMcpClient.open(bounded.url, { sampling: {} });
    const call = await client.callAsStream("sample");
    await call.message(({ method }) => method === "sampling/createMessage");
    await expect.poll(async () => (await bounded.inspect(client.sessionId)).rows.join()).toMatch(/call.*outbox/);
    await bounded.abort(client.sessionId);
    // As if it had read the first event only, which says where it is.
    const [session, stream = ""] = call.lastEventId.split("/");
    const resumed = await client.listen(`${session}/${stream}/${Number.parseInt(stream.slice(1), 36)}`);
    const { error } = await resumed.message();
    expect(error).toMatchObject({ message: expect.stringContaining("may or may not") });
    resumed.close();
  });

  test("crashed again and again, every call is answered once and no stream ends", async () => {
    const client = await RawSseClient.open(example.url);
    for (let round = 0; round < 5; round++) {
      const id = await client.send("tools/call", { name: "countdown", arguments: { from: 2, stepMs: 200 } });
      await example.abort(client.sessionId);
      expect(textOf(await client.stream.answerTo(id))).toBe("Counted down from 2.");
    }
    const answers = client.stream.events.filter(({ data }) => data.includes('"result"'));
    expect(answers).toEqual([]);
    client.close();
  });
});
