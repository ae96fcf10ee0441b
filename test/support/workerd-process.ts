import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { bundle, workerConfig } from "./bundle.ts";
import { freePort } from "./free-port.ts";
import { workerdBinary } from "./workerd-binary.ts";

/** A Worker served by a plain `workerd serve`: a process that can be killed, on a disk that stays. */
export interface WorkerdProcess {
  /** `http://127.0.0.1:<port>`, the same after every restart. */
  url: string;
  pid(): number;
  /** `kill -9`, and waits until the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and disk. */
  restart(): Promise<void>;
  /** What it wrote to its outputs. */
  output(): string;
  /** Bytes of the databases on its disk. */
  diskFolder: string;
  close(): Promise<void>;
}

export interface WorkerdOptions {
  /** Path of the Worker's module, from the root. */
  main: string;
  /** Modules that the Worker imports and only the platform has, with the source that stands in for each. */
  internalModules?: Record<string, string>;
  /** More command line arguments of `workerd serve`. */
  args?: string[];
}

/** Bundles `main` as a deploy would and serves it. */
export async function startWorkerd({ main, internalModules = {}, args = [] }: WorkerdOptions): Promise<WorkerdProcess> {
  const built = await bundle(main);
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-"));
  const diskFolder = join(folder, "disk");
  await mkdir(diskFolder);
  const port = await freePort();
  const config = join(folder, "config.capnp");
  await writeFile(
    config,
    await capnp({
      script: relative(folder, join(built, "out", `${basename(main, ".ts")}.js`)),
      diskFolder,
      port,
      main,
      internalModules,
    }),
  );

  let output = "";
  let child: ChildProcess | undefined;
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    const started = spawn(workerdBinary, ["serve", config, "--experimental", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    started.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    started.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await untilServing(url, started, () => output);
  };
  const kill = async (): Promise<void> => {
    const dying = child;
    child = undefined;
    if (dying?.pid === undefined || dying.exitCode !== null) return;
    const gone = new Promise((resolve) => dying.once("exit", resolve));
    dying.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    url,
    diskFolder,
    pid: () => child?.pid ?? -1,
    kill,
    restart: start,
    output: () => output,
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Polls rather than waits: the server says nothing when it is ready. */
async function untilServing(url: string, child: ChildProcess, output: () => string): Promise<void> {
  for (let attempt = 0; attempt < 1_500; attempt++) {
    if (child.exitCode !== null) throw new Error(`workerd ended: ${output()}`);
    const isServing = await fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (isServing) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`workerd does not serve: ${output()}`);
}

interface Capnp {
  script: string;
  diskFolder: string;
  port: number;
  main: string;
  internalModules: Record<string, string>;
}

async function capnp({ script, diskFolder, port, main, internalModules }: Capnp): Promise<string> {
  const { compatibility_date: date, compatibility_flags: flags } = await workerConfig(main);
  const modules = Object.entries(internalModules).map(
    ([name, source]) => `(name = ${JSON.stringify(name)}, internal = true, esModule = ${JSON.stringify(source)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = ${JSON.stringify(diskFolder)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  extensions = [(modules = [${modules.join(", ")}])],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${JSON.stringify(script)})],
  compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)},
  bindings = [(name = "SESSION", durableObjectNamespace = "Session")],
  durableObjectNamespaces = [(className = "Session", uniqueKey = "mcp-edge-session", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}
