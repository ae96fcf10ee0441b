import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npmRun } from "../start/npm-run.ts";
import { root } from "../support/bundle.ts";
import { freePort } from "../support/free-port.ts";
import { connectStdio, connectV2 } from "../support/official-clients.ts";
import { type Ended, runToEnd } from "./packed.ts";

/** A project as `npm run create` makes it, installed once for all tests of this file. */
let parent: string;
let folder: string;
let created: Ended;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "mcp-edge-installed-"));
  folder = join(parent, "my-server");
  // Its scripts run with the Node of these tests, or with that which its packages bring.
  created = await runToEnd("npm", ["run", "--silent", "create", "--", folder], { cwd: root });
}, 400_000);

afterAll(() => rm(parent, { recursive: true, force: true }));

/** What is printed last of the announcement: from then on it serves. */
const announced = "npm run inspector";
const npm = (...args: string[]): Promise<Ended> => runToEnd("npm", args, { cwd: folder });
const bin = (): string => join(folder, "node_modules/mcp-edge/dist/main.js");
const add = { method: "tools/call" as const, params: { name: "add", arguments: { a: 25, b: 25 } } };
const inspect = "--method tools/call --tool-name add --tool-arg a=25 --tool-arg b=25";
const fifty = { content: [{ type: "text", text: "50" }] };

test("npm run create makes and installs a project with the engine of this clone", () => {
  expect(created).toEqual({ code: 0, output: expect.stringContaining("npm start") });
});

test("npm ci, with which its workflow begins, takes the lockfile as it is", async () => {
  const { code, output } = await npm("ci", "--dry-run");
  expect(code, output).toBe(0);
});

test("npm start serves it, and the Inspector answers 50", async () => {
  const port = await freePort();
  const run = npmRun(["start", "--", "--inspector-port", "0", "--port", String(port)], folder);
  try {
    await run.written(announced);
    const { output } = await npm(
      "run",
      "--silent",
      "inspector",
      "--",
      "--port",
      String(port),
      "--cli",
      ...inspect.split(" "),
    );
    expect(JSON.parse(output)).toMatchObject(fifty);
  } finally {
    run.interrupt();
    await run.ended;
  }
});

test("in a project that has no scripts, mcp-edge dev names a command for the Inspector that works there", async () => {
  const path = join(folder, "package.json");
  const manifest = await readFile(path, "utf8");
  await writeFile(path, JSON.stringify({ ...JSON.parse(manifest), scripts: {} }));
  const port = await freePort();
  const run = npmRun(["exec", "--", "mcp-edge", "dev", "--inspector-port", "0", "--port", String(port)], folder);
  try {
    await run.written("npx mcp-edge inspect");
    const [, command = ""] = /^ +(npx mcp-edge inspect.*)$/m.exec(run.output()) ?? [];
    const { output } = await runToEnd("sh", ["-c", `${command} --cli ${inspect}`], { cwd: folder });
    expect(JSON.parse(output)).toMatchObject(fifty);
  } finally {
    run.interrupt();
    await run.ended;
    await writeFile(path, manifest);
  }
});

test("npm test passes in seconds, npm run check too, and a dry run of npm run deploy", async () => {
  // Its runner has a bound of 5 s for each test, which a busy machine may need to load it.
  const tests = await npm("test", "--", "--testTimeout=180000");
  expect(tests).toEqual({ code: 0, output: expect.stringMatching(/2 passed/) });
  const check = await npm("run", "check");
  expect(check).toEqual({ code: 0, output: expect.not.stringContaining("error") });
  const deploy = await npm("run", "deploy", "--", "--dry-run");
  expect(deploy).toEqual({ code: 0, output: expect.stringContaining("env.SESSION (Session)") });
});

test("TypeScript 5.9 compiles it, and no type of the engine is an error even if libraries are checked", async () => {
  const old = join(root, "node_modules/typescript-5-9/bin/tsc");
  const lenient = await runToEnd(process.execPath, [old, "--noEmit"], { cwd: folder });
  expect(lenient).toEqual({ code: 0, output: "" });
  const strict = await runToEnd(process.execPath, [old, "--noEmit", "--skipLibCheck", "false"], { cwd: folder });
  expect(strict.output.split("\n").filter((line) => line.includes("node_modules/mcp-edge"))).toEqual([]);
});

test("a server whose import of a type is none of a type is served over stdio", async () => {
  const path = join(folder, "src/server.ts");
  const source = await readFile(path, "utf8");
  expect(source).toContain("import { failure, type ServerContext, text, tool }");
  await writeFile(
    path,
    source.replace("failure, type ServerContext,", "edge, failure, type ServerContext,") + "\nvoid edge;\n",
  );
  const client = await connectStdio(bin(), { cwd: folder, args: ["stdio"] });
  expect(await client.send(add)).toMatchObject(fifty);
  await client.close();
  await writeFile(path, source);
});

test("with a second copy of the SDK, revision 2026-07-28 is negotiated all the same, over stdio and HTTP", async () => {
  const copy = join(folder, "node_modules/mcp-edge/node_modules/@modelcontextprotocol/server");
  await cp(join(folder, "node_modules/@modelcontextprotocol/server"), copy, { recursive: true });
  const port = await freePort();
  const run = npmRun(["start", "--", "--inspector-port", "0", "--port", String(port)], folder);
  try {
    const stdio = await connectStdio(bin(), { mode: "auto", cwd: folder, args: ["stdio"] });
    expect({ revision: stdio.revision(), answer: await stdio.send(add) }).toMatchObject({
      revision: "2026-07-28",
      answer: fifty,
    });
    await stdio.close();
    await run.written(announced);
    const http = await connectV2(`http://localhost:${port}/mcp`, "http", { mode: "auto" });
    expect({ revision: http.revision(), answer: await http.send(add) }).toMatchObject({
      revision: "2026-07-28",
      answer: fifty,
    });
    await http.close();
  } finally {
    run.interrupt();
    await run.ended;
    await rm(copy, { recursive: true });
  }
});

test("an older Node is told in one sentence which one is needed", async () => {
  const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })";
  const args = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, bin(), "dev"];
  expect(await runToEnd(process.execPath, args, { cwd: folder })).toEqual({
    code: 1,
    output: "mcp-edge needs Node 22.18 or newer; this is 20.20.2.\n",
  });
});

test("mcp-edge stdio in a folder without a server says so", async () => {
  const { code, output } = await runToEnd(process.execPath, [bin(), "stdio"], { cwd: parent });
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^There is no .*src\/server\.ts: .*\n$/) });
});

test("a command whose package is not installed says how to install it", async () => {
  const { code, output } = await runToEnd(process.execPath, [bin(), "dev"], { cwd: parent });
  expect({ code, output }).toEqual({
    code: 1,
    output: `wrangler is not installed in ${parent}: npm install --save-dev wrangler\n`,
  });
});
