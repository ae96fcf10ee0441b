import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createHash } from "node:crypto";
import { basename, extname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Unstable_Config } from "wrangler";
import { assetsScript, copyAssets } from "./assets.ts";
import { type BuiltWorker, workerdConfig } from "./workerd-config.ts";
import { wranglerIn } from "../installed.ts";
import { workerdBinary } from "./workerd-binary.ts";

const run = promisify(execFile);

/** What `mcp-edge build` writes into its folder. */
export const built = {
  script: "worker.js",
  assets: "assets.js",
  config: "config.capnp",
  about: "about.json",
  binary: "server",
} as const;

/** What `serve` must know of a build, beside what is in its configuration. */
export interface AboutBuild {
  name: string;
  /** Secrets that must be in the environment. */
  secrets: readonly string[];
  /** That of the workerd it was made for: what is on disk is read by it. */
  compatibilityDate: string;
}

export interface BuildOptions {
  /** The project: where its wrangler.toml is. */
  root: string;
  /** Default `dist` in `root`. What is in it of an earlier build is replaced. */
  out?: string;
  /** An environment of wrangler.toml. */
  env?: string | undefined;
  /** Whether to make one binary of the Worker and workerd besides. */
  compile?: boolean;
}

/** A project that cannot be served without Cloudflare; the message says what is in the way. */
export class BuildFault extends Error {}

/**
 * Makes of a project's Worker what plain workerd serves: the bundle that `wrangler deploy` would upload, and a configuration.
 * @throws {BuildFault} for bindings that only Cloudflare has, and for a Worker that cannot be bundled.
 */
export async function build({ root, out = join(root, "dist"), env, compile = false }: BuildOptions): Promise<string> {
  const config = await readWrangler(root, env);
  refuseBindings(config);
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  const script = await bundle(root, env);
  await writeFile(join(folder, built.script), script);
  const { directory, binding } = config.assets ?? {};
  const isBound = directory !== undefined && binding !== undefined;
  const worker: BuiltWorker = {
    version: createHash("sha256").update(script).digest("hex"),
    compatibilityDate: config.compatibility_date ?? "",
    compatibilityFlags: config.compatibility_flags,
    objects: config.durable_objects.bindings.map(({ name, class_name: className }) => ({ name, className })),
    vars: config.vars,
    secrets: config.secrets?.required ?? [],
    versionBinding: config.version_metadata?.binding,
    assets: isBound ? await copyAssets(resolve(root, directory), binding, folder) : undefined,
  };
  if (worker.assets !== undefined) await writeFile(join(folder, built.assets), assetsScript(worker.assets));
  await writeFile(join(folder, built.config), workerdConfig(worker));
  const about: AboutBuild = {
    name: config.name ?? "mcp-edge",
    secrets: worker.secrets,
    compatibilityDate: worker.compatibilityDate,
  };
  await writeFile(join(folder, built.about), `${JSON.stringify(about, null, 2)}\n`);
  if (compile) await writeBinary(folder);
  return folder;
}

async function readWrangler(root: string, env: string | undefined): Promise<Unstable_Config> {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const found = ["wrangler.toml", "wrangler.jsonc", "wrangler.json"].map((name) => join(root, name));
  const entries = new Set(await readdir(root));
  const path = found.find((file) => entries.has(basename(file)));
  if (path === undefined)
    throw new BuildFault(`There is no wrangler.toml in ${root}: build in the folder of a project.`);
  return readConfig({ config: path, env }, { hideWarnings: true });
}

/** What wrangler.toml may bind, and plain workerd has nothing for, by the names of wrangler.toml. */
const onlyOnCloudflare = [
  "kv_namespaces",
  "r2_buckets",
  "d1_databases",
  "queues",
  "vectorize",
  "hyperdrive",
  "services",
  "analytics_engine_datasets",
  "dispatch_namespaces",
  "mtls_certificates",
  "browser",
  "ai",
  "images",
  "stream",
  "media",
  "pipelines",
  "secrets_store_secrets",
  "workflows",
  "containers",
  "send_email",
  "worker_loaders",
  "ratelimits",
  "vpc_services",
  "vpc_networks",
] as const;

function refuseBindings(config: Unstable_Config): void {
  const bound = onlyOnCloudflare.flatMap((kind) => {
    const names = namesOf(config[kind]);
    return names.length > 0 ? [`${kind} (${names.join(", ")})`] : [];
  });
  if (bound.length > 0) {
    throw new BuildFault(
      `wrangler.toml binds ${bound.join(", ")}, which only Cloudflare has. Take them out, or write an environment ` +
        "without them, and build with --env <name>.",
    );
  }
  const foreign = config.durable_objects.bindings.filter(({ script_name: script }) => script !== undefined);
  if (foreign.length > 0) {
    throw new BuildFault(
      `${foreign.map(({ name }) => name).join(", ")} binds an object of another Worker, which is not here.`,
    );
  }
  if (config.durable_objects.bindings.length === 0) {
    throw new BuildFault(
      "wrangler.toml binds no Durable Object, so there would be no sessions: see its [[durable_objects.bindings]].",
    );
  }
}

/** A kind of binding is a list of them, one, or an object with lists. */
function namesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map((entry: unknown) => nameOf(entry));
  if (typeof value !== "object" || value === null) return [];
  const lists = Object.values(value).filter(Array.isArray);
  return lists.length > 0 ? lists.flatMap(namesOf) : [nameOf(value)];
}

function nameOf(entry: unknown): string {
  const { binding, name, queue } = Object(entry) as { binding?: string; name?: string; queue?: string };
  return binding ?? name ?? queue ?? "unnamed";
}

/** As `wrangler deploy` would upload it: one module. */
async function bundle(root: string, env: string | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-build-"));
  const args = [
    wranglerIn(root),
    "deploy",
    "--dry-run",
    "--outdir",
    folder,
    ...(env === undefined ? [] : ["--env", env]),
  ];
  // Told to a Worker by wrangler, and by it only: not a development server.
  const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  try {
    await run(process.execPath, args, { cwd: root, env: { ...process.env, ...quiet, NODE_ENV: "production" } });
    const files = await readdir(folder);
    const others = files.filter((file) => ![".js", ".map", ".md"].includes(extname(file)));
    if (others.length > 0)
      throw new BuildFault(`The Worker has modules besides its script, which is not built yet: ${others.join(", ")}.`);
    const script = files.find((file) => extname(file) === ".js");
    if (script === undefined) throw new BuildFault("wrangler made no script.");
    return await readFile(join(folder, script), "utf8");
  } catch (error) {
    if (error instanceof BuildFault) throw error;
    const { stdout = "", stderr = "" } = Object(error) as { stdout?: string; stderr?: string };
    throw new BuildFault(`wrangler could not bundle the Worker:\n${`${stdout}${stderr}`.trim() || String(error)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One file with workerd, the configuration and the Worker in it. */
async function writeBinary(folder: string): Promise<void> {
  const { stdout } = await run(workerdBinary(), ["compile", join(folder, built.config), "config"], {
    encoding: "buffer",
    maxBuffer: 1024 * 1024 * 1024,
  });
  await writeFile(join(folder, built.binary), stdout, { mode: 0o755 });
}
