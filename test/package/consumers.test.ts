import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { type NpmRun, npmRun } from "../start/npm-run.ts";
import { bundle, root } from "../support/bundle.ts";
import { freePort } from "../support/free-port.ts";
import { type Ended, type PackedInFolder, packInFolder, runToEnd } from "./packed.ts";

/** What a project may upload beside what a clone does, gzip, KiB. How much that is, `test/start/deploy.test.ts` says. */
const maxMoreKib = 0.5;

/** What a project installs to run, without what it is developed with: bytes. */
const maxRuntimeBytes = 20_000_000;

/** npm installs three times here, and pnpm once. A bound on hanging. */
vi.setConfig({ testTimeout: 500_000, hookTimeout: 500_000 });

/** An empty folder on a machine that has Node 22, its npm and pnpm. */
let folder: string;
let env: NodeJS.Dict<string>;
let packed: PackedInFolder;
let createJs: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-consumers-"));
  packed = await packInFolder();
  createJs = join(packed.create.folder, "create.js");
  const tools = join(folder, "tools");
  await mkdir(tools);
  const platform = `${process.platform.replace("win32", "win")}-${process.arch}`;
  const node = Object.keys(manifest.optionalDependencies).find((name) => name.endsWith(platform)) ?? "";
  const install = ["install", "--no-audit", "--no-fund", "--prefix", tools, `${node}@22`, "pnpm@10"];
  await promisify(execFile)("npm", install, { cwd: tools });
  const machine = (process.env["PATH"] ?? "").split(delimiter).filter((place) => !place.includes("node_modules"));
  const places = [join(tools, "node_modules", node, "bin"), join(tools, "node_modules/.bin"), ...machine];
  // npm hands on what it said of itself, and of the Node of these tests.
  env = { PATH: places.join(delimiter), npm_config_user_agent: undefined, NO_COLOR: "1", FORCE_COLOR: undefined };
});

afterAll(async () => {
  await packed[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The runner of a project has a bound of 5 s for each test, which a busy machine may need to load it. */
const patiently = "--testTimeout=180000";

const on22 =
  (place: string) =>
  (file: string, ...args: string[]): Promise<Ended> =>
    runToEnd(file, args, { cwd: join(folder, place), env });

/** Serves a project by `npm start`; ends it. */
async function serving(place: string, use: (url: string) => Promise<void>): Promise<void> {
  const port = await freePort();
  const args = ["start", "--", "--inspector-port", "0", "--port", String(port)];
  const run: NpmRun = npmRun(args, join(folder, place), env);
  try {
    await run.written("npm run inspector");
    await use(`http://localhost:${port}/sse`);
  } finally {
    run.interrupt();
    await run.ended;
  }
}

const add = "--method tools/call --tool-name add --tool-arg a=25 --tool-arg b=25".split(" ");
const fifty = { content: [{ type: "text", text: "50" }] };

/** A tool, and its test, as a user writes them first. */
async function writeOwnTool(place: string): Promise<void> {
  const server = join(folder, place, "src/server.ts");
  const source = await readFile(server, "utf8");
  const own = `tool(server, "shout", { inputSchema: z.object({ word: z.string() }) }, ({ word }) => text(word.toUpperCase()));`;
  await writeFile(server, source.replace("  return server;", `  ${own}\n\n  return server;`));
  const sample = await readFile(join(folder, place, "test/add.test.ts"), "utf8");
  const ours = sample.replace('"add", arguments: { a: 25, b: 25 }', '"shout", arguments: { word: "hey" }');
  await writeFile(join(folder, place, "test/shout.test.ts"), ours.replace('text: "50"', 'text: "HEY"'));
}

async function bytesIn(place: string): Promise<number> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}

test("Node 22 and npm: created, served, called, given a tool and its test, and ready to deploy", async () => {
  const created = await on22(".")("node", createJs, "my-server", "--engine", packed.engine.tarball);
  expect(created).toEqual({ code: 0, output: expect.stringContaining("npm start") });
  const run = on22("my-server");
  expect((await run("npm", "exec", "-c", "node --version")).output).toMatch(/^v22\./);
  expect(await readFile(join(folder, "my-server/package.json"), "utf8")).not.toContain("optionalDependencies");
  await serving("my-server", async (url) => {
    const { output } = await run("npx", "mcp-edge", "inspect", url, "--cli", ...add);
    expect(JSON.parse(output)).toMatchObject(fifty);
  });
  await writeOwnTool("my-server");
  expect(await run("npm", "test", "--", patiently)).toEqual({ code: 0, output: expect.stringMatching(/3 passed/) });
  expect(await run("npm", "run", "check")).toMatchObject({ code: 0 });
  // Without the tool, so that it is the server of a clone.
  await writeFile(join(folder, "my-server/src/server.ts"), await readFile(join(root, "src/server.ts")));
  const { output } = await run("npm", "run", "deploy", "--", "--dry-run");
  const uploaded = Number(/gzip: (?<kib>[\d.]+) KiB/.exec(output)?.groups?.["kib"]);
  const { script } = await bundle("src/worker.ts");
  expect(uploaded - gzipSync(await readFile(script)).byteLength / 1024).toBeLessThanOrEqual(maxMoreKib);
});

test("what a project installs to run is at most 20 MB", async () => {
  const { dependencies } = JSON.parse(await readFile(join(folder, "my-server/package.json"), "utf8"));
  await mkdir(join(folder, "runtime"));
  await writeFile(join(folder, "runtime/package.json"), JSON.stringify({ dependencies }));
  await cp(join(folder, "my-server/vendor"), join(folder, "runtime/vendor"), { recursive: true });
  const install = await on22("runtime")("npm", "install", "--no-audit", "--no-fund");
  expect(install).toEqual({ code: 0, output: expect.stringContaining("added 4 packages") });
  expect(await bytesIn(join(folder, "runtime/node_modules"))).toBeLessThanOrEqual(maxRuntimeBytes);
});

test("Node 22 and pnpm, which gives a package only what it asks for", async () => {
  const args = ["with-pnpm", "--minimal", "--no-install", "--engine", packed.engine.tarball];
  expect(await on22(".")("node", createJs, ...args)).toMatchObject({ code: 0 });
  const run = on22("with-pnpm");
  expect(await run("pnpm", "install", "--store-dir", join(folder, "store"))).toMatchObject({ code: 0 });
  await serving("with-pnpm", async (url) => {
    const { output } = await run("pnpm", "exec", "mcp-edge", "inspect", url, "--cli", ...add);
    expect(JSON.parse(output)).toMatchObject(fifty);
  });
  expect(await run("pnpm", "test", patiently)).toEqual({ code: 0, output: expect.stringMatching(/1 passed/) });
  expect(await run("pnpm", "run", "check")).toMatchObject({ code: 0 });
  expect(await run("pnpm", "run", "deploy", "--dry-run")).toEqual({
    code: 0,
    output: expect.stringContaining("env.SESSION (Session)"),
  });
});
