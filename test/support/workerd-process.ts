import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EdgeOptions } from "../../src/index.ts";
import { freePort } from "./free-port.ts";
import { untilServing } from "./until-serving.ts";
import { workerdBinary } from "../../src/serve/workerd-binary.ts";
import { type MoreConfig, workerdConfig } from "./workerd-config.ts";

/** A Worker served by a plain `workerd serve`: a process that can be killed, on a disk that stays. */
export interface WorkerdProcess {
  /** `http://127.0.0.1:<port>`, the same after every restart. */
  url: string;
  /** The same of a second isolate, if there is one. */
  otherUrl: string;
  pid(): number;
  /** `kill -9`, and waits until the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and disk. */
  restart(): Promise<void>;
  /** `kill -9`, and starts this release on the same port and disk, wherever the one before it ran. */
  upgrade(): Promise<void>;
  /** What it wrote to its outputs. */
  output(): string;
  /** Bytes of the databases on its disk. */
  diskFolder: string;
  close(): Promise<void>;
}

export interface WorkerdOptions {
  /** Path of the Worker's module, from the root. */
  main: string;
  /** More command line arguments of `workerd serve`. */
  args?: string[];
  /** Whether a second isolate serves the same sessions. */
  isSplit?: boolean;
  /** Which of the two isolates runs the release before this one; `main` has the objects. */
  previous?: "main" | "other";
  /** What V8 may have for each isolate, MiB. */
  heapMib?: number;
  /** In the place of those of the fixture, if it reads them. */
  options?: EdgeOptions;
  /** What else the Worker has. */
  more?: MoreConfig;
}

/** Bundles `main` as a deploy would and serves it. */
export async function startWorkerd({
  main,
  args = [],
  isSplit = false,
  previous,
  heapMib,
  options = {},
  more,
}: WorkerdOptions): Promise<WorkerdProcess> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-"));
  const diskFolder = join(folder, "disk");
  await mkdir(diskFolder);
  const port = await freePort();
  const otherPort = isSplit ? await freePort() : undefined;
  const config = join(folder, "config.capnp");
  const place = { main, folder, diskFolder, port, otherPort, heapMib, options, more };
  await writeFile(config, await workerdConfig({ ...place, previous }));

  let output = "";
  let child: ChildProcess | undefined;
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    const started = spawn(workerdBinary(), ["serve", config, "--experimental", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    started.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    started.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await untilServing(url, started).catch((error: unknown) => {
      throw new Error(`workerd: ${String(error)}\n${output}`, { cause: error });
    });
  };
  const kill = async (): Promise<void> => {
    const dying = child;
    child = undefined;
    if (dying?.pid === undefined || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once("exit", resolve));
    dying.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    url,
    otherUrl: `http://127.0.0.1:${otherPort}`,
    diskFolder,
    pid: () => child?.pid ?? -1,
    kill,
    restart: start,
    async upgrade() {
      await kill();
      await writeFile(config, await workerdConfig(place));
      await start();
    },
    output: () => output,
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
