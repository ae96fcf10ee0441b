import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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
  return await withBuild(main, changes, async ({ folder, config }) => {
    const script = await readFile(join(folder, "out", main.replace(/^.*\//, "").replace(/\.ts$/, ".js")));
    const startUpMs: number[] = [];
    for (let startUp = 0; startUp < startUps; startUp++) {
      const printed = await wrangler(["check", "startup", "--config", config, "--outfile", join(folder, "profile")]);
      startUpMs.push(Number(/Active: ([\d.]+) ms/.exec(printed)?.[1] ?? Number.NaN));
    }
    return { gzipBytes: gzipSync(script, { level: 9 }).byteLength, startUpMs: median(startUpMs) };
  });
}

/**
 * The packages and our own folders whose code is in a bundle, and what is left of each in it, minified, bytes; the largest
 * first.
 */
export async function bundleParts(main: string): Promise<{ name: string; bytes: number }[]> {
  return await withBuild(main, {}, async ({ folder }) => {
    const { outputs } = JSON.parse(await readFile(join(folder, "out/bundle-meta.json"), "utf8")) as Metafile;
    const bytesOf = new Map<string, number>();
    for (const { inputs = {} } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const ownFolder = dirname(path.replace(/.*\/(?=src\/)/, ""));
        const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? `mcp-edge, ${ownFolder}`;
        bytesOf.set(name, (bytesOf.get(name) ?? 0) + bytesInOutput);
      }
    }
    return Array.from(bytesOf, ([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
  });
}

/** Of esbuild, as far as it is used here. */
interface Metafile {
  outputs: Record<string, { inputs?: Record<string, { bytesInOutput: number }> }>;
}

async function withBuild<Result>(
  main: string,
  changes: Record<string, unknown>,
  work: (build: { folder: string; config: string }) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-artifact-"));
  try {
    const config = join(folder, "wrangler.json");
    await writeFile(config, JSON.stringify({ ...(await workerConfig(main, folder)), ...changes }));
    await wrangler(["deploy", "--dry-run", "--metafile", "--config", config, "--outdir", join(folder, "out")]);
    return await work({ folder, config });
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
