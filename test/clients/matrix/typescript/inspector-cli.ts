import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { programArguments, projectFile, report, textOf, versionIn } from "./kit.ts";

const inspector = projectFile("@modelcontextprotocol/inspector");
const launcher = join(inspector, "clients/launcher/build/index.js");
const run = promisify(execFile);
const { url, lane } = programArguments();
const transport = lane === "sse" ? "sse" : "http";

async function inspect(...args: string[]): Promise<unknown> {
  const { stdout } = await run(process.execPath, [launcher, "--cli", url, "--transport", transport, ...args]);
  return JSON.parse(stdout);
}

const call = async (name: string, ...args: string[]) =>
  textOf(await inspect("--method", "tools/call", "--tool-name", name, ...args.flatMap((arg) => ["--tool-arg", arg])));

const { tools } = (await inspect("--method", "tools/list")) as { tools: { name: string }[] };
report({
  version: versionIn(inspector),
  tools: tools.map(({ name }) => name),
  sum: await call("add", "a=25", "b=25"),
  countdown: await call("countdown", "from=3", "stepMs=50"),
});
