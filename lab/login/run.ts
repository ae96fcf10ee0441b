import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { browserOnPath } from "../../test/support/browser-on-path.ts";
import { offline } from "../../test/support/bundle.ts";
import { IdentityProvider } from "../../test/support/identity-provider.ts";
import { startLoginExample } from "../../test/support/login-example.ts";
import { findOnPath, kitDirectory, type KitName, prepareKit, pythonOf } from "../matrix/kits.ts";
import type { LaneName } from "../matrix/sighting.ts";

/** A client that hangs is ended after this long. The slowest starts a browser. */
const clientTimeoutMs = 60_000;

const { values: options } = parseArgs({ options: { only: { type: "string", default: "" } } });

/** Clients that are no packages of this project; those that are, log in in test/auth. */
interface Row {
  client: string;
  kit: KitName;
  /** Logs in at the URL that it is given, calls `add` with 25 and 25, and prints the answer. */
  program: string[];
  needs?: string;
}

const node = (program: string, ...args: string[]) => [process.execPath, join(import.meta.dirname, program), ...args];
const python = (kit: KitName, program: string) => [pythonOf(kitDirectory(kit)), join(import.meta.dirname, program)];

const rows: Row[] = [
  { client: "mcp-remote", kit: "typescript", program: node("mcp-remote.ts") },
  { client: "MCP Inspector UI", kit: "typescript", program: node("inspector-ui.ts"), needs: "chromium" },
  { client: "Python SDK 1", kit: "python-langchain", program: python("python-langchain", "sdk_client.py") },
  { client: "Python SDK 2", kit: "python", program: python("python", "sdk_client.py") },
  { client: "FastMCP", kit: "python", program: python("python", "fastmcp_client.py") },
];

Object.assign(process.env, offline);
const run = promisify(execFile);
const provider = await IdentityProvider.start();
const example = await startLoginExample({ OPENID_ISSUER: provider.issuer });
await using browser = await browserOnPath();
try {
  const chosen = rows.filter(({ client }) => client.toLowerCase().includes(options.only.toLowerCase()));
  for (const row of chosen) for (const lane of ["sse", "mcp"] as const) await tell(row, lane);
} finally {
  await example.close();
  await provider.close();
}

async function tell(row: Row, lane: LaneName): Promise<void> {
  const outcome = await logIn(row, lane).catch((error: Error) => `failed: ${error.message}`);
  console.log(`${row.client}, /${lane}: ${outcome}`);
  if (outcome.startsWith("failed")) process.exitCode = 1;
}

async function logIn({ kit, program, needs }: Row, lane: LaneName): Promise<string> {
  if (needs !== undefined && (await findOnPath(needs)) === undefined) return `not run, needs ${needs}`;
  const installed = await prepareKit(kit);
  if (installed.state === "no toolchain") return `not run, needs ${installed.missing}`;
  if (installed.state === "failed") return `failed: it could not be installed: ${installed.why}`;
  const [command = "", ...given] = program;
  const { stdout } = await run(command, [...given, `${example.url}/${lane}`, lane], {
    cwd: kitDirectory(kit),
    env: { ...process.env, ...browser.env },
    timeout: clientTimeoutMs,
  });
  const answer = stdout.trim().split("\n").at(-1) ?? "";
  return answer === "50" ? "logged in, and called" : `failed: it answered ${answer}`;
}
