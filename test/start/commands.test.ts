import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Ended, runToEnd } from "../package/packed.ts";
import { root } from "../support/bundle.ts";
import { freePort } from "../support/free-port.ts";
import { RawSseClient } from "../support/raw-client.ts";
import { afterwards, copy } from "./started.ts";

/** The command `mcp-edge` in a folder of the test's own: what it says to whoever mistypes, and of a project that is not right. */
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "mcp-edge-commands-"));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

const mcpEdge = (args: string[], { env = {}, from = root }: { env?: NodeJS.Dict<string>; from?: string } = {}) =>
  runToEnd(process.execPath, [join(from, "src/main.ts"), ...args], { cwd, env });

const ended = (output: string): Ended => ({ code: 1, output: `${output}\n` });

test.each(["session", "inspect"])("%s takes no port that is none", async (command) => {
  for (const port of ["abc", "70000", "0", ""]) {
    const says = ended(`--port takes a number from 1 to 65535, not "${port}".`);
    expect(await mcpEdge([command, "--port", port])).toEqual(says);
    expect(await mcpEdge([command, `--port=${port}`])).toEqual(says);
  }
  expect(await mcpEdge([command, "--port"])).toEqual(ended('--port takes a number from 1 to 65535, not "".'));
  expect(await mcpEdge([command], { env: { npm_config_port: "true" } })).toEqual(
    ended("npm took --port for its own. Write -- before the options, as in npm start -- --port …"),
  );
});

test.each([
  [["--jsn"], "There is no option --jsn: it takes --port and --json."],
  [["abc", "--url", "http://localhost:1/sse"], "There is no option --url: it takes --port and --json."],
  [["abc", "def"], "It shows one session, and there is def besides."],
])("session %j is refused", async (args, sentence) => {
  expect(await mcpEdge(["session", ...args])).toEqual(ended(sentence));
});

test("session writes nothing in the folder where it is asked", async () => {
  const { code, output } = await mcpEdge(["session", "--port", String(await freePort())]);
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^Nothing answers at .*\n$/) });
  expect(await readdir(cwd)).toEqual([]);
});

test("each command has a help, and what is none is named", async () => {
  for (const args of [["--help"], ["stdio", "--help"], ["inspect", "-h"], ["session", "--help"]]) {
    expect(await mcpEdge(args)).toEqual({
      code: 0,
      output: expect.stringMatching(/^mcp-edge dev .*\nmcp-edge stdio /),
    });
  }
  const { code, output } = await mcpEdge(["sevre"]);
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/^There is no command sevre\.\n\nmcp-edge dev /),
  });
});

async function stdio(files: Record<string, string>): Promise<Ended> {
  await mkdir(join(cwd, "src"));
  await writeFile(join(cwd, "package.json"), '{ "type": "module" }');
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, "src", name), text);
  return await mcpEdge(["stdio"]);
}

test.each([
  [
    "throws",
    { "server.ts": 'import "./other.ts";', "other.ts": '\nthrow new Error("no key");' },
    (path: string) => `${path} cannot be loaded: Error: no key\n    at src/other.ts:2:7`,
  ],
  ["throws nothing", { "server.ts": "throw undefined;" }, (path: string) => `${path} cannot be loaded: undefined`],
  [
    "imports a package that is not there",
    { "server.ts": 'import "no-such-package/door";' },
    () =>
      `no-such-package is not installed. Run npm install in ${cwd}, or npm install no-such-package if its package.json does not name it.`,
  ],
  [
    "imports a file that is not there",
    { "server.ts": 'import "./nowhere.ts";' },
    (path: string) =>
      `${path} cannot be loaded: Error [ERR_MODULE_NOT_FOUND]: Cannot find module '${join(cwd, "src/nowhere.ts")}' imported from ${path}`,
  ],
  [
    "reads a file that is not there",
    { "server.ts": 'import { readFileSync } from "node:fs";\nreadFileSync("nowhere.json");\nexport {};' },
    (path: string) =>
      `${path} cannot be loaded: Error: ENOENT: no such file or directory, open 'nowhere.json'\n    at src/server.ts:2:1`,
  ],
  [
    "waits for what never comes",
    { "server.ts": "await new Promise(() => {});" },
    (path: string) =>
      `${path} waits at its top for something that does not come: do it in createServer, or in the tool.`,
  ],
  [
    "exports nothing",
    { "server.ts": "" },
    (path: string) => `${path} exports no createServer: write "export function createServer() { … }".`,
  ],
])("stdio: a server that %s is a sentence, without a stack of Node's or ours", async (_, files, says) => {
  expect(await stdio(files)).toEqual(ended(says(join(cwd, "src/server.ts"))));
});

test("stdio: a server that is no TypeScript, or needs the edge to load, is shown where", async () => {
  const path = join(cwd, "src/server.ts");
  const broken = await stdio({ "server.ts": "export function createServer( {" });
  expect(broken).toEqual({
    code: 1,
    output: expect.stringContaining(`${path} cannot be loaded: file://${path}:1\nexport`),
  });
  expect(broken.output).not.toContain("node:internal");
  await writeFile(path, 'import "cloudflare:workers";');
  const edge = await mcpEdge(["stdio"]);
  expect(edge).toEqual({
    code: 1,
    output: expect.stringMatching(/cloudflare:.*\nOver stdio Node loads it, .* await import/),
  });
  await writeFile(path, 'import "./broken.js";');
  await writeFile(join(cwd, "src/broken.js"), "let a = ;");
  expect((await mcpEdge(["stdio"])).output).toMatch(/^file:\/\/.*\/src\/broken\.js:1\nlet a = ;/);
});

test("a package.json that cannot be read is named, not taken for a package that is missing", async () => {
  await writeFile(join(cwd, "package.json"), "{");
  for (const command of ["dev", "build"]) {
    expect(await mcpEdge([command])).toEqual({
      code: 1,
      output: expect.stringMatching(/^wrangler cannot be found: Invalid package config .*package\.json\.\n$/),
    });
  }
});

test("a clone that is not installed says so in a sentence, whatever is run", async () => {
  for (const path of ["src", "package", "package.json"])
    await cp(join(root, path), join(cwd, path), { recursive: true });
  const says = (name: string): Ended =>
    ended(
      `${name} is not installed. Run npm install in ${cwd}, or npm install ${name} if its package.json does not name it.`,
    );
  for (const script of ["start", "build", "serve"]) {
    const { code, output } = await runToEnd("npm", ["--silent", "run", script], { cwd });
    expect({ code, output }, script).toEqual(says("@modelcontextprotocol/server"));
  }
  for (const script of ["pack", "create"]) {
    expect(await runToEnd("npm", ["--silent", "run", script], { cwd }), script).toEqual(says("esbuild"));
  }
});

test("what is wrong with a source has colours in a terminal only, and where they are asked for", async () => {
  const project = await copy();
  await project.write("src/server.ts", "export function createServer( {");
  const main = join(project.folder, "src/main.ts");
  const coloured = async (command: string, env: NodeJS.Dict<string>): Promise<boolean> => {
    const { code, output } = await runToEnd(process.execPath, [main, command], { cwd: project.folder, env });
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining("src/server.ts:1:") });
    return output.includes("\u001B[");
  };
  const none = { FORCE_COLOR: undefined, NO_COLOR: "1" };
  for (const command of ["dev", "build"]) {
    expect(await coloured(command, none), command).toBe(false);
    expect(await coloured(command, { FORCE_COLOR: "1", NO_COLOR: undefined }), command).toBe(true);
  }
});

test("npm start goes on where nothing can be written any more, and ends in order", async () => {
  const project = await copy();
  const port = await freePort();
  const full = openSync("/dev/full", "w");
  const args = [join(project.folder, "src/main.ts"), "dev", "--port", String(port), "--inspector-port", "0"];
  const server = spawn(process.execPath, args, { cwd: project.folder, stdio: ["ignore", full, full] });
  closeSync(full);
  const exited = once(server, "exit");
  afterwards(() => exited);
  const health = (): Promise<unknown> => fetch(`http://localhost:${port}/health`).then(({ ok }) => ok, String);
  await expect.poll(health).toBe(true);
  const client = await RawSseClient.open(`http://localhost:${port}`);
  for (const a of [1, 2]) expect(await client.call("add", { a, b: 0 })).toMatchObject({ result: {} });
  client.close();
  server.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
});
