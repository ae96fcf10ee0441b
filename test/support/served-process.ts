import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "../../src/serve/build.ts";
import { bundleDirectory, pageAssets, root, workerConfig } from "./bundle.ts";
import { freePort } from "./free-port.ts";

/** A Worker as `mcp-edge build` and `mcp-edge serve` publish it: two processes, on a disk that stays. */
export interface ServedProcess {
  /** `http://127.0.0.1:<port>`, the same after every restart. */
  url: string;
  port: number;
  /** Where the sessions are. */
  data: string;
  /** That of `serve`, which has nothing to do with a request. */
  pid(): number;
  workerdPid(): Promise<number>;
  /** What both wrote since the last start. */
  output(): string;
  /** SIGTERM, and waits until it has ended. */
  stop(): Promise<void>;
  /** `kill -9` of both, and waits until they are gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and disk. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface ServedOptions {
  /** More of its environment. */
  env?: NodeJS.Dict<string>;
  /** How many files it may have open; as many as this process if not said. */
  descriptors?: number;
}

/** Builds the Worker in `main`, a path from the root, and serves it. */
export async function startServed(main: string, { env = {}, descriptors }: ServedOptions = {}): Promise<ServedProcess> {
  await mkdir(bundleDirectory(), { recursive: true });
  // In this repository, where what it is bundled with is found.
  const folder = await mkdtemp(join(bundleDirectory(), "served-"));
  const config = { ...(await workerConfig(main, folder)), assets: await pageAssets() };
  await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
  const built = await build({ root: folder });
  const [port, data] = [await freePort(), join(folder, "data")];
  const limit = descriptors === undefined ? "" : `ulimit -n ${descriptors}; `;
  const args = [process.execPath, join(root, "src/serve/main.ts"), "serve", built];
  // A test's runner says that it is a test.
  const { NODE_ENV: _, ...inherited } = process.env;

  let child: ChildProcess | undefined;
  let output = "";
  const start = async (): Promise<void> => {
    output = "";
    const started = spawn("/bin/sh", ["-c", `${limit}exec "$0" "$@"`, ...args], {
      env: { ...inherited, PORT: String(port), DATA: data, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    await new Promise<void>((serves, fail) => {
      const hear = (chunk: Buffer): void => {
        output += chunk.toString();
        if (output.includes(`:${port}/sse`)) serves();
      };
      started.stdout.on("data", hear);
      started.stderr.on("data", hear);
      started.once("exit", () => fail(new Error(`it ended: ${output}`)));
    });
  };
  const gone = async (end: (dying: ChildProcess) => void | Promise<void>): Promise<void> => {
    const dying = child;
    child = undefined;
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return;
    // Both have its outputs: they close once the last of them is gone.
    const ended = new Promise((resolve) => dying.once("close", resolve));
    await end(dying);
    await ended;
  };
  const workerdPid = async (): Promise<number> => Number(await readFile(join(data, "workerd.pid"), "utf8"));
  const kill = (): Promise<void> =>
    gone(async (dying) => {
      const inner = await workerdPid();
      dying.kill("SIGKILL");
      process.kill(inner, "SIGKILL");
    });
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    data,
    pid: () => child?.pid ?? -1,
    workerdPid,
    output: () => output,
    stop: () => gone((dying) => void dying.kill("SIGTERM")),
    kill,
    restart: start,
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
