import { afterAll, beforeAll, expect, test } from "vitest";
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

// Not over /sse: under a streaming tail, workerd 1.20261117 answers no session over HTTP+SSE, with spans or without.
test.each(["/mcp", "stateless"] as const)("a call over %s is a span that names its caller's trace", async (lane) => {
  const client = await openLane(lane, { base: edge.url, stdioMain: "" });
  const trace = traceparent.replace("0af7", { "/mcp": "0002", stateless: "0003" }[lane]);
  await client.ask("tools/call", { name: "add", arguments: { a: 1, b: 2 } }, { traceparent: trace });
  await expect.poll(() => edge.output()).toContain(`ATTRIBUTE mcp.traceparent=${trace}`);
  const expected = ["SPAN tools/call add", `ATTRIBUTE mcp.lane=${lane.replace("/", "")}`, "ATTRIBUTE mcp.outcome=ok"];
  await expect.poll(() => expected.filter((line) => !edge.output().includes(line))).toEqual([]);
  client.close();
});
