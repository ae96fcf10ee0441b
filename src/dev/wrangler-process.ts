import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type * as Esbuild from "esbuild";
import { wranglerIn } from "../installed.ts";
import { inspectBinding } from "../link/inspection.ts";

/** The project: npm runs its scripts there. */
export const root = process.cwd();

/** wrangler asks the network for nothing: it also starts where there is none. */
const offline = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

const hasGroups = process.platform !== "win32";
export const parentCheckMs = 250;

/**
 * How long after it notices a save wrangler reads the sources, milliseconds: most editors empty a file before they write it, and a
 * `git checkout` writes many. A bundle of what is half there may not load, and wrangler ends of that.
 */
export const settleMs = 50;

/**
 * Runs in wrangler, before it. A `kill -9` leaves us no time to end its group. What it says is to come in the order in which it
 * is said, which two pipes do not keep. And it has no option for the delay of esbuild's watch.
 */
function prepare(checkMs: number, watchesParent: boolean, delay: number): void {
  process.stderr.write = process.stdout.write.bind(process.stdout);
  try {
    const requireAsIt = process.getBuiltinModule("module").createRequire(process.argv[1] ?? "");
    const esbuild = requireAsIt("esbuild") as typeof Esbuild;
    const context: typeof esbuild.context = async (options) => {
      const made = await esbuild.context(options);
      return { ...made, watch: () => made.watch({ delay }) };
    };
    Object.assign(requireAsIt.cache[requireAsIt.resolve("esbuild")] ?? {}, { exports: { ...esbuild, context } });
  } catch {
    // A wrangler that has no such package watches as it does.
  }
  if (!watchesParent) return;
  const parent = process.ppid;
  const check = (): void => {
    if (process.ppid !== parent) process.kill(0, "SIGKILL");
  };
  setInterval(check, checkMs).unref();
}

/** For `--import`. */
export const preload = `data:text/javascript,${encodeURIComponent(`(${prepare.toString()})(${parentCheckMs}, ${hasGroups}, ${settleMs})`)}`;

/** Starts `wrangler dev`. It ends, with all that it started, when this process does. */
export function forkWrangler(args: string[]): ChildProcess {
  return fork(wranglerIn(root), ["dev", ...args, "--var", `${inspectBinding}:${inspectKey() ?? newInspectKey()}`], {
    cwd: root,
    // wrangler builds it in, and the gate believes it: nothing that says otherwise may come from outside.
    env: { ...wranglerEnvironment(root), FORCE_COLOR: colours(), NODE_ENV: "development" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own, so that all of it can be ended. Windows has no groups, and ends it with us.
    detached: hasGroups,
    execArgv: ["--import", preload],
  });
}

const keyFile = join(root, ".wrangler/inspect-key");

/**
 * What `npm run inspect` shows the Worker of an `npm start` in the same project: the rest of the world is shown no session. `undefined` if
 * none has run here.
 */
export function inspectKey(): string | undefined {
  try {
    return readFileSync(keyFile, "utf8");
  } catch {
    return undefined;
  }
}

function newInspectKey(): string {
  mkdirSync(dirname(keyFile), { recursive: true });
  const key = randomUUID();
  writeFileSync(keyFile, key, { mode: 0o600 });
  return key;
}

/** esbuild outlives a wrangler that ends while it watches the sources, and would hold our outputs open for ever. */
export function endGroup(leader: number | undefined): void {
  if (leader === undefined || !hasGroups) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

/** Why wrangler could not work in `project`, if it could not. */
export function unwritable(project: string): string | undefined {
  const folder = join(project, ".wrangler");
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch {
    return `${folder} cannot be written, and wrangler keeps the bundle and the sessions there. Make the folder of the project writable, or copy it to a place that is.`;
  }
}

/** This process's environment for a wrangler of the project in `folder`, which asks for no network and no home folder. */
export function wranglerEnvironment(folder: string): NodeJS.ProcessEnv {
  return { ...offline, ...homeIn(join(folder, ".wrangler")), ...process.env };
}

/** wrangler's configuration and its list of the servers of this machine are in the home folder, and it ends if it cannot write there. */
function homeIn(folder: string): Record<string, string> {
  try {
    accessSync(homedir(), constants.W_OK | constants.X_OK);
    return {};
  } catch {
    return { WRANGLER_REGISTRY_PATH: join(folder, "registry"), XDG_CONFIG_HOME: join(folder, "config") };
  }
}

/** wrangler writes into a pipe, which has no colours of its own. */
function colours(): string {
  return process.env["FORCE_COLOR"] ?? (hasColours() ? "1" : "0");
}

/** Whether what is shown may have colours. In its messages of faults wrangler has them always. */
export function hasColours(): boolean {
  const forced = process.env["FORCE_COLOR"];
  return forced === undefined ? process.stderr.isTTY && process.stderr.hasColors() : !["0", "false"].includes(forced);
}
