import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { create, type PackedInFolder, packInFolder, runToEnd } from "./packed.ts";

let packed: PackedInFolder;
let cwd: string;

beforeAll(async () => {
  packed = await packInFolder();
  cwd = await mkdtemp(join(tmpdir(), "mcp-edge-create-"));
});

afterAll(async () => {
  await packed[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(cwd, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(join(cwd, folder).length + 1)).toSorted();
}

const ours = (path: string): Promise<string> => readFile(join(root, path), "utf8");
const theirs = (path: string): Promise<string> => readFile(join(cwd, path), "utf8");

test("a project has at most 15 files, and what it shares with this repository is the same but for names", async () => {
  const { code, output } = await create(packed, ["full", "--no-install", "--engine", packed.engine.tarball], { cwd });
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("cd full\n  npm install\n  npm start") });
  const files = await filesIn("full");
  expect(files).toEqual([
    ".github/workflows/ci.yml",
    ".gitignore",
    ".mcp.json",
    ".vscode/mcp.json",
    "AGENTS.md",
    "README.md",
    "package.json",
    "src/env.d.ts",
    "src/server.ts",
    "src/worker.ts",
    "test/add.test.ts",
    "test/server.test.ts",
    "tsconfig.json",
    "vendor/mcp-edge-1.0.0.tgz",
    "wrangler.toml",
  ]);
  for (const path of ["src/worker.ts", "src/env.d.ts", "test/add.test.ts", "test/server.test.ts"]) {
    expect(await theirs(`full/${path}`)).toBe(await ours(path));
  }
  expect(await theirs("full/src/server.ts")).toBe(
    (await ours("src/server.ts")).replace('name: "mcp-edge"', 'name: "full"'),
  );
  const config = (await ours("wrangler.toml"))
    .replace('name = "mcp-edge"', 'name = "full"')
    .replace('"./src/page/dist"', '"./node_modules/mcp-edge/dist/page"')
    .replaceAll(/"\.\/src\/shims\/(?<name>.*)\.ts"/g, '"mcp-edge/shims/$<name>"');
  expect(await theirs("full/wrangler.toml")).toBe(config);
  for (const path of files.filter((name) => !name.startsWith("vendor"))) {
    expect(await theirs(`full/${path}`)).not.toContain("{{");
  }
});

test("a minimal project has one tool and one test", async () => {
  // As npm passes on an option that stands before `--`.
  const { code } = await create(packed, ["small", "--no-install"], { cwd, env: { npm_config_minimal: "true" } });
  expect(code).toBe(0);
  expect(await filesIn("small")).not.toContain("test/server.test.ts");
  expect((await theirs("small/src/server.ts")).match(/^ {2}tool\(/gm)).toEqual(["  tool("]);
  const { version, dependencies } = JSON.parse(await theirs("small/package.json"));
  expect(dependencies["mcp-edge"]).toBe(version);
});

test.each([
  ["a name that no Worker can have", ["My_Server"], "cannot be the name of a Worker"],
  ["no name", [], "Name one folder"],
  ["an empty name", ["", "--no-install"], "Name one folder"],
  ["an unknown option", ["other", "--tiny"], "Unknown option '--tiny': npm create mcp-edge my-server [-- --minimal"],
  ["an engine that is not there", ["other", "--engine", "/nowhere.tgz"], "There is no /nowhere.tgz."],
])("%s: one sentence, and nothing is written", async (_, args, says) => {
  const before = await readdir(cwd);
  const { code, output } = await create(packed, args, { cwd });
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(says) });
  expect(output.trim().split("\n")).toHaveLength(1);
  expect(await readdir(cwd)).toEqual(before);
});

test("its help is one line", async () => {
  const { code, output } = await create(packed, ["--help"], { cwd });
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^npm create mcp-edge my-server .*\n$/) });
});

test("where there is no npm the project is complete, and that is said", async () => {
  const { code, output } = await create(packed, ["npmless"], { cwd, env: { PATH: cwd } });
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/^spawnSync npm ENOENT\nnpmless is complete, but npm install failed in it/),
  });
  expect(await filesIn("npmless")).toContain("src/server.ts");
});

test("a folder that holds something: it says what, and writes nothing unless it is forced", async () => {
  await mkdir(join(cwd, "taken"));
  await writeFile(join(cwd, "taken/notes.txt"), "mine");
  const { code, output } = await create(packed, ["taken", "--no-install"], { cwd });
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/taken holds notes\.txt: .*--force\.\n$/),
  });
  expect(await filesIn("taken")).toEqual(["notes.txt"]);
  expect((await create(packed, ["taken", "--no-install", "--force"], { cwd })).code).toBe(0);
  expect(await theirs("taken/notes.txt")).toBe("mine");
  expect(await filesIn("taken")).toContain("src/server.ts");
});

test.each([
  ["a file", (path: string) => writeFile(path, "mine")],
  ["a link that leads nowhere", (path: string) => symlink("nowhere", path)],
])("%s in the place of the folder: one sentence, and it stays", async (_, put) => {
  const path = join(cwd, "not-a-folder");
  await put(path);
  const before = await lstat(path);
  const { code, output } = await create(packed, ["not-a-folder", "--no-install"], { cwd });
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/^.*not-a-folder is no folder that .*\n$/),
  });
  expect((await lstat(path)).ino).toBe(before.ino);
  await rm(path);
});

test("where the folder is said so that a shell takes it", async () => {
  const { output } = await create(packed, ["mine, and hers/server", "--no-install"], { cwd });
  expect(output).toContain('  cd "mine, and hers/server"\n');
});

test("a folder in which a file stands in the way of a folder: what was written is taken back", async () => {
  await mkdir(join(cwd, "odd"));
  await writeFile(join(cwd, "odd/src"), "a file");
  const { code, output } = await create(packed, ["odd", "--no-install", "--force"], { cwd });
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^Nothing was written: .*\n$/) });
  expect(await filesIn("odd")).toEqual(["src"]);
});

test("a folder that the system has nobody make: nothing is written", async () => {
  const { code, output } = await create(packed, ["/proc/no/server", "--no-install"], { cwd });
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^Nothing was written: E.*'\/proc.*\n$/) });
});

test("Node 18 is told which one is needed; on Node 20, packages bring the Node of the project's scripts", async () => {
  const old = await create(packed, ["old", "--no-install"], { cwd, node: "18.20.4" });
  expect(old).toEqual({ code: 1, output: "create-mcp-edge needs Node 20.0 or newer; this is 18.20.4.\n" });
  expect(await readdir(cwd)).not.toContain("old");
  await create(packed, ["on-20", "--no-install"], { cwd, node: "20.20.2" });
  const clone = JSON.parse(await ours("package.json"));
  expect(JSON.parse(await theirs("on-20/package.json")).optionalDependencies).toEqual(clone.optionalDependencies);
  await create(packed, ["on-24", "--no-install"], { cwd, node: "24.21.0" });
  expect(JSON.parse(await theirs("on-24/package.json")).optionalDependencies).toBeUndefined();
});

test("without a network the project is complete, and one sentence says what is left to do", async () => {
  const env = {
    npm_config_registry: "http://127.0.0.1:1/",
    npm_config_fetch_retries: "0",
    npm_config_cache: join(cwd, "no"),
  };
  const { code, output } = await create(packed, ["offline"], { cwd, env });
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringContaining(
      "offline is complete, but npm install failed in it, as it says above: run it there again.\n",
    ),
  });
  expect(await filesIn("offline")).toContain("src/server.ts");
  expect(await readdir(join(cwd, "offline"))).not.toContain("node_modules");
});

test("a clone that cannot be written makes a project all the same, and says why it cannot be packed there", async () => {
  const clone = join(cwd, "clone");
  const files = ["LICENSE", "README.md", "CHANGELOG.md", "tsconfig.json", "wrangler.toml", "package.json", ".npmrc"];
  for (const path of ["src", "package", "test/add.test.ts", "test/server.test.ts", ...files]) {
    await cp(join(root, path), join(clone, path), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(clone, "node_modules"));
  // Nobody can make a folder of it, not even who may write everywhere.
  await writeFile(join(clone, ".cache"), "");
  const npm = (...args: string[]) => runToEnd("npm", ["--silent", "run", ...args], { cwd: clone });
  const made = await npm("create", "--", "../of-clone", "--no-install");
  expect(made).toEqual({ code: 0, output: expect.stringContaining("cd ../of-clone\n") });
  expect(await filesIn("of-clone")).toContain("vendor/mcp-edge-1.0.0.tgz");
  expect(await npm("pack")).toEqual({
    code: 1,
    output: expect.stringMatching(/^Not possible here: ENOTDIR.*\n$/),
  });
});
