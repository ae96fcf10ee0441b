import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { offline, root, workerConfig } from "../support/bundle.ts";
import { median } from "./rounds.ts";

const run = promisify(execFile);
const startUps = 5;

/** What is uploaded by a deploy, and what it does before its first request. */
export interface Artifact {
  /** The minified bundle, compressed, bytes. */
  gzipBytes: number;
  /** CPU time of loading it, on this machine, milliseconds: the active time of `wrangler check startup`. */
  startUpMs: number;
}

/** Of the Worker in `main`, a path from the root, by our own wrangler.toml with `changes`. */
export async function measureArtifact(main: string, changes: Record<string, unknown> = {}): Promise<Artifact> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-artifact-"));
  try {
    const config = join(folder, "wrangler.json");
    await writeFile(config, JSON.stringify({ ...(await workerConfig(main, folder)), ...changes }));
    await wrangler(["deploy", "--dry-run", "--config", config, "--outdir", join(folder, "out")]);
    const script = await readFile(join(folder, "out", main.replace(/^.*\//, "").replace(/\.ts$/, ".js")));
    const startUpMs: number[] = [];
    for (let startUp = 0; startUp < startUps; startUp++) {
      const printed = await wrangler(["check", "startup", "--config", config, "--outfile", join(folder, "profile")]);
      startUpMs.push(Number(/Active: ([\d.]+) ms/.exec(printed)?.[1] ?? Number.NaN));
    }
    return { gzipBytes: gzipSync(script, { level: 9 }).byteLength, startUpMs: median(startUpMs) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function wrangler(args: string[]): Promise<string> {
  const env = { ...process.env, ...offline };
  const { stdout } = await run(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: root,
    env,
  });
  return stdout;
}
