import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import {
  active,
  isExtension,
  type Passed,
  pendingTasks,
  revision20251125,
  revision20260728,
  tasks,
} from "./scenarios.ts";
import { type Check, notPassed, passedCounts, runSuite } from "./suite.ts";

let server: EdgeServer;
let url: string;

beforeAll(async () => {
  server = await startEdge("test/fixtures/conformance.ts");
  url = `${server.url}/mcp`;
});

afterAll(() => server.close());

test("every active scenario of release 0.1 passes", async () => {
  expectAllPassed(await runSuite("conformance-0-1", { url }), active);
});

test("a client whose stream is closed in a call polls for the answer (pending in release 0.1)", async () => {
  const selection = ["--scenario", "server-sse-polling"];
  expectAllPassed(await runSuite("conformance-0-1", { url, selection }), { "server-sse-polling": 3 });
});

test("every scenario that revision 2025-11-25 requires passes, and those that are run besides", async () => {
  const selection = ["--requirements", "2025-11-25"];
  expectAllPassed(await runSuite("conformance-0-2", { url, selection }), revision20251125);
});

test("every scenario that revision 2026-07-28 requires passes, and those that are run besides", async () => {
  const selection = ["--requirements", "2026-07-28"];
  expectAllPassed(await runSuite("conformance-0-2", { url, selection }), revision20260728);
});

test("every scenario of the extension Tasks passes", async () => {
  const results = new Map<string, Check[]>();
  for (const scenario of Object.keys(tasks)) {
    const run = await runSuite("conformance-0-2", { url, selection: ["--scenario", scenario] });
    for (const [name, checks] of run) results.set(name, checks);
  }
  expect(notPassed(results, results.keys())).toEqual(pendingTasks);
  expect(passedCounts(results, results.keys())).toEqual(tasks);
});

/** A warning is a failure here: the suite gives it for what a server should do, and for what it could not test. */
function expectAllPassed(results: Map<string, Check[]>, expected: Passed): void {
  const scenarios = [...results.keys()].filter((scenario) => !isExtension(scenario));
  expect(notPassed(results, scenarios)).toEqual([]);
  expect(passedCounts(results, scenarios)).toEqual(expected);
}
