import { spawn } from "node:child_process";
import { root } from "../support/bundle.ts";

/** Before a test's own time is over, which would not show what was written instead, milliseconds. */
const patienceMs = 150_000;

/** An npm script, run as a user runs it. */
export interface NpmRun {
  readonly pid: number | undefined;
  /** What it wrote to its outputs so far, without colours. */
  output(): string;
  /**
   * Settles once `wanted` was written, so many `times`; rejects with all that was, if the script ends before, or writes it not
   * within `patienceMs`.
   */
  written(wanted: string, times?: number): Promise<void>;
  /** The exit code, once its outputs are closed by all processes that it started. */
  readonly ended: Promise<number | null>;
  /** SIGTERM to npm alone, as a supervisor does. */
  terminate(): void;
  /** `kill -9` of npm alone, or of its script as well. */
  kill(whom: "npm" | "both"): void;
  /** Ctrl-C: SIGINT to npm and everything that it started, as a terminal does. */
  interrupt(): void;
}

/** Runs `npm <args>`, in the repository if no other folder is given, with `env` beside the environment of the tests. */
export function npmRun(args: string[], cwd = root, env: NodeJS.Dict<string> = {}): NpmRun {
  const options = { cwd, detached: true, env: { ...process.env, ...env } };
  const child = spawn("npm", args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let isOver = false;
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const waiter of waiting.splice(0)) waiter();
  };
  const note = (chunk: Buffer): void => {
    // oxlint-disable-next-line no-control-regex -- colours are control characters
    output += chunk.toString().replaceAll(/\u001b\[[\d;]*m/g, "");
    wake();
  };
  child.stdout.on("data", note);
  child.stderr.on("data", note);
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      isOver = true;
      wake();
      resolve(code);
    });
  });
  const signal = (pid: number | undefined, name: NodeJS.Signals): void => {
    if (pid !== undefined && !isOver) process.kill(pid, name);
  };
  const group = child.pid === undefined ? undefined : -child.pid;
  return {
    pid: child.pid,
    output: () => output,
    ended,
    async written(wanted, times = 1) {
      let isLate = false;
      const late = setTimeout(() => {
        isLate = true;
        wake();
      }, patienceMs);
      while (output.split(wanted).length <= times) {
        const why = isOver ? "ended" : "has gone on for long";
        if (isOver || isLate) throw new Error(`npm ${args.join(" ")} ${why} without "${wanted}":\n${output}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      clearTimeout(late);
    },
    terminate: () => signal(child.pid, "SIGTERM"),
    kill: (whom) => signal(whom === "npm" ? child.pid : group, "SIGKILL"),
    interrupt: () => signal(group, "SIGINT"),
  };
}
