import type { CallToolResult, GetPromptResult, ReadResourceResult } from "@modelcontextprotocol/client";
import { computed, signal } from "@preact/signals";
import { currentClient } from "./current-client.ts";
import { sentenceOf } from "./offer.ts";

/** What was said while a call ran. */
export interface Part {
  key: number;
  /** Milliseconds since the call was sent. */
  afterMs: number;
  kind: "progress" | "log" | "connection";
  text: string;
}

export type Outcome =
  | { kind: "tool"; result: CallToolResult }
  | { kind: "resource"; result: ReadResourceResult }
  | { kind: "prompt"; result: GetPromptResult }
  | { kind: "error"; sentence: string }
  | { kind: "cancelled" };

/** One call of a tool, read of a resource, or get of a prompt. */
export interface Run {
  key: number;
  /** What was run: kind and name, as in `chosen`. */
  of: string;
  startedAtMs: number;
  progress: { done: number; total: number | undefined } | undefined;
  parts: readonly Part[];
  outcome: Outcome | undefined;
  tookMs: number | undefined;
}

/** The latest of each, by what was run. */
export const runs = signal<ReadonlyMap<string, Run>>(new Map());

/** The keys of those that have no outcome yet. */
export const runningCalls = computed(() =>
  Array.from(runs.value.values())
    .filter(({ outcome }) => outcome === undefined)
    .map(({ key }) => key),
);

export function isRunning(of: string): boolean {
  const run = runs.value.get(of);
  return run !== undefined && run.outcome === undefined;
}

/** So many parts of a run are shown: the newest. */
const mostParts = 200;

/** No bound of the page's own ends a call: the server has its own, and the person a button. Milliseconds. */
const noTimeoutMs = 2 ** 31 - 1;

let made = 0;
const cancels = new Map<number, AbortController>();

export function cancelRun({ key }: Run): void {
  cancels.get(key)?.abort("cancelled");
}

export const callTool = (name: string, args: Record<string, unknown>): Promise<void> =>
  start(`tools ${name}`, async (options) => ({
    kind: "tool",
    result: await currentClient().callTool({ name, arguments: args }, options),
  }));

export const readResource = (of: string, uri: string): Promise<void> =>
  start(of, async (options) => ({
    kind: "resource",
    result: await currentClient().readResource({ uri }, { ...options, cacheMode: "refresh" }),
  }));

export const getPrompt = (name: string, args: Record<string, string>): Promise<void> =>
  start(`prompts ${name}`, async (options) => ({
    kind: "prompt",
    result: await currentClient().getPrompt({ name, arguments: args }, options),
  }));

interface RunOptions {
  signal: AbortSignal;
  timeout: number;
  onprogress(progress: { progress: number; total?: number | undefined; message?: string | undefined }): void;
}

async function start(of: string, send: (options: RunOptions) => Promise<Outcome>): Promise<void> {
  const key = (made += 1);
  const controller = new AbortController();
  cancels.set(key, controller);
  const startedAtMs = performance.now();
  put({ key, of, startedAtMs, progress: undefined, parts: [], outcome: undefined, tookMs: undefined });
  const onprogress: RunOptions["onprogress"] = ({ progress: done, total, message }) => {
    // It only ever increases (Progress, Behavior Requirements): what does not was sent again, after a cut.
    if (done <= (runs.value.get(of)?.progress?.done ?? -Infinity)) return;
    const counted = total === undefined ? String(done) : `${done} of ${total}`;
    change(key, (run) => ({ ...run, progress: { done, total } }));
    addPart(key, "progress", message === undefined ? counted : `${counted}: ${message}`);
  };
  let outcome: Outcome;
  try {
    outcome = await send({ signal: controller.signal, timeout: noTimeoutMs, onprogress });
  } catch (error) {
    outcome = controller.signal.aborted ? { kind: "cancelled" } : { kind: "error", sentence: sentenceOf(error) };
  }
  cancels.delete(key);
  change(key, (run) => ({ ...run, outcome, tookMs: performance.now() - run.startedAtMs }));
}

/** A log line belongs to no call, so all that run show it. */
export function noteLog({ level, logger, data }: { level: string; logger?: string | undefined; data: unknown }): void {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  noteInRuns("log", `${level}${logger === undefined ? "" : ` ${logger}`}: ${text}`);
}

/** What became of the connection, in all that run. */
export function noteInRuns(kind: Part["kind"], text: string): void {
  for (const run of runs.value.values()) if (run.outcome === undefined) addPart(run.key, kind, text);
}

let parts = 0;

function addPart(key: number, kind: Part["kind"], text: string): void {
  change(key, (run) => {
    const part = { key: (parts += 1), afterMs: performance.now() - run.startedAtMs, kind, text };
    return { ...run, parts: [...run.parts, part].slice(-mostParts) };
  });
}

function change(key: number, changed: (run: Run) => Run): void {
  const run = Array.from(runs.value.values()).find((one) => one.key === key);
  if (run !== undefined) put(changed(run));
}

function put(run: Run): void {
  runs.value = new Map(runs.value).set(run.of, run);
}
