import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../test/support/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";
import { startServed } from "../../test/support/served-process.ts";
import { untilServing } from "../../test/support/until-serving.ts";
import { python } from "./peers.ts";

/** What a user of one machine would choose from. */
export const machineTitles = {
  served: "`mcp-edge serve`",
  "fastmcp-python": "FastMCP (Python) under Uvicorn",
  "fastmcp-node": "fastmcp (TypeScript)",
  "sdk-express": "SDK v1 on express",
} as const;

export type MachineName = keyof typeof machineTitles;

/** How a server is ended: told to, or not asked. */
export const endings = ["SIGTERM", "SIGKILL"] as const;
export type Ending = (typeof endings)[number];

/** A server in a process that can be ended and started again on the same port. */
export interface MachineContestant {
  name: MachineName;
  port: number;
  url: string;
  /** Of the process that answers. */
  pid(): Promise<number>;
  /** Ends it, and starts it again. */
  restart(how: Ending): Promise<void>;
  stop(): Promise<void>;
}

/** What `mcp-edge serve` gives calls by itself, milliseconds; the others end by themselves, or not at all. */
const graceMs = 3_000;

export async function startOnOneMachine(name: MachineName): Promise<MachineContestant> {
  if (name !== "served") return await startPeer(name);
  const served = await startServed("lab/bench/contestants/served.ts");
  return {
    name,
    port: served.port,
    url: served.url,
    pid: () => served.workerdPid(),
    restart: async (how) => {
      await (how === "SIGTERM" ? served.stop() : served.kill());
      await served.restart();
    },
    stop: () => served.close(),
  };
}

/** None outlives the benchmark, however that ends. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

async function startPeer(name: Exclude<MachineName, "served">): Promise<MachineContestant> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = name === "fastmcp-python" ? python : process.execPath;
  const program = join(root, "lab/bench/contestants", name === "fastmcp-python" ? `${name}.py` : `${name}.ts`);
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(file, [program, String(port)], { stdio: "ignore" });
    running.add(started);
    await untilServing(`${url}/nothing-here`, started);
    return started;
  };
  const end = async (dying: ChildProcess, how: Ending): Promise<void> => {
    running.delete(dying);
    if (dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once("exit", resolve));
    dying.kill(how);
    const late = setTimeout(() => dying.kill("SIGKILL"), graceMs);
    await gone;
    clearTimeout(late);
  };
  let child = await start();
  return {
    name,
    port,
    url,
    pid: () => Promise.resolve(child.pid ?? -1),
    restart: async (how) => {
      await end(child, how);
      child = await start();
    },
    stop: () => end(child, "SIGKILL"),
  };
}
