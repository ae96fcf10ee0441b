import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeCalls } from "./calls.ts";
import { programArguments, projectFile, report, textOf, versionIn } from "./kit.ts";

const inspector = projectFile("@modelcontextprotocol/inspector");
const launcher = join(inspector, "clients/launcher/build/index.js");
const run = promisify(execFile);
const { url, lane } = programArguments();
const transport = lane === "sse" ? "sse" : "http";

async function inspect(...args: string[]): Promise<unknown> {
  const ran = run(process.execPath, [launcher, "--cli", url, "--transport", transport, ...args]);
  const { stdout } = await ran.catch((error: Error & { stdout?: string }) => {
    // A tool's error is printed like any result, and told by the exit code as well.
    if (error.stdout?.startsWith("{") === true) return { stdout: error.stdout };
    throw error;
  });
  return JSON.parse(stdout);
}

async function call(name: string, args: Record<string, unknown>): Promise<string> {
  const given = Object.entries(args).flatMap(([key, value]) => ["--tool-arg", `${key}=${String(value)}`]);
  return textOf(await inspect("--method", "tools/call", "--tool-name", name, ...given));
}

const { tools } = (await inspect("--method", "tools/list")) as { tools: { name: string }[] };
report({
  version: versionIn(inspector),
  tools: tools.map(({ name }) => name),
  ...(await makeCalls({ call })),
});
