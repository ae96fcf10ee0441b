import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { watch } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");

/** wrangler asks the network for nothing: it also starts where there is none. */
const offline = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

const hasGroups = process.platform !== "win32";
const parentCheckMs = 250;

/** What `wrangler dev` tells its parent process once it listens. */
interface DevServerReady {
  event: "DEV_SERVER_READY";
  ip: string;
  port: number;
}

/**
 * `npm start`: serves `src/worker.ts` by `wrangler dev`, which bundles again whenever a source is saved, and says where.
 * Arguments are those of `wrangler dev`. Warnings and errors are shown, each call's log line is not.
 *
 * wrangler ends when what was saved throws while it loads. Once it has served, it is then started again at the next save.
 */
class DevServer {
  readonly #args: string[];
  #wrangler: ChildProcess | undefined;
  #hasServed = false;
  /** Whether this wrangler has served, written something, and may have missed what was saved afterwards. */
  #isServing = false;
  #hasSpoken = false;
  #hasMissed = false;
  #exitCode: number | undefined;

  constructor(args: string[]) {
    this.#args = args;
  }

  start(): void {
    this.#isServing = this.#hasSpoken = this.#hasMissed = false;
    const child = forkWrangler(this.#args);
    this.#wrangler = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#show(chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => this.#show(chunk.toString()));
    child.on("message", (message) => void whenServing(message, (url) => this.#serves(url)));
    child.on("exit", () => endGroup(child.pid));
    child.on("close", (code) => this.#ended(code));
  }

  /** Ends this process with `code`, after wrangler. */
  stop(code: number): void {
    this.#exitCode ??= code;
    if (this.#wrangler === undefined) process.exit(this.#exitCode);
    this.#wrangler.kill("SIGTERM");
  }

  /** A source was saved. */
  saved(): void {
    if (this.#wrangler === undefined) this.start();
    else this.#hasMissed = this.#hasSpoken;
  }

  #show(text: string): void {
    this.#hasSpoken = true;
    console.error(takenPort(text) ?? text.trimEnd());
    if (this.#isServing || !text.includes("Build failed")) return;
    // wrangler watches only what it could bundle once: after a first bundle that fails it would wait for ever.
    if (this.#hasServed) this.#wrangler?.kill("SIGTERM");
    else this.stop(1);
  }

  #serves(url: string): void {
    this.#isServing = true;
    console.log(this.#hasServed ? `\nServing again: ${url}/sse\n` : announcement(url));
    this.#hasServed = true;
  }

  #ended(code: number | null): void {
    this.#wrangler = undefined;
    if (this.#exitCode !== undefined || !this.#hasServed) process.exit(this.#exitCode ?? code ?? 1);
    if (this.#hasMissed) this.start();
    else console.error("\nThe server ended: the error is above. Save a source, and it starts again. Ctrl-C ends it.\n");
  }
}

/** Runs in wrangler, before it: a `kill -9` leaves us no time to end its group. */
function endWithParent(checkMs: number): void {
  const parent = process.ppid;
  const check = (): void => {
    if (process.ppid !== parent) process.kill(0, "SIGKILL");
  };
  setInterval(check, checkMs).unref();
}

const preload = `data:text/javascript,${encodeURIComponent(`(${endWithParent.toString()})(${parentCheckMs})`)}`;

function forkWrangler(args: string[]): ChildProcess {
  const quiet = ["--log-level", "warn", "--show-interactive-dev-session=false"];
  return fork(wrangler, ["dev", ...quiet, ...args], {
    cwd: root,
    // wrangler builds it in, and the gate believes it: nothing that says otherwise may come from outside.
    env: { ...offline, ...process.env, NODE_ENV: "development" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own, so that all of it can be ended. Windows has no groups, and ends it with us.
    detached: hasGroups,
    execArgv: hasGroups ? ["--import", preload] : [],
  });
}

/** Calls `then` whenever a source is saved. */
function whenSaved(then: () => void): void {
  watch(join(root, "src"), { recursive: true }, then);
  // Not the files themselves: most editors put a new one in the place of the old.
  watch(root, (_, name) => {
    if (name === "wrangler.toml" || name === ".dev.vars") then();
  });
}

/** esbuild outlives a wrangler that ends while it watches the sources, and would hold our outputs open for ever. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined || !hasGroups) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

/**
 * npm runs this in a shell that dies of SIGTERM without passing it on, and that outlives an npm which was killed: either
 * way nobody would end the server.
 */
function whenNpmIsGone(then: () => void): void {
  const parent = process.ppid;
  const npm = aboveShell(parent);
  const check = (): void => {
    if (process.ppid !== parent || !isAlive(npm)) then();
  };
  setInterval(check, parentCheckMs).unref();
}

/** The parent of `pid` if that is a shell which runs this script, else itself: some shells become what they run. */
function aboveShell(pid: number): number {
  try {
    const line = execFileSync("ps", ["-ww", "-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
    return line.includes("src/dev.ts") ? Number.parseInt(line, 10) : pid;
  } catch {
    // Without `ps`, Windows for one, the parent itself has to do.
    return pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One of another user is not ours to signal.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Calls `then` with the URL once the first bundle answers there. */
async function whenServing(message: unknown, then: (url: string) => void): Promise<void> {
  const ready = readReady(message);
  if (ready === undefined) return;
  const host = ready.ip === "0.0.0.0" || ready.ip === "::" ? "localhost" : ready.ip;
  const url = `http://${host}:${ready.port}`;
  // It listens before the bundle is built, and holds requests until then. Any answer will do.
  const isServing = await fetch(url).then(
    () => true,
    // wrangler says itself what is wrong.
    () => false,
  );
  if (isServing) then(url);
}

function announcement(url: string): string {
  return `
Serving src/server.ts, and again whenever you save it. Ctrl-C ends it.

  ${url}/sse   connect here (HTTP+SSE)
  ${url}/mcp   or here (Streamable HTTP)

Next, in another terminal; then, in its page, connect, Tools, add:

  npx @modelcontextprotocol/inspector --transport sse --server-url ${url}/sse
`;
}

function readReady(message: unknown): DevServerReady | undefined {
  const value: unknown = typeof message === "string" ? JSON.parse(message) : message;
  const isReady = typeof value === "object" && value !== null && "event" in value && value.event === "DEV_SERVER_READY";
  // The version of wrangler is pinned, and its shape with it.
  return isReady ? (value as DevServerReady) : undefined;
}

/** One sentence in place of wrangler's paragraphs, for the mistake that everybody makes. */
function takenPort(text: string): string | undefined {
  const port = /Address already in use \(.*:(?<port>\d+)\)/.exec(text)?.groups?.["port"];
  if (port === undefined) return undefined;
  return `Port ${port} is taken by another process. End that one, or choose a port: npm start -- --port ${Number(port) + 1}`;
}

const server = new DevServer(process.argv.slice(2));
server.start();
whenSaved(() => server.saved());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => server.stop(0));
if (process.env["npm_lifecycle_event"] !== undefined) whenNpmIsGone(() => server.stop(0));
