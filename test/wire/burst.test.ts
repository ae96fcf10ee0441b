import { afterAll, beforeAll, expect, test } from "vitest";
import { RawSseClient, RawStream, textOf } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

const parts = 1_000;

let edge: WorkerdProcess;
beforeAll(async () => void (edge = await startWorkerd({ main: "lab/bench/contestants/ours.ts" })));
afterAll(() => edge.close());

/** What comes on `stream` up to the answer to `id`: which part each is, and its event id. */
async function read(stream: RawStream, id: number) {
  const answer = await stream.answerTo(id);
  const told = stream.events.splice(0).filter(({ data }) => data.includes("notifications/progress"));
  const progress = told.map(({ data }) => (JSON.parse(data) as { params: { progress: number } }).params.progress);
  return { answer, progress, ids: told.map((event) => event.id ?? "") };
}

test("a thousand parts of one turn come in order, each with its id, before the answer; a cut goes on after any of them", async () => {
  const client = await RawSseClient.open(edge.url);
  const id = await client.send("tools/call", {
    name: "tell",
    arguments: { parts, bytes: 100 },
    _meta: { progressToken: "burst" },
  });
  const all = await read(client.stream, id);
  expect(all.progress).toEqual(Array.from({ length: parts }, (_, index) => index + 1));
  expect(new Set(all.ids).size).toBe(parts);
  client.close();
  const headers = { "last-event-id": all.ids[499] ?? "" };
  const again = await RawStream.open(`${edge.url}/sse`, { headers });
  const rest = await read(again, id);
  expect(rest.progress).toEqual(all.progress.slice(500));
  expect(rest.ids).toEqual(all.ids.slice(500));
  expect(textOf(rest.answer)).toBe(textOf(all.answer));
  again.close();
});
