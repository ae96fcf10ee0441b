import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { freePort } from "../support/free-port.ts";
import { root } from "../support/bundle.ts";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** A folder of the test's own, until its end. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "mcp-edge-serve-"));
  cleanUps.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** `mcp-edge build` or `mcp-edge serve`. */
export interface Command {
  pid: number;
  output(): string;
  /** What of it is on stdout. */
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or its signal, once all that it wrote is read. A workerd that outlives it holds its outputs. */
  ended: Promise<number | NodeJS.Signals | null>;
  /** Likewise, once the process itself is gone. */
  exited: Promise<number | NodeJS.Signals | null>;
}

export function command(
  args: string[],
  { cwd = root, env = {} }: { cwd?: string; env?: NodeJS.Dict<string> } = {},
): Command {
  // A test's runner says that it is a test.
  const { NODE_ENV: _, ...inherited } = process.env;
  const child: ChildProcess = spawn(process.execPath, [join(root, "src/serve/main.ts"), ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, stdout] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const until = (event: "exit" | "close"): Command["ended"] =>
    new Promise((done) =>
      child.once(event, (code: number | null, signal: NodeJS.Signals | null) => done(code ?? signal)),
    );
  const [exited, ended] = [until("exit"), until("close")];
  cleanUps.push(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    stdout: () => stdout,
    kill: (signal) => void child.kill(signal),
    ended,
    exited,
  };
}

export interface Place {
  port: number;
  data: string;
}

export async function place(): Promise<Place> {
  return { port: await freePort(), data: join(await folder(), "data") };
}

/** `mcp-edge serve`, once it says that it serves. */
export async function serving(build: string, { port, data }: Place, env: NodeJS.Dict<string> = {}): Promise<Command> {
  const server = command(["serve", build], { env: { PORT: String(port), DATA: data, ...env } });
  await expect.poll(() => server.output()).toContain(`:${port}/sse`);
  return server;
}
