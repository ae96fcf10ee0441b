import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import manifest from "../package.json" with { type: "json" };
import { buildPage } from "../src/dev/build-page.ts";
import type { ThirdParty } from "../src/dev/third-party.ts";
import { doors, root } from "./doors.ts";

const run = promisify(execFile);

/** Node reads TypeScript, which users' servers are, from here on. */
export const nodeRange = ">=22.18";

/** A release runs where the sources are, and its provenance is checked against this. */
const repository = process.env["GITHUB_REPOSITORY"];

/** What every published package of this repository says of itself. */
export const about = {
  version: manifest.version,
  license: manifest.license,
  ...(repository && { repository: { type: "git", url: `git+https://github.com/${repository}.git` } }),
  type: "module",
};

const importOfSource = /(from |import\()"(?<path>\.[^"]*)\.ts"/g;

/** Writes the package `mcp-edge` into `folder`: what the compiler makes of the doors, and all that they import. */
export async function makeEngine(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const dist = join(folder, "dist");
  await mkdir(dist, { recursive: true });
  await declare(dist, folder);
  await keepPublicTypes(dist);
  await bundle(dist);
  // The page that [assets] of a project serves.
  await writeFile(join(folder, "THIRD-PARTY.md"), notice(await buildPage(join(dist, "page"))));
  for (const file of ["LICENSE", "README.md", "CHANGELOG.md"]) await cp(join(root, file), join(folder, file));
  await writeFile(join(folder, "package.json"), `${JSON.stringify(engineManifest(), null, 2)}\n`);
}

/** What is published, as paths of sources. */
function published(): string[] {
  const sources = new Set([...doors().values()].flatMap((conditions) => Object.values(conditions)));
  return [...sources, manifest.bin["mcp-edge"]].map((path) => join(root, path));
}

/** Types of all sources, with their comments, which are for whoever reads them. */
async function declare(outDir: string, folder: string): Promise<void> {
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rewriteRelativeImportExtensions: true,
    rootDir: join(root, "src"),
    outDir,
    typeRoots: [join(root, "node_modules"), join(root, "node_modules/@types")],
    types: ["@cloudflare/workers-types", "node"],
  };
  const settings = { extends: join(root, "tsconfig.json"), compilerOptions, include: [], files: published() };
  await writeFile(config, JSON.stringify(settings));
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--project", config], {
    cwd: root,
  }).catch(({ stdout }: { stdout: string }) => {
    throw new Error(`The package does not compile:\n${stdout}`);
  });
  await rm(config);
}

/** One file a door, and what they share. Names are kept: they are what a stack of a consumer's shows. */
async function bundle(dist: string): Promise<void> {
  await build({
    entryPoints: published(),
    outdir: dist,
    outbase: join(root, "src"),
    chunkNames: "chunks/[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2024",
    packages: "external",
    external: ["cloudflare:*"],
    minifyWhitespace: true,
    // Node shows the line of a fault that nobody caught.
    lineLimit: 120,
    minifySyntax: true,
    logLevel: "warning",
  });
}

/** What of others is in the package, where, and under which license. */
function notice(parties: ThirdParty[]): string {
  const rows = parties.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  return `# Software of others in this package

The page for browsers, \`dist/page/page.js\`, is built of the packages below; their licenses, word for word, are in
\`dist/page/licenses.txt\`, which is served beside it. Nothing else here is of others: what the rest imports is installed as a peer.

| package | version | license |
| --- | --- | --- |
${rows.join("\n")}
`;
}

/** Types that no door leads to are deleted; the others name each other by the files that are in the package. */
async function keepPublicTypes(dist: string): Promise<void> {
  const reached = new Map<string, string>();
  const reach = async (path: string): Promise<void> => {
    if (reached.has(path)) return;
    const text = await readFile(join(dist, path), "utf8");
    reached.set(path, text.replaceAll(importOfSource, '$1"$<path>.js"'));
    for (const { groups } of text.matchAll(importOfSource)) {
      await reach(join(dirname(path), `${groups?.["path"]}.d.ts`));
    }
  };
  for (const { types = "" } of doors().values()) await reach(emitted(types, ".d.ts"));
  const all = await readdir(dist, { recursive: true });
  for (const path of all.filter((name) => name.endsWith(".d.ts"))) {
    const text = reached.get(path);
    await (text === undefined ? rm(join(dist, path)) : writeFile(join(dist, path), text));
  }
}

/** Where the compiler puts what it makes of a source, from `dist`. */
export function emitted(source: string, extension: string): string {
  return source.replace(/^(\.\/)?src\//, "").replace(/\.ts$/, extension);
}

/**
 * The manifest that is published: publishing that of the root would run our scripts, and install our Node, at everybody's. The
 * SDK is a peer, so that the server and the engine have the same.
 */
function engineManifest(): Record<string, unknown> {
  const { dependencies, devDependencies } = manifest;
  const exported = [...doors()].map(([door, conditions]) => {
    const targets = Object.entries(conditions).map(([condition, source]) => [
      condition,
      `./dist/${emitted(source, condition === "types" ? ".d.ts" : ".js")}`,
    ]);
    return [door, Object.fromEntries(targets)];
  });
  const peers = {
    "@modelcontextprotocol/client": `^${devDependencies["@modelcontextprotocol/client"]}`,
    "@modelcontextprotocol/server": `^${dependencies["@modelcontextprotocol/server"]}`,
    // For `mcp-edge/auth/jwt` alone.
    jose: `^${dependencies.jose}`,
    wrangler: ">=4.156.0",
    zod: "^4.2.0",
  };
  const optional = Object.keys(peers).filter((name) => name !== "@modelcontextprotocol/server");
  return {
    name: manifest.name,
    ...about,
    description: manifest.description,
    keywords: ["mcp", "model-context-protocol", "cloudflare-workers", "durable-objects", "sse", "server-sent-events"],
    sideEffects: false,
    engines: { node: nodeRange },
    bin: { "mcp-edge": `./dist/${emitted(manifest.bin["mcp-edge"], ".js")}` },
    exports: { ...Object.fromEntries(exported), "./package.json": "./package.json" },
    files: ["dist", "CHANGELOG.md", "THIRD-PARTY.md"],
    peerDependencies: peers,
    peerDependenciesMeta: Object.fromEntries(optional.map((name) => [name, { optional: true }])),
  };
}
