import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { root } from "../support/bundle.ts";
import { codeIn, readReadme } from "./readme.ts";

const run = promisify(execFile);
const readme = await readReadme();
const typescript = codeIn(readme, "ts");
const json = codeIn(readme, "json").map((block): unknown => JSON.parse(block));
const sse = "http://localhost:8000/sse";

test("the TypeScript compiles, each block as the file that its first line names", async () => {
  const folder = join(root, ".cache/readme");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // The tests among them are files of this project, see below, and compiled with it.
  const sources = typescript.filter((code) => !code.startsWith("// test/"));
  await Promise.all(sources.map((code, at) => writeFile(join(folder, `block-${at}.ts`), code)));
  const config = {
    extends: "../../tsconfig.json",
    // A block is read as if it lay in src, and finds its neighbours there.
    compilerOptions: { rootDirs: [".", "../../src"] },
    files: [...sources.map((_, at) => `block-${at}.ts`), "../../src/env.d.ts"],
    include: [],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await run(process.execPath, [tsc, "--project", folder]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
  expect(sources.length).toBeGreaterThan(0);
});

test("the example of a test is a test of this project", async () => {
  const example = typescript.find((code) => code.startsWith("// test/add.test.ts\n"));
  const [, ...lines] = (example ?? "").split("\n");
  expect(lines.join("\n")).toBe(await readFile(join(root, "test/add.test.ts"), "utf8"));
});

test("the configurations of Cursor and VS Code are JSON with the URL of the SSE lane", () => {
  expect(json).toContainEqual({ mcpServers: { "mcp-edge": { url: sse } } });
  expect(json).toContainEqual({ servers: { "mcp-edge": { type: "sse", url: sse } } });
  expect(json).toHaveLength(3);
});

test("the migration is one that wrangler takes, after that of an McpAgent and with our binding", async () => {
  const [migration = ""] = codeIn(readme, "toml");
  const ours = await readFile(join(root, "wrangler.toml"), "utf8");
  const former = '[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["MyMcp"]\n';
  const folder = join(root, ".cache/readme-migration");
  await mkdir(folder, { recursive: true });
  const config = join(folder, "wrangler.toml");
  await writeFile(config, ours.replace(/\[\[migrations\]\]\n(?:.+\n)+/, `${former}\n${migration}\n`));
  const { migrations } = unstable_readConfig({ config });
  expect(migrations).toEqual([
    { tag: "v1", new_sqlite_classes: ["MyMcp"] },
    { tag: "v2", new_sqlite_classes: ["Session"], deleted_classes: ["MyMcp"] },
  ]);
});

test("the configuration of Claude Desktop starts the server, from any folder", async () => {
  const desktop = json.find((value) => JSON.stringify(value).includes('"command"'));
  const { command, args } = (desktop as { mcpServers: { "mcp-edge": { command: string; args: string[] } } }).mcpServers[
    "mcp-edge"
  ];
  expect(args).toContain("/path/to/mcp-edge");
  const client = new Client({ name: "test", version: "1.0.0" });
  const inClone = args.map((arg) => arg.replace("/path/to/mcp-edge", root));
  await client.connect(new StdioClientTransport({ command, args: inClone, cwd: "/" }));
  try {
    const { content } = await client.callTool({ name: "add", arguments: { a: 25, b: 25 } });
    expect(content).toEqual([{ type: "text", text: "50" }]);
  } finally {
    await client.close();
  }
});
