import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createHash } from "node:crypto";
import { basename, extname, join, resolve } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import type { Unstable_Config } from "wrangler";
import { adviceOn } from "../dev/advice.ts";
import { hasColours, unwritable, wranglerEnvironment } from "../dev/wrangler-process.ts";
import { Fault } from "../fault.ts";
import { makeFolder } from "../make-folder.ts";
import { refuseBindings } from "./bindings.ts";
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
  /** Default `dist` in `root`. What is in it of an earlier build is replaced; a folder of anything else is refused. */
  out?: string;
  /** An environment of wrangler.toml. */
  env?: string | undefined;
  /** Whether to make one binary of the Worker and workerd besides. */
  compile?: boolean;
}

/**
 * Makes of a project's Worker what plain workerd serves: the bundle that `wrangler deploy` would upload, and a configuration.
 * @throws {Fault} for bindings that only Cloudflare has, for a Worker that cannot be bundled, and for a folder to build
 * in that holds something else.
 */
export async function build({ root, out = join(root, "dist"), env, compile = false }: BuildOptions): Promise<string> {
  const config = await readWrangler(root, env);
  refuseBindings(config);
  const folder = resolve(out);
  await refuseForeign(folder);
  const unwritten = unwritable(root);
  if (unwritten !== undefined) throw new Fault(unwritten);
  const script = await bundle(root, env);
  const { directory, binding } = config.assets ?? {};
  const isBound = directory !== undefined && binding !== undefined;
  const about: AboutBuild = {
    name: config.name ?? "mcp-edge",
    secrets: config.secrets?.required ?? [],
    compatibilityDate: config.compatibility_date ?? "",
  };
  makeFolder(folder);
  await writeFile(join(folder, built.about), `${JSON.stringify(about, null, 2)}\n`);
  // Last, and gone meanwhile: with it a build is complete.
  await rm(join(folder, built.config), { force: true });
  await writeFile(join(folder, built.script), script);
  const worker: BuiltWorker = {
    version: createHash("sha256").update(script).digest("hex"),
    compatibilityDate: about.compatibilityDate,
    compatibilityFlags: config.compatibility_flags,
    objects: config.durable_objects.bindings.map(({ name, class_name: className }) => ({ name, className })),
    vars: config.vars,
    secrets: about.secrets,
    versionBinding: config.version_metadata?.binding,
    assets: isBound ? await copyAssets(resolve(root, directory), binding, folder) : undefined,
  };
  if (worker.assets !== undefined) await writeFile(join(folder, built.assets), assetsScript(worker.assets));
  await writeFile(join(folder, built.config), workerdConfig(worker));
  if (compile) await writeBinary(folder);
  return folder;
}

/** What is built replaces files by name, and all of its folder of assets: only in a folder that was built before. */
async function refuseForeign(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw new Fault(`${folder} is no folder to build in: name another by --out. (${error.message})`);
  });
  if (entries.length === 0 || entries.includes(built.about)) return;
  throw new Fault(
    `${folder} holds something else than a build (${entries.slice(0, 3).join(", ")}): name another folder by --out.`,
  );
}

async function readWrangler(root: string, env: string | undefined): Promise<Unstable_Config> {
  // Says how to install it, if it is not there.
  wranglerIn(root);
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const found = ["wrangler.toml", "wrangler.jsonc", "wrangler.json"].map((name) => join(root, name));
  const entries = new Set(await readdir(root));
  const path = found.find((file) => entries.has(basename(file)));
  if (path === undefined) throw new Fault(`There is no wrangler.toml in ${root}: build in the folder of a project.`);
  const config = readOrRefuse(() => readConfig({ config: path, env }, { hideWarnings: true }));
  // wrangler would take what stands outside of all environments, with a warning.
  if (env !== undefined && !config.definedEnvironments?.includes(env)) {
    throw new Fault(
      `${basename(path)} has no environment ${env}: there is ${config.definedEnvironments?.join(", ") || "none"}.`,
    );
  }
  return config;
}

function readOrRefuse(read: () => Unstable_Config): Unstable_Config {
  try {
    return read();
  } catch (error) {
    const { message, location } = Object(error) as { message: string; location?: { file: string; line: number } };
    throw new Fault(location === undefined ? message : `${message} in ${location.file}, line ${location.line}.`);
  }
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
  try {
    // wrangler writes it into the bundle: this is no development server.
    await run(process.execPath, args, { cwd: root, env: { ...wranglerEnvironment(root), NODE_ENV: "production" } });
    const files = await readdir(folder);
    const others = files.filter((file) => ![".js", ".map", ".md"].includes(extname(file)));
    if (others.length > 0) {
      // wrangler puts a hash before the name.
      const named = others.map((file) => file.replace(/^[\da-f]{40}-/, "")).join(", ");
      throw new Fault(
        `The Worker imports ${named}, which is no script, and only Cloudflare serves that: export what is in it from a module.`,
      );
    }
    const script = files.find((file) => extname(file) === ".js");
    if (script === undefined) throw new Fault("wrangler made no script.");
    return await readFile(join(folder, script), "utf8");
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { stdout = "", stderr = "" } = Object(error) as { stdout?: string; stderr?: string };
    const coloured = `${stdout}${stderr}`.trim() || String(error);
    const said = hasColours() ? coloured : stripVTControlCharacters(coloured);
    throw new Fault(`wrangler could not bundle the Worker:\n${said}\n${adviceOn(said)}`.trim());
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
  // One that runs cannot be written, but replaced.
  const file = join(folder, built.binary);
  await writeFile(`${file}~`, stdout, { mode: 0o755 });
  await rename(`${file}~`, file);
}
