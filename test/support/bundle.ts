import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const configFile = "wrangler.json";

/** The root of the repository. */
export const root = join(import.meta.dirname, "../..");

/** The configuration of a fresh clone. What a user makes of the one at the root is no matter of the tests. */
export const clonedConfig = join(root, "test/fixtures/clone/wrangler.toml");

/** Names the run that this process belongs to, if it is one of several. */
export const runVariable = "MCP_EDGE_TEST_RUN";

/** Where the bundles of this run are. */
export function bundleDirectory(): string {
  const named = process.env[runVariable];
  if (named === undefined) process.once("exit", () => rmSync(bundleDirectory(), { recursive: true, force: true }));
  return join(root, ".cache", "bundles", (process.env[runVariable] ??= String(process.pid)));
}

/** Environment of every wrangler that a test starts: it waits for no network. */
export const offline = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

/** A Worker as a deploy would upload it. */
export interface Bundle {
  /** Its wrangler configuration. */
  config: string;
  /** Its source map lies beside it. */
  script: string;
}

/**
 * Bundles a Worker with `wrangler deploy --dry-run`, as a deploy would. `main` is a path from the root, `changes` are to
 * our own configuration. A bundle is made once in a run, also when several test files ask for it at the same time.
 */
export async function bundle(main: string, changes: Record<string, unknown> = {}): Promise<Bundle> {
  const name = createHash("sha256")
    .update(JSON.stringify([main, changes]))
    .digest("hex")
    .slice(0, 16);
  const finished = join(bundleDirectory(), name);
  const made = { config: join(finished, configFile), script: join(finished, "out", `${basename(main, ".ts")}.js`) };
  if (await isFilled(finished)) return made;
  await mkdir(bundleDirectory(), { recursive: true });
  const folder = await mkdtemp(join(bundleDirectory(), `${name}-`));
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const config = join(folder, configFile);
  await writeFile(config, JSON.stringify({ ...(await workerConfig(main, folder)), ...changes }));
  const args = [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", join(folder, "out")];
  // What the tests' runner says it is would be built in.
  await run(process.execPath, args, { cwd: root, env: { ...process.env, ...offline, NODE_ENV: "production" } });
  // Whoever is first wins: the folders hold the same.
  await rename(folder, finished).catch(async () => rm(folder, { recursive: true, force: true }));
  return made;
}

async function isFilled(folder: string): Promise<boolean> {
  return readdir(join(folder, "out")).then(
    (files) => files.length > 0,
    () => false,
  );
}

/** The configuration of a fresh clone for another `main`. */
export async function workerConfig(main: string, from = root) {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const config = readConfig({ config: clonedConfig });
  return {
    name: "mcp-edge-test",
    main: relative(from, join(root, main)),
    compatibility_date: config.compatibility_date,
    compatibility_flags: config.compatibility_flags,
    minify: config.minify,
    keep_names: config.keep_names,
    alias: Object.fromEntries(
      Object.entries<string>(config.alias ?? {}).map(([name, path]) => [name, join(root, path)]),
    ),
    durable_objects: { bindings: [{ name: "SESSION", class_name: "Session" }] },
    migrations: [{ tag: "v1", new_sqlite_classes: ["Session"] }],
  };
}

/** The page as a fresh clone serves it. */
export async function pageAssets() {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const { assets } = readConfig({ config: clonedConfig });
  if (assets === undefined) throw new Error("wrangler.toml has no [assets].");
  return { ...assets, directory: join(root, assets.directory ?? "") };
}
