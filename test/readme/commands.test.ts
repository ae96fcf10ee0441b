import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { freePort } from "../support/free-port.ts";
import { codeIn, readReadme } from "./readme.ts";

const run = promisify(execFile);
const readme = await readReadme();
const commands = codeIn(readme, "sh").flatMap((block) => block.trim().split("\n"));
const written = "http://localhost:8000";

let edge: EdgeServer;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(() => edge.close());

/** Where a command is run that this file does not run: another test, or CI itself. A command of no kind fails. */
const runElsewhere = [
  { command: "npm ci", file: ".ci/run", as: "npm ci" },
  { command: "npm test", file: ".ci/run", as: "npm test" },
  { command: "npm run test:mine", file: "test/start/own-project.test.ts", as: '["run", "test:mine"]' },
  { command: "npm run check", file: ".ci/run", as: "npm run check" },
  { command: "npm start", file: "test/start/start.test.ts", as: 'npmRun(["start",' },
  { command: "npm run --silent stdio", file: "test/start/stdio.test.ts", as: '["run", "--silent", "stdio"]' },
  { command: "npm run torture", file: "test/torture/torture.test.ts", as: "`npm run torture`" },
  { command: "npm run test:clients", file: ".github/workflows/ci.yml", as: "npm run test:clients" },
  { command: "npm run deploy", file: "test/start/deploy.test.ts", as: '["run", "deploy",' },
];

/** A client of somebody else's, whose own program would be needed: only its arguments are looked at. */
const claude = `claude mcp add --transport sse mcp-edge ${written}/sse`;

const isInspector = (command: string): boolean => command.startsWith("npx @modelcontextprotocol/inspector ");
const isInspectorCli = (command: string): boolean => isInspector(command) && command.includes(" --cli ");
const isInspectorPage = (command: string): boolean => isInspector(command) && !command.includes(" --cli ");

test("every command is run by a test", () => {
  const strangers = commands.filter(
    (command) =>
      !isInspector(command) && command !== claude && !runElsewhere.some((known) => known.command === command),
  );
  expect(strangers).toEqual([]);
});

test.each(runElsewhere)("$command is written down, and run by $file", async ({ command, file, as }) => {
  expect(commands).toContain(command);
  expect(await readFile(join(root, file), "utf8")).toContain(as);
});

test("every npm script that is named exists", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const named = [...commands, ...readme.inlineCode].flatMap(
    (code) => /^npm run (?:--\w+ )*(?<name>[\w:]+)/.exec(code)?.groups?.["name"] ?? [],
  );
  expect(named.length).toBeGreaterThan(0);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

test.each(commands.filter(isInspectorCli))("%s prints 50", async (command) => {
  expect(command).toContain(written);
  const [program = "", ...args] = command.replace(written, edge.url).split(" ");
  const { stdout } = await run(program, args, { cwd: root });
  expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: "text", text: "50" }] });
});

test.each(commands.filter(isInspectorPage))("%s serves a page that knows the server", async (command) => {
  const url = command.split(" ").at(-1) ?? "";
  const port = await freePort();
  const [program = "", ...args] = command.split(" ");
  const env = {
    ...process.env,
    CLIENT_PORT: String(port),
    MCP_SANDBOX_PORT: String(await freePort()),
    MCP_AUTO_OPEN_ENABLED: "false",
  };
  const child = spawn(program, args, { cwd: root, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const page = new URL(await printedUrl(child, port));
    const token = page.searchParams.get("MCP_INSPECTOR_API_TOKEN") ?? "";
    const headers = { "x-mcp-remote-auth": `Bearer ${token}` };
    const config = await fetch(new URL("/api/config", page), { headers });
    expect(await config.text()).toContain(url);
  } finally {
    const closed = new Promise((resolve) => child.on("close", resolve));
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    await closed;
  }
});

/** The URL of the Inspector's page, once it prints it. */
function printedUrl(child: ChildProcess, port: number): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const note = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = new RegExp(`http://\\S+:${port}\\S*MCP_INSPECTOR_API_TOKEN=\\w+`).exec(output)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on("data", note);
    child.stderr?.on("data", note);
    child.on("close", () => reject(new Error(`the Inspector ended: ${output}`)));
  });
}
