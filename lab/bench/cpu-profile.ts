import { sourcesOf } from "./source-map.ts";

interface CallFrame {
  functionName: string;
  /** Of a function of the runtime: empty, or a module of its own. */
  url: string;
  lineNumber: number;
  columnNumber: number;
}

/** `Profiler.Profile` of the DevTools protocol: a call tree, what ran at each sample, and microseconds since the one before. */
export interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/**
 * Whose code ran, or for whom the runtime did. Those two cannot be told apart: many functions of the runtime are no node of
 * the tree, so their time is that of their caller.
 */
export const origins = [
  "mcp-edge",
  "the bare hops",
  "the SDK, zod and agents",
  "garbage collection",
  "the runtime by itself",
] as const;

export type Origin = (typeof origins)[number];

/** Microseconds by origin. The time in which nothing was to be done is not in it. */
export type Times = Partial<Record<Origin, number>>;

/** What the bundle is called in `workerdConfig`. */
const workerScript = "worker.js";

/** Tells whose code a function of a bundle is, by the bundle's source map. */
export async function originsIn(script: string): Promise<(frame: CallFrame) => Origin | undefined> {
  const sourceAt = await sourcesOf(script);
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.endsWith(workerScript)) return undefined;
    const source = sourceAt(lineNumber, columnNumber) ?? "";
    if (source.includes("node_modules/")) return "the SDK, zod and agents";
    return source.includes("lab/bench/") ? "the bare hops" : "mcp-edge";
  };
}

/** Adds up a profile. */
export function timesOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  originOf: (frame: CallFrame) => Origin | undefined,
): Times {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const found = new Map(nodes.map(({ id }) => [id, find(id)]));
  const times: Times = {};
  for (const [index, sample] of samples.entries()) {
    const origin = found.get(sample);
    if (origin !== undefined) times[origin] = (times[origin] ?? 0) + (timeDeltas[index] ?? 0);
  }
  return times;

  function find(id: number): Origin | undefined {
    const frame = byId.get(id)?.callFrame;
    if (frame === undefined || frame.functionName === "(idle)") return undefined;
    if (frame.functionName === "(garbage collector)") return "garbage collection";
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
      const caller = byId.get(at)?.callFrame;
      const origin = caller && originOf(caller);
      if (origin !== undefined) return origin;
    }
    return "the runtime by itself";
  }
}
