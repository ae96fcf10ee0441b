import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { EdgeOptions } from "../../src/index.ts";
import { root } from "../../test/support/bundle.ts";
import { startEdge } from "../../test/support/edge-server.ts";
import { freePort } from "../../test/support/free-port.ts";
import { startServed } from "../../test/support/served-process.ts";
import { startWorkerd, type WorkerdOptions } from "../../test/support/workerd-process.ts";
import { startNginx } from "../self-hosted/nginx.ts";

/** A server under torture, and the faults it can be made to suffer. */
export interface Contestant {
  name: string;
  url: string;
  /** What each request of a client has, if it asks for a login. */
  headers?: Record<string, string>;
  /** Evicts a session's object, if it has one. */
  evict?: (sessionId: string) => Promise<void>;
  /** Crashes a session's object, if it has one. */
  abort?: (sessionId: string) => Promise<void>;
  /** The keys of what an object has stored. */
  rowsOf?: (id: string) => Promise<string[]>;
  /** Kills the process and starts it again on the same disk. */
  killAndRestart?: () => Promise<void>;
  close(): Promise<void>;
}

/** How the names of this project's contestants begin. */
export const ours = "mcp-edge";

/** This project with a login by keys, in a plain workerd, which can be killed. */
export async function guardedInProcess(options: EdgeOptions = {}): Promise<Contestant> {
  const main = "test/fixtures/torture-keys.ts";
  const contestant = await inProcess(`${ours} with keys: cuts, kill -9`, { main, options });
  return { ...contestant, headers: { authorization: "Bearer torture-key" } };
}

/** This project in wrangler's test harness, which can evict and crash single objects. */
export function edgeInHarness(options: EdgeOptions = {}): Promise<Contestant> {
  return inHarness(`${ours}: cuts, evictions, crashes`, "test/fixtures/torture.ts", options);
}

/** Where calls of the stateless revision become tasks. */
export function tasksInHarness(): Promise<Contestant> {
  return inHarness(`${ours}, tasks: cuts, evictions, crashes`, "test/fixtures/torture-tasks.ts");
}

/** Likewise, in a plain workerd. */
export function tasksInProcess(): Promise<Contestant> {
  return inProcess(`${ours}, tasks: cuts, kill -9`, { main: "test/fixtures/torture-tasks.ts" });
}

async function inHarness(name: string, main: string, options: EdgeOptions = {}): Promise<Contestant> {
  const edge = await startEdge(main, { options });
  return {
    name,
    url: edge.url,
    rowsOf: async (id) => (await edge.inspect(id)).rows,
    evict: async (id) => {
      // Only an object that runs can be evicted, and it may have been evicted a moment ago.
      await edge.inspect(id);
      await edge.evict(id);
    },
    abort: (id) => edge.abort(id),
    close: () => edge.close(),
  };
}

/** This project in a plain workerd, which can be killed. */
export async function edgeInProcess(options: EdgeOptions = {}): Promise<Contestant> {
  return await inProcess(`${ours}: cuts, kill -9`, { main: "test/fixtures/torture.ts", options });
}

/** This project as `mcp-edge serve` serves it, behind nginx: what is killed is all of it. */
export async function edgeServed(): Promise<Contestant> {
  const served = await startServed("test/fixtures/torture.ts");
  const nginx = await startNginx(served.port);
  return {
    name: `${ours} serve, behind nginx: cuts, kill -9`,
    url: nginx.url,
    killAndRestart: async () => {
      await served.kill();
      await served.restart();
    },
    close: async () => {
      await nginx.close();
      await served.close();
    },
  };
}

/** `McpAgent.serveSSE` of `agents`, likewise. */
export async function mcpAgentInProcess(): Promise<Contestant> {
  return await inProcess("McpAgent.serveSSE: cuts, kill -9", { main: "lab/torture/peers/mcp-agent.ts" });
}

async function inProcess(name: string, options: WorkerdOptions): Promise<Contestant> {
  const server = await startWorkerd(options);
  return {
    name,
    url: server.url,
    killAndRestart: async () => {
      await server.kill();
      await server.restart();
    },
    close: () => server.close(),
  };
}

/** The SDK's `SSEServerTransport` on Node. */
export async function nodeTransport(): Promise<Contestant> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const program = join(root, "lab/torture/peers/node-sse.ts");
    child = spawn(process.execPath, [program, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((resolve) => child?.stdout?.once("data", () => resolve()));
  };
  const kill = async (): Promise<void> => {
    const gone = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    name: "SSEServerTransport on Node: cuts, kill -9",
    url,
    killAndRestart: async () => {
      await kill();
      await start();
    },
    close: kill,
  };
}
