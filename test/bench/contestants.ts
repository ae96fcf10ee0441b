import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import { offline, root, workerConfig } from "../support/bundle.ts";
import { freePort } from "../support/free-port.ts";
import { workerdBinary } from "../support/workerd-binary.ts";
import { benchFolder, python } from "./peers.ts";

const run = promisify(execFile);

export type ContestantName =
  | "limit"
  | "limit-sdk"
  | "ours"
  | "mcp-agent"
  | "sdk-express"
  | "fastmcp-node"
  | "fastmcp-python";

/** `counted` is this project with a meter on it: nothing to compare speeds with. */
type ServerName = ContestantName | "counted";

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
    await untilServing(port, child);
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

async function untilServing(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 1_500; attempt++) {
    if (child.exitCode !== null) throw new Error("it ended");
    const answered = await fetch(`http://127.0.0.1:${port}/nothing-here`).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it does not serve");
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
    case "mcp-agent": {
      const config = join(place.folder, "config.capnp");
      await writeFile(config, await capnp(`test/bench/contestants/${name}.ts`, place));
      return { file: workerdBinary, args: ["serve", config, "--experimental"] };
    }
    case "sdk-express":
    case "fastmcp-node":
      return { file: process.execPath, args: [join(root, `test/bench/contestants/${name}.ts`), String(place.port)] };
    case "fastmcp-python":
      return { file: python, args: [join(root, "test/bench/contestants/fastmcp-python.py"), String(place.port)] };
  }
}

const bundles = new Map<string, Promise<string>>();

/** Bundles a Worker as a deploy would, once in a run, and returns the folder it is in. */
export function bundleOnce(main: string): Promise<string> {
  const known = bundles.get(main) ?? makeBundle(main);
  bundles.set(main, known);
  return known;
}

async function makeBundle(main: string): Promise<string> {
  const folder = join(benchFolder, "bundles", basename(main, ".ts"));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const config = join(folder, "wrangler.json");
  const base = await workerConfig(main, folder);
  await writeFile(config, JSON.stringify(base));
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", join(folder, "out"), "--metafile"];
  await run(process.execPath, args, { cwd: root, env: { ...process.env, ...offline } });
  return join(folder, "out");
}

async function capnp(main: string, { folder, diskFolder, port }: Place): Promise<string> {
  const { compatibility_date: date, compatibility_flags: flags } = await workerConfig(main);
  const script = relative(folder, join(await bundleOnce(main), `${basename(main, ".ts")}.js`));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = ${JSON.stringify(diskFolder)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  # McpAgent loads it and never uses it here; a plain workerd has none.
  extensions = [(modules = [(name = "cloudflare-internal:email", internal = true, esModule = "export default { EmailMessage: class {} }")])],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${JSON.stringify(script)})],
  compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)},
  bindings = [(name = "SESSION", durableObjectNamespace = "Session")],
  durableObjectNamespaces = [(className = "Session", uniqueKey = "bench", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}
