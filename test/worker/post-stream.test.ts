import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textOf } from "../support/raw-client.ts";
import { RawMcpClient } from "../support/raw-mcp-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

let server: WorkerdProcess;
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/post-stream.ts" });
});
afterAll(() => server.close());

const isLog = ({ data }: { data: string }): boolean => data.includes("notifications/message");

/** What a log message says, up to its colon. */
const labelOf = ({ data }: { data: string }): string =>
  (JSON.parse(data) as { params: { data: string } }).params.data.split(":")[0] ?? "";

describe("a call that says more than may wait for its client", () => {
  test.each([
    ["in many messages", { times: 20, bytes: 100_000, answerBytes: 5 }],
    ["in one message", { times: 1, bytes: 1_500_000, answerBytes: 5 }],
    ["in its answer too", { times: 3, bytes: 600_000, answerBytes: 1_500_000 }],
  ])("%s at once is heard in full, in order, by a client that reads", async (_how, args) => {
    const client = await RawMcpClient.open(server.url);
    const stream = await client.callAsStream("talk", args);
    expect(await stream.over).toBe("ended");
    expect(stream.events.filter(isLog).map(labelOf)).toEqual(Array.from({ length: args.times }, (_, n) => String(n)));
    expect(textOf(await stream.answerTo(1))).toHaveLength(args.answerBytes);
  });
});
