import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { kitDirectory, type KitState, prepareKit, pythonOf } from "../matrix/kits.ts";
import type { BegunTask, TaskTortureClient } from "./task-clients.ts";

/** FastMCP with its package for tasks; installed, unless it is. */
export const prepareFastMcp = (): Promise<KitState> => prepareKit("python-tasks");

interface Reply {
  id: number;
  text?: string;
  taskId?: string;
  /** Why there is neither: the connection ended before. */
  cut?: string;
  error?: string;
}

/** How long it may take to connect, and until a call is answered or a task, milliseconds. */
const patienceMs = 60_000;

/** FastMCP's client in a process of its own, which is told a line for each thing to do. */
export class FastMcp implements TaskTortureClient {
  readonly kind = "fastmcp";
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  private constructor(base: string) {
    const program = join(import.meta.dirname, "fastmcp_client.py");
    this.#child = spawn(pythonOf(kitDirectory("python-tasks")), [program, `${base}/mcp`], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const lines = createInterface({ input: this.#child.stdout ?? process.stdin });
    lines.on("line", (line) => {
      const reply = JSON.parse(line) as Reply;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    this.#child.on("exit", () => {
      for (const [id, resolve] of this.#waiting) resolve({ id, error: "FastMCP has ended" });
    });
  }

  static async connect(base: string): Promise<FastMcp> {
    const client = new FastMcp(base);
    await client.#ask({ do: "connect" });
    return client;
  }

  async begin(name: string, args: Record<string, unknown>): Promise<string | BegunTask> {
    const { text = "", taskId, cut } = await this.#ask({ do: "begin", name, args });
    if (cut !== undefined) throw new TypeError("fetch failed", { cause: cut });
    if (taskId === undefined) return text;
    return {
      taskId,
      settle: async (timeoutMs) => (await this.#ask({ do: "settle", taskId, timeoutMs })).text ?? "",
      cancel: async () => {
        await this.#ask({ do: "cancel", taskId, timeoutMs: 10_000 });
      },
    };
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin?.end();
    await gone;
  }

  async #ask(what: Record<string, unknown>): Promise<Reply> {
    const id = ++this.#lastId;
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, timeoutMs: patienceMs, ...what })}\n`);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  }
}
