import { fork } from "node:child_process";
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
 */
function start(args: string[]): void {
  const quiet = ["--log-level", "warn", "--show-interactive-dev-session=false"];
  const child = fork(wrangler, ["dev", ...quiet, ...args], {
    cwd: root,
    env: { ...offline, ...process.env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let isStopping = false;
  const stop = (): void => {
    isStopping = true;
    child.kill("SIGTERM");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  if (process.env["npm_lifecycle_event"] !== undefined) stopWithParent(stop);
  child.stdout?.on("data", (chunk: Buffer) => process.stdout.write(sayTakenPort(chunk.toString())));
  child.stderr?.on("data", (chunk: Buffer) => process.stderr.write(sayTakenPort(chunk.toString())));
  child.on("message", (message) => void announce(message));
  child.on("close", (code) => process.exit(isStopping ? 0 : (code ?? 1)));
}

/** npm runs this in a shell that dies of SIGTERM without passing it on: who ends `npm start` would leave a server behind. */
function stopWithParent(stop: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, parentCheckMs).unref();
}

/** Prints where to connect, once the first bundle answers. */
async function announce(message: unknown): Promise<void> {
  const ready = readReady(message);
  if (ready === undefined) return;
  const host = ready.ip === "0.0.0.0" || ready.ip === "::" ? "localhost" : ready.ip;
  const url = `http://${host}:${ready.port}`;
  // It listens before the bundle is built, and holds requests until then.
  const isServing = await fetch(url).then(
    () => true,
    () => false,
  );
  // wrangler has said what is wrong.
  if (!isServing) return;
  console.log(`
Serving src/server.ts; save it and the server is reloaded. Ctrl-C ends it.

  ${url}/sse   connect here (HTTP+SSE)
  ${url}/mcp   or here (Streamable HTTP)

Next, in another terminal, then Connect, Tools, add:

  npx @modelcontextprotocol/inspector --transport sse --server-url ${url}/sse
`);
}

function readReady(message: unknown): DevServerReady | undefined {
  const value: unknown = typeof message === "string" ? JSON.parse(message) : message;
  const isReady = typeof value === "object" && value !== null && "event" in value && value.event === "DEV_SERVER_READY";
  return isReady ? (value as DevServerReady) : undefined;
}

/** One sentence in place of wrangler's paragraphs, for the one mistake that everybody makes. */
function sayTakenPort(text: string): string {
  const port = /Address already in use \(.*:(?<port>\d+)\)/.exec(text)?.groups?.["port"];
  return port === undefined
    ? text
    : `Port ${port} is taken by another process. Stop that one, or choose a port: npm start -- --port ${Number(port) + 1}\n`;
}

start(process.argv.slice(2));
