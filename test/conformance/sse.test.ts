import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { RawSseClient } from "../support/raw-client.ts";
import { type Bridge, startBridge } from "./bridge.ts";
import { active, notOverSse, type Passed, revision20251125 } from "./scenarios.ts";
import { type Check, listScenarios, notPassed, passedCounts, passedScenarios, runSuite } from "./suite.ts";

let server: EdgeServer;
let bridge: Bridge;
/** By release, then by scenario. */
let results: { "conformance-0-1": Map<string, Check[]>; "conformance-0-2": Map<string, Check[]> };

const named = notOverSse.flatMap(({ scenarios }) => scenarios);

beforeAll(async () => {
  server = await startEdge("test/fixtures/conformance.ts");
  bridge = await startBridge(`${server.url}/sse`);
  const { url } = bridge;
  results = {
    "conformance-0-1": await runSuite("conformance-0-1", { url }),
    "conformance-0-2": await runSuite("conformance-0-2", { url, selection: ["--requirements", "2025-11-25"] }),
  };
});

afterAll(async () => {
  await bridge.close();
  await server.close();
});

test("every active scenario of release 0.1 that can be run over HTTP+SSE passes", () => {
  expectPassedOverSse("conformance-0-1", active);
});

test("every scenario of revision 2025-11-25 that can be run over HTTP+SSE passes", () => {
  expectPassedOverSse("conformance-0-2", revision20251125);
});

test("each scenario was run in an HTTP+SSE session of its own", () => {
  const runs = results["conformance-0-1"].size + results["conformance-0-2"].size;
  expect(bridge.sessionCount()).toBeGreaterThanOrEqual(runs);
});

test.each(["conformance-0-1", "conformance-0-2"] as const)(
  "each scenario of %s passes over HTTP+SSE, or is named with the reason why it cannot",
  async (release) => {
    const passed = new Set(Object.values(results).flatMap(passedScenarios));
    const scenarios = await listScenarios(release);
    expect(scenarios.filter((scenario) => !passed.has(scenario) && !named.includes(scenario))).toEqual([]);
  },
);

test("each scenario that is named still exists, and is named once", async () => {
  const known = new Set(await listScenarios("conformance-0-2"));
  expect(named.filter((scenario) => !known.has(scenario))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});

test("a client that begins revision 2026-07-28 over HTTP+SSE is told that the method is unknown", async () => {
  const client = await RawSseClient.connect(server.url);
  expect(await client.request("server/discover")).toMatchObject({ error: { code: -32_601 } });
  client.close();
});

function expectPassedOverSse(release: keyof typeof results, expected: Passed): void {
  const run = results[release];
  const scenarios = [...run.keys()].filter((scenario) => !named.includes(scenario));
  expect(notPassed(run, scenarios)).toEqual([]);
  const expectedHere = Object.entries(expected).filter(([scenario]) => !named.includes(scenario));
  expect(passedCounts(run, scenarios)).toEqual(Object.fromEntries(expectedHere));
}
