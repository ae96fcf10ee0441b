import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectorIn } from "../installed.ts";
import { usualPort } from "./announcement.ts";
import { typed } from "./commands.ts";
import { takePort } from "./flags.ts";
import { withNpmOptions } from "./npm-options.ts";
import { root } from "./wrangler-process.ts";

/**
 * `npm run inspector`, `mcp-edge inspect`: the MCP Inspector of the project, with the Node of the project, connected to the running server.
 *
 * Takes the URL to connect to, or `--port`, and passes all other arguments on to the Inspector: `--cli`, for one, and what
 * it is to do then. A URL whose path ends in `/mcp` is connected to by Streamable HTTP, any other by HTTP+SSE.
 */

/** A server elsewhere may have to wake up first. */
const answerTimeoutMs = 10_000;

interface Target {
  url: string;
  rest: string[];
}

/** @throws {Fault} for what is no port. */
function readTarget(argv: string[], environment: NodeJS.Dict<string>): Target {
  const rest = withNpmOptions(argv, environment, ["port"]);
  const port = takePort(rest) ?? usualPort;
  // Elsewhere a URL is what some other argument says.
  const place = rest[0] === "--cli" ? 1 : 0;
  const isUrl = URL.canParse(rest[place] ?? "") && /^https?:/.test(rest[place] ?? "");
  const url = isUrl ? rest.splice(place, 1)[0] : undefined;
  return { url: url ?? `http://localhost:${port}/sse`, rest };
}

/** Arguments of the Inspector, whose page takes the URL by another name than its command line. */
function inspectorArguments({ url, rest }: Target, folder: string): string[] {
  const transport = new URL(url).pathname.endsWith("/mcp") ? "http" : "sse";
  const chosen = rest.includes("--transport") ? [] : ["--transport", transport];
  const [first, ...others] = rest;
  if (first === "--cli") return ["--cli", url, ...chosen, ...others];
  if (rest.length > 0) return [...chosen, "--server-url", url, ...rest];
  // That the page lists a saved tool by itself can be said in a file only, which goes with no other argument.
  const server = { type: transport === "http" ? "streamable-http" : "sse", url, autoRefreshOnListChanged: true };
  const { host, pathname } = new URL(url);
  const name = `${host}${pathname}`;
  const config = join(folder, "inspector.json");
  writeFileSync(config, JSON.stringify({ mcpServers: { [name]: server } }));
  return ["--config", config, "--server", name];
}

/** Whatever it answers, somebody is there; an OPTIONS opens no session. */
async function isServed(url: string): Promise<boolean> {
  return fetch(url, { method: "OPTIONS", signal: AbortSignal.timeout(answerTimeoutMs) }).then(
    () => true,
    () => false,
  );
}

const target = readTarget(process.argv.slice(2), process.env);
if (await isServed(target.url)) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-inspector-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, [inspectorIn(root), ...inspectorArguments(target, folder)], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
} else {
  console.error(
    `Nothing answers at ${target.url}. Start the server by ${typed("dev")} in another terminal; ` +
      `if it is elsewhere, say where: ${typed("inspect", "--port 8123")}, or with its URL.`,
  );
  process.exitCode = 1;
}
