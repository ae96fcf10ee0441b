import { describe, expect, test } from "vitest";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { TaskClient } from "../support/task-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** Its `url` is the isolate with the objects, `otherUrl` that of a Worker of the other release. */
const startBoth = (previous: "main" | "other"): Promise<WorkerdProcess> =>
  startWorkerd({ main: "test/fixtures/example.ts", isSplit: true, previous });

const longValue = "x".repeat(40_000);

/** What a session does all day: small answers and large ones, parts, several calls at once. */
async function useSession(client: RawSseClient): Promise<void> {
  expect(textOf(await client.call("add", { a: 25, b: 25 }))).toBe("50");
  expect(textOf(await client.call("remember", { key: "k", value: longValue }))).toBe("Remembered k.");
  expect(textOf(await client.call("recall", { key: "k" }))).toBe(longValue);
  const counted = await client.call("countdown", { from: 3, stepMs: 150 }, { progressToken: "p" });
  expect(textOf(counted)).toBe("Counted down from 3.");
  const sums = await Promise.all(Array.from({ length: 20 }, (_, n) => client.call("add", { a: n, b: 1 })));
  expect(sums.map(textOf)).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 1)));
}

/** Cut in a call, it goes on at `base`: the answer is there. */
async function cutInCall(client: RawSseClient, base: string): Promise<RawSseClient> {
  const id = await client.send("tools/call", { name: "countdown", arguments: { from: 2, stepMs: 300 } });
  client.close();
  await client.stream.over;
  const next = await resumed(client, base);
  expect(textOf(await next.stream.answerTo(id))).toBe("Counted down from 2.");
  return next;
}

async function resumed({ endpoint, stream }: RawSseClient, base: string): Promise<RawSseClient> {
  const again = await RawStream.open(`${base}/sse`, { headers: { "last-event-id": stream.lastEventId } });
  const { pathname, search } = new URL(endpoint);
  return new RawSseClient(base, again, `${base}${pathname}${search}`);
}

describe.each([
  ["an old Worker and a new object", "other"],
  ["a new Worker and an old object", "main"],
] as const)("while a deploy goes on, %s", (_, previous) => {
  test("serve a session over HTTP+SSE, through cuts, as two of one release do", async () => {
    const workerd = await startBoth(previous);
    try {
      const first = await RawSseClient.open(workerd.otherUrl);
      await useSession(first);
      const second = await cutInCall(first, workerd.url);
      await useSession(second);
      const third = await cutInCall(second, workerd.otherUrl);
      await useSession(third);
      expect(third.sessionId).toBe(first.sessionId);
      third.close();
    } finally {
      await workerd.close();
    }
  });

  test("serve a session over Streamable HTTP, through a cut, as two of one release do", async () => {
    const workerd = await startBoth(previous);
    try {
      const client = await RawMcpClient.open(workerd.otherUrl);
      const listening = await client.listen();
      const answer = (await (await client.call("add", { a: 25, b: 25 })).json()) as Record<string, unknown>;
      expect(textOf(answer)).toBe("50");
      const cut = await client.callAsStream("countdown", { from: 3, stepMs: 300 });
      // Of the first message, however much came behind it.
      const { id } = await cut.next();
      cut.close();
      const again = await client.listen(id);
      expect(textOf(await again.message((message) => "result" in message))).toBe("Counted down from 3.");
      listening.close();
    } finally {
      await workerd.close();
    }
  });
});

test("while a deploy goes on, an old object that knows no tasks is asked for one: its client is told to send it again", async () => {
  const workerd = await startBoth("main");
  try {
    const refused = await new TaskClient(workerd.otherUrl).call("add", { a: 25, b: 25 });
    expect(refused).toMatchObject({ status: 503, error: { message: expect.stringContaining("send it again") } });
    await workerd.upgrade();
    const answered = await new TaskClient(workerd.otherUrl).call("add", { a: 25, b: 25 });
    expect(answered).toMatchObject({ status: 200, result: { content: [{ text: "50" }] } });
  } finally {
    await workerd.close();
  }
});

test("what the release before stored is read by this one: memory, answers that are owed, a call in the journal", async () => {
  const workerd = await startBoth("main");
  try {
    const client = await RawSseClient.open(workerd.url);
    await useSession(client);
    client.close();
    await client.stream.over;
    // Nobody is there for its answer, which lies in a row.
    const owed = await client.send("tools/call", { name: "recall", arguments: { key: "k" } });
    // A call that runs when the process ends, and may run again.
    const interrupted = await client.send("tools/call", { name: "countdown", arguments: { from: 60, stepMs: 60 } });
    await workerd.upgrade();
    const next = await resumed(client, workerd.url);
    expect(textOf(await next.stream.answerTo(owed))).toBe(longValue);
    expect(textOf(await next.stream.answerTo(interrupted))).toBe("Counted down from 60.");
    await useSession(next);
    next.close();
  } finally {
    await workerd.close();
  }
});
