import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { type PackedInFolder, packInFolder } from "./packed.ts";

const run = promisify(execFile);

let packed: PackedInFolder;
beforeAll(async () => {
  packed = await packInFolder();
});
afterAll(() => packed[Symbol.asyncDispose]());

interface Manifest {
  version: string;
  exports: Record<string, Record<string, string> | string>;
}

async function manifestIn(folder: string): Promise<Manifest & Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}

async function filesIn(tarball: string): Promise<string[]> {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  return stdout.trim().split("\n");
}

/** What the page that people see adds: it is files for browsers, and no part of a Worker. */
async function pageBytes(): Promise<number> {
  const folder = join(packed.engine.folder, "dist/page");
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
  return files.reduce((sum, file) => sum + gzipSync(file).byteLength, 0);
}

test("the engine is at most 263 KB, two fifths of it its page, has no sources and installs nothing but its peers", async () => {
  const { size } = await stat(packed.engine.tarball);
  expect(size).toBeLessThanOrEqual(263_000);
  expect(size - (await pageBytes())).toBeLessThanOrEqual(149_000);
  const files = await filesIn(packed.engine.tarball);
  expect(files).toEqual(
    expect.arrayContaining([
      "package/dist/index.js",
      "package/dist/main.js",
      "package/LICENSE",
      "package/CHANGELOG.md",
      "package/THIRD-PARTY.md",
    ]),
  );
  const isForeign = (path: string): boolean =>
    (path.endsWith(".ts") && !path.endsWith(".d.ts")) || /dist\/(server|worker|stdio)\.|tsconfig/.test(path);
  expect(files.filter(isForeign)).toEqual([]);
  const manifest = await manifestIn(packed.engine.folder);
  for (const absent of ["scripts", "dependencies", "optionalDependencies", "overrides", "private"]) {
    expect(manifest).not.toHaveProperty(absent);
  }
});

test("it has each door of this repository", async () => {
  const ours = await manifestIn(root);
  const { exports } = await manifestIn(packed.engine.folder);
  const doors = Object.keys(ours.exports).filter((door) => !door.includes("*"));
  expect(Object.keys(exports)).toEqual(
    expect.arrayContaining([...doors, "./shims/sdk", "./shims/ajv", "./shims/ajv-formats"]),
  );
});

test("what it imports is of Node, of the platform, or a peer", async () => {
  const dist = join(packed.engine.folder, "dist");
  const paths = (await readdir(dist, { recursive: true })).filter((path) => /^(?!page\/).*\.js$/.test(path));
  const texts = await Promise.all(paths.map((path) => readFile(join(dist, path), "utf8")));
  const imported = texts.flatMap((text) =>
    Array.from(
      text.matchAll(/\b(?:from|import)\s*\(?"(?<name>(?:@[\w-]+\/)?[\w:-]+)["/]/g),
      ({ groups }) => groups?.["name"] ?? "",
    ),
  );
  const { peerDependencies } = await manifestIn(packed.engine.folder);
  const isThere = (name: string): boolean =>
    /^(node|cloudflare):/.test(name) || Object.hasOwn(Object(peerDependencies), name);
  expect(imported).toContain("@modelcontextprotocol/server");
  expect([...new Set(imported)].filter((name) => !isThere(name))).toEqual([]);
});

test("THIRD-PARTY.md names what is built into the page, and each license is there word for word", async () => {
  const text = await readFile(join(packed.engine.folder, "THIRD-PARTY.md"), "utf8");
  const named = Array.from(
    text.matchAll(/^\| (?<name>\S+) \| \d+\.\S+ \| (?<license>\S+) \|$/gm),
    ({ groups }) => `${groups?.["name"]} (${groups?.["license"]})`,
  );
  // Directly, and within the SDK's own files.
  expect(named).toEqual(expect.arrayContaining(["preact (MIT)", "zod (MIT)", "content-type (MIT)"]));
  const licenses = await readFile(join(packed.engine.folder, "dist/page/licenses.txt"), "utf8");
  const sections = licenses.split(/^-{80}$/m).map((section) => section.trim());
  expect(sections.flatMap((section) => section.split("\n\n")[0]?.split("\n") ?? []).sort()).toEqual(named.sort());
  expect(sections.filter((section) => !/copyright/i.test(section))).toEqual([]);
});

test("publint has nothing to say of either package", async () => {
  for (const { folder } of [packed.engine, packed.create]) {
    const { messages } = await publint({ pkgDir: folder, strict: true, pack: false });
    const manifest = await manifestIn(folder);
    const said = messages.map((message) => formatMessage(message, manifest, { color: false }));
    // Where it lies is known where it is released.
    expect(said.filter((message) => !message?.includes("repository"))).toEqual([]);
  }
});

test("the types of each door are found, and are those of its module, as ESM", async () => {
  const tarball = createPackageFromTarballData(new Uint8Array(await readFile(packed.engine.tarball)));
  const result = await checkPackage(tarball);
  const { problems = [] } = result as { problems?: { kind: string; resolutionKind?: string }[] };
  // CommonJS and TypeScript's oldest resolution are not served: the profile esm-only.
  const isIgnored = ({ kind, resolutionKind }: { kind: string; resolutionKind?: string }): boolean =>
    kind === "CJSResolvesToESM" || resolutionKind === "node10" || resolutionKind === "node16-cjs";
  expect(problems.filter((problem) => !isIgnored(problem))).toEqual([]);
  expect(result.types).toBeTruthy();
});

test("the newest heading of CHANGELOG.md is the version", async () => {
  const text = await readFile(join(root, "CHANGELOG.md"), "utf8");
  const { version } = await manifestIn(root);
  expect(/^## (?<version>\S+)/m.exec(text)?.groups?.["version"]).toBe(version);
});
