import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { root } from "./doors.ts";
import { about, nodeRange } from "./engine.ts";

/** Files of this repository that are in every project as they are, but for their place in a clone; and in the full one. */
const shared = ["src/worker.ts", "src/env.d.ts", "test/add.test.ts"];
const examples = ["src/server.ts", "test/server.test.ts"];

/** Where a text of a template is changed, and what must be there to be changed. */
type Change = [from: string, to: string];

/** Writes the package `create-mcp-edge` into `folder`: a program, and what it writes, which is made from this repository. */
export async function makeCreate(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const template = join(folder, "template");
  await mkdir(folder, { recursive: true });
  await cp(join(root, "package/create/create.js"), join(folder, "create.js"));
  await cp(join(root, "package/template"), template, { recursive: true });
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  for (const path of shared) await copy(path, join(template, "common", path));
  for (const path of examples)
    await copy(path, join(template, "full", path), [], [['name: "mcp-edge"', 'name: "{{name}}"']]);
  await copy("wrangler.toml", join(template, "common/wrangler.toml"), [
    ['name = "mcp-edge"', 'name = "{{name}}"'],
    ['"./src/page/dist"', '"./node_modules/mcp-edge/dist/page"'],
    ['"./src/shims/sdk.ts"', '"mcp-edge/shims/sdk"'],
    ['"./src/shims/ajv.ts"', '"mcp-edge/shims/ajv"'],
    ['"./src/shims/ajv-formats.ts"', '"mcp-edge/shims/ajv-formats"'],
  ]);
  await copy("tsconfig.json", join(template, "common/tsconfig.json"), [
    ['["src", "test", "lab", "package", "examples", "vitest.config.ts"]', '["src", "test"]'],
  ]);
  await write(join(template, "common/package.json"), projectManifest());
  const { scripts, optionalDependencies } = manifest;
  await write(join(template, "node.json"), { postinstall: scripts.postinstall, optionalDependencies });
  await write(join(folder, "package.json"), createManifest());
}

/** @throws {Error} if what is to be changed is not there: the file has changed, and the template with it. */
async function copy(path: string, to: string, changes: Change[] = [], optional: Change[] = []): Promise<void> {
  let text = await readFile(join(root, path), "utf8");
  for (const [from, into] of changes) {
    if (!text.includes(from)) throw new Error(`${path} has no ${from} to be made ${into} in the template.`);
    text = text.replace(from, into);
  }
  for (const [from, into] of optional) text = text.replace(from, into);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, text);
}

async function write(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** The manifest of a project: what this repository was tested with, exactly. */
function projectManifest(): Record<string, unknown> {
  const { dependencies, devDependencies } = manifest;
  const at = <Name extends string>(versions: Record<Name, string>, ...names: Name[]) =>
    Object.fromEntries(names.map((name) => [name, versions[name]]));
  return {
    name: "{{name}}",
    version: "1.0.0",
    private: true,
    type: "module",
    scripts: {
      start: "mcp-edge dev",
      inspector: "mcp-edge inspect",
      inspect: "mcp-edge session",
      stdio: "mcp-edge stdio",
      build: "mcp-edge build",
      serve: "mcp-edge serve",
      test: "vitest run",
      types: manifest.scripts.types,
      check: "wrangler types --include-runtime=false --check src/env.d.ts && tsc",
      deploy: manifest.scripts.deploy,
    },
    dependencies: {
      ...at(dependencies, "@modelcontextprotocol/server"),
      "mcp-edge": manifest.version,
      ...at(dependencies, "zod"),
    },
    devDependencies: at(
      devDependencies,
      "@cloudflare/workers-types",
      "@modelcontextprotocol/client",
      "@modelcontextprotocol/inspector",
      "@types/node",
      "typescript",
      "vitest",
      "wrangler",
    ),
    overrides: manifest.overrides,
    engines: { node: nodeRange },
  };
}

function createManifest(): Record<string, unknown> {
  return {
    name: "create-mcp-edge",
    ...about,
    description: "A project for an MCP server on Cloudflare's edge: npm create mcp-edge my-server",
    bin: { "create-mcp-edge": "./create.js" },
    files: ["create.js", "template"],
    engines: { node: ">=20" },
  };
}
