import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../test/support/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";
import { untilServing } from "../../test/support/until-serving.ts";
import { workerdBinary } from "../../src/serve/workerd-binary.ts";
import { workerdConfig } from "../../test/support/workerd-config.ts";
import { python } from "./peers.ts";

export type ContestantName =
  | "limit"
  | "limit-sdk"
  | "ours"
  | "mcp-agent"
  | "sdk-express"
  | "fastmcp-node"
  | "fastmcp-python";

/** Servers of real size: they are compared with each other only. */
export type LargeName = "large-ours" | "large-mcp-agent";

/** This project when nobody sees its calls, and when a hook does: they are compared with itself. */
type EyesName = "eyes-off" | "eyes-hooked";

/** `counted` is this project with a meter on it: nothing to compare speeds with. */
type ServerName = ContestantName | LargeName | EyesName | "counted";

/** What a contestant is called in a table. */
export const titles: Record<ContestantName, string> = {
  limit: "limit (same hops, no MCP)",
  "limit-sdk": "limit + SDK",
  ours: "mcp-edge",
  "mcp-agent": "McpAgent",
  "sdk-express": "SDK v1 on express",
  "fastmcp-node": "fastmcp (TypeScript)",
  "fastmcp-python": "FastMCP (Python)",
};

export const onWorkerd: ContestantName[] = ["limit", "limit-sdk", "ours", "mcp-agent"];

/** None outlives the benchmark, however that ends. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Path of the module of a contestant that is a Worker, from the root. */
export function mainOf(name: ServerName): string {
  return `lab/bench/contestants/${name}.ts`;
}

/** A server in a process of its own. */
export interface Contestant<Name extends ServerName = ContestantName> {
  name: Name;
  port: number;
  pid: number;
  /** Where its databases are. */
  diskFolder: string;
  stop(): Promise<void>;
}

export async function startContestant<Name extends ServerName>(name: Name): Promise<Contestant<Name>> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-bench-"));
  const diskFolder = join(folder, "disk");
  await mkdir(diskFolder);
  const port = await freePort();
  const { file, args } = await commandOf(name, { folder, diskFolder, port });
  // What they log goes to a file: to read it here would be work for the client.
  const log = await open(join(folder, "log"), "w");
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", log.fd, log.fd] });
  running.add(child);
  const stop = async (): Promise<void> => {
    await end(child);
    running.delete(child);
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilServing(`http://127.0.0.1:${port}/nothing-here`, child);
  } catch (error) {
    const output = await readFile(join(folder, "log"), "utf8");
    await stop();
    throw new Error(`${name}: ${String(error)}\n${output.slice(-2_000)}`, { cause: error });
  }
  return { name, port, pid: child.pid ?? -1, diskFolder, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

interface Place {
  folder: string;
  diskFolder: string;
  port: number;
}

async function commandOf(name: ServerName, place: Place): Promise<{ file: string; args: string[] }> {
  switch (name) {
    case "limit":
    case "limit-sdk":
    case "ours":
    case "counted":
    case "mcp-agent":
    case "large-ours":
    case "large-mcp-agent":
    case "eyes-off":
    case "eyes-hooked": {
      const config = join(place.folder, "config.capnp");
      await writeFile(config, await workerdConfig({ main: mainOf(name), ...place }));
      return { file: workerdBinary(), args: ["serve", config, "--experimental"] };
    }
    case "sdk-express":
    case "fastmcp-node":
      return { file: process.execPath, args: [join(root, `lab/bench/contestants/${name}.ts`), String(place.port)] };
    case "fastmcp-python":
      return { file: python, args: [join(root, "lab/bench/contestants/fastmcp-python.py"), String(place.port)] };
  }
}
