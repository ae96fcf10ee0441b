import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Inspection } from "../fixtures/inspectable.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import { openLane } from "../support/wire-lanes.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Prints each span that it is told of, and its attributes. */
const tail = `export default { tailStream: () => ({ event }) => {
  if (event.type === "spanOpen") console.log("SPAN " + event.name);
  if (event.type === "attributes") for (const { name, value } of event.info) console.log("ATTRIBUTE " + name + "=" + value);
} }`;

let edge: WorkerdProcess;
beforeAll(async () => {
  edge = await startWorkerd({
    main: "test/fixtures/example.ts",
    more: {
      services: `(name = "tail", worker = .tail),`,
      worker: `streamingTails = ["tail"],`,
      constants: `const tail :Workerd.Worker = (
  modules = [(name = "tail.js", esModule = ${JSON.stringify(tail)})],
  compatibilityDate = "2026-11-24",
  compatibilityFlags = ["experimental", "streaming_tail_worker"],
);`,
    },
  });
});
afterAll(() => edge.close());

test.each(["/sse", "/mcp", "stateless"] as const)(
  "a call over %s is a span that names its caller's trace",
  async (lane) => {
    const client = await openLane(lane, { base: edge.url, stdioMain: "" });
    const trace = traceparent.replace("0af7", { "/sse": "0001", "/mcp": "0002", stateless: "0003" }[lane]);
    await client.ask("tools/call", { name: "add", arguments: { a: 1, b: 2 } }, { traceparent: trace });
    await expect.poll(() => edge.output()).toContain(`ATTRIBUTE mcp.traceparent=${trace}`);
    const expected = ["SPAN tools/call add", `ATTRIBUTE mcp.lane=${lane.replace("/", "")}`, "ATTRIBUTE mcp.outcome=ok"];
    await expect.poll(() => expected.filter((line) => !edge.output().includes(line))).toEqual([]);
    client.close();
  },
);

test("traced, a session over HTTP+SSE survives a cut and a crash", async () => {
  const client = await RawSseClient.open(edge.url);
  await client.call("remember", { key: "k", value: "v" });
  const cut = await client.send("tools/call", { name: "countdown", arguments: { from: 3, stepMs: 200 } });
  await client.resume();
  expect(textOf(await client.stream.answerTo(cut))).toBe("Counted down from 3.");
  const crashed = await client.send("tools/call", { name: "countdown", arguments: { from: 3, stepMs: 200 } });
  await fetch(`${edge.url}/test/abort?id=${client.sessionId}`);
  expect(textOf(await client.stream.answerTo(crashed))).toBe("Counted down from 3.");
  client.close();
});

test("traced, it hibernates with its stream open", async () => {
  const client = await RawSseClient.open(edge.url);
  await client.call("remember", { key: "k", value: "v" });
  const constructions = async () => {
    const response = await fetch(`${edge.url}/test/inspect?id=${client.sessionId}`);
    const inspection: Inspection = await response.json();
    return inspection.constructions;
  };
  const before = await constructions();
  const afterwards = async () => {
    // The platform hibernates an object that has had nothing to do for 10 s, or later if the machine had no time for it.
    await passing(12_000);
    return await constructions();
  };
  await expect.poll(afterwards).toBe(before + 1);
  expect(textOf(await client.call("recall", { key: "k" }))).toBe("v");
  client.close();
});
