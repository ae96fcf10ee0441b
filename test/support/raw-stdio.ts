import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { initialize } from "./raw-client.ts";

/** A stdio server in a process of its own, and all that it writes. */
export interface RawStdio {
  /** Lines of stdout so far. */
  readonly lines: string[];
  /** What came on stderr so far. */
  stderr(): string;
  /** Writes a line as it is. */
  write(line: string): void;
  /** Calls a tool, and settles with the message that answers. */
  call(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Ends stdin, as a client does that leaves. */
  end(): void;
  /** Reads stdout no more, as a client does that died. */
  closeOutput(): void;
  /** Reads stderr no more. */
  closeErrors(): void;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it, once its outputs are closed. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Runs `script` with the Node of the tests, and initializes a session. */
export async function startStdio(script: string): Promise<RawStdio> {
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "pipe"] });
  const lines: string[] = [];
  const answers = new Map<unknown, (message: Record<string, unknown>) => void>();
  let stderr = "";
  let calls = 0;
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    const message = parsed(line);
    answers.get(message["id"])?.(message);
  });
  // Whoever writes to a process that is gone is told by `ended`.
  child.stdin.on("error", () => undefined);
  const write = (line: string): void => void child.stdin.write(`${line}\n`);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  const request = (message: Record<string, unknown> & { id: string }): Promise<Record<string, unknown>> => {
    const answered = new Promise<Record<string, unknown>>((resolve) => answers.set(message.id, resolve));
    write(JSON.stringify(message));
    const over = ended.then((how) => {
      throw new Error(`The server ended (${how}) before it answered ${message.id}:\n${stderr}`);
    });
    return Promise.race([answered, over]);
  };
  await request(initialize());
  write(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
  return {
    lines,
    stderr: () => stderr,
    write,
    call: (name, args = {}) =>
      request({ jsonrpc: "2.0", id: `call-${++calls}`, method: "tools/call", params: { name, arguments: args } }),
    end: () => void child.stdin.end(),
    closeOutput: () => void child.stdout.destroy(),
    closeErrors: () => void child.stderr.destroy(),
    signal: (name) => void child.kill(name),
    ended,
  };
}

/** A line that is no JSON, which a server must not write, answers nothing. */
function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
