import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { codeIn, readReadme } from "./readme.ts";

const run = promisify(execFile);
const readme = await readReadme();
const contributing = await readReadme("CONTRIBUTING.md");
const commands = [...codeIn(readme, "sh"), ...codeIn(contributing, "sh")].flatMap((block) =>
  block.trim().split(/\n| && /),
);
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
  {
    command: "npm run create -- ../my-server",
    file: "test/package/installed.test.ts",
    as: '["run", "--silent", "create", "--", folder]',
  },
  { command: "npm run pack", file: "test/package/pack.test.ts", as: "packInFolder()" },
  { command: "npm run api", file: "test/package/api.test.ts", as: "apiReport()" },
  { command: "npm run check", file: ".ci/run", as: "npm run check" },
  { command: "npm start", file: "test/start/started.ts", as: 'npmRun(["start",' },
  { command: "npm run inspector", file: "test/start/inspector-page.ts", as: 'npmRun(["run", "inspector"' },
  {
    command: "npm run inspector -- https://mcp-edge.<account>.workers.dev/sse",
    file: "test/start/inspector.test.ts",
    as: "npm run inspector serves a page that knows the server at a %s",
  },
  { command: "npm run --silent stdio", file: "test/start/stdio.test.ts", as: '["run", "--silent", "stdio"]' },
  { command: "npm run torture", file: "test/lab/torture.test.ts", as: "`npm run torture`" },
  { command: "npm run test:clients", file: ".github/workflows/ci.yml", as: "npm run test:clients" },
  {
    command: "npx wrangler dev --config examples/login/wrangler.toml",
    file: "test/support/login-example.ts",
    as: '"examples/login/wrangler.toml"',
  },
  { command: "npm run deploy", file: "test/start/deploy.test.ts", as: '["run", "deploy",' },
];

/** A client of somebody else's, whose own program would be needed: only its arguments are looked at. */
const claude = `claude mcp add --transport sse mcp-edge ${written}/sse`;

const isInspectorCli = (command: string): boolean => command.startsWith("npm run inspector -- --cli ");

test("every command is run by a test", () => {
  const strangers = commands.filter(
    (command) =>
      !isInspectorCli(command) && command !== claude && !runElsewhere.some((known) => known.command === command),
  );
  expect(strangers).toEqual([]);
});

test.each(runElsewhere)("$command is written down, and run by $file", async ({ command, file, as }) => {
  expect(commands).toContain(command);
  expect(await readFile(join(root, file), "utf8")).toContain(as);
});

test("every npm script that is named exists", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const named = [...commands, ...readme.inlineCode, ...contributing.inlineCode].flatMap(
    (code) => /^npm run (?:--\w+ )*(?<name>[\w:-]+)/.exec(code)?.groups?.["name"] ?? [],
  );
  expect(named.length).toBeGreaterThan(0);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

test("the first two lines are each complete after a clone", () => {
  expect(codeIn(readme, "sh")[0]).toBe("npm ci && npm start\nnpm ci && npm test\n");
});

test.each(commands.filter(isInspectorCli))("%s prints 50", async (command) => {
  const [program = "", ...args] = command.replace(" -- ", ` --silent -- --port ${new URL(edge.url).port} `).split(" ");
  const { stdout } = await run(program, args, { cwd: root });
  expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: "text", text: "50" }] });
});
