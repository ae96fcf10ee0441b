import { expect, test } from "vitest";
import { type CpuProfile, timesOf } from "../../lab/bench/cpu-profile.ts";

/** A call tree, deepest last: each function is called by the one before. */
function callChain(names: string[], samples: Record<string, number>): CpuProfile {
  const nodes = names.map((functionName, id) => ({
    id,
    callFrame: { functionName, url: functionName.includes(".ts") ? "worker.js" : "", lineNumber: 0, columnNumber: 0 },
    children: id + 1 < names.length ? [id + 1] : [],
  }));
  const entries = Object.entries(samples);
  return { nodes, samples: entries.map(([name]) => names.indexOf(name)), timeDeltas: entries.map(([, us]) => us) };
}

const originOf = ({ functionName }: { functionName: string }) => {
  if (functionName.startsWith("sdk.ts")) return "the SDK, zod and agents";
  return functionName.startsWith("session.ts") ? "mcp-edge" : undefined;
};

test("a function of the runtime counts for whoever called it, and waiting for nobody", () => {
  const names = ["(root)", "session.ts", "parse", "sdk.ts", "AbortController", "(garbage collector)", "(idle)"];
  const samples = {
    "(root)": 1,
    "session.ts": 2,
    parse: 4,
    "sdk.ts": 8,
    AbortController: 16,
    "(garbage collector)": 32,
  };
  expect(timesOf(callChain(names, { ...samples, "(idle)": 64 }), originOf)).toEqual({
    "the runtime by itself": 1,
    "mcp-edge": 2 + 4,
    "the SDK, zod and agents": 8 + 16,
    "garbage collection": 32,
  });
});
