import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, onTestFinished, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { clonedConfig, root } from "../support/bundle.ts";
import { connectStdio } from "../support/official-clients.ts";
import { copyProject } from "../support/project-copy.ts";
import { codeIn, readReadme } from "./readme.ts";

const run = promisify(execFile);
const readme = await readReadme();
const json = codeIn(readme, "json").map((block): unknown => JSON.parse(block));
const sse = "http://localhost:8000/sse";

/** Each block is the file that its first line names; what a reader has before is no file of ours. */
const blocks = codeIn(readme, "ts").map((code) => {
  const path = /^\/\/ (?<path>\S+\.ts)\n/.exec(code)?.groups?.["path"];
  return { path: path ?? "src/before.ts", code };
});
/** Of its own, until the end of the test. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-readme-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const servers = blocks.filter(({ path }) => path === "src/server.ts");
const tests = blocks.filter(({ path }) => path.startsWith("test/"));

test.each(blocks)("block %$ of the TypeScript compiles as $path, with both entries", async ({ path, code }) => {
  await using project = await copyProject();
  await project.write(path, code);
  // What `npm run types` writes for the secrets that it names.
  const secrets = "declare namespace Cloudflare { interface Env { ALICE_KEY: string; CI_KEY: string } }";
  await project.write("src/secrets.d.ts", secrets);
  expect(await project.typeErrors("src/secrets.d.ts", path)).toBe("");
});

test.each(servers)("server %$ among them is served", async ({ path, code }) => {
  await using project = await copyProject();
  await project.write(path, code);
  const client = await connectStdio(join(project.folder, "src/stdio.ts"));
  const { tools } = (await client.send({ method: "tools/list" })) as { tools: { name: string }[] };
  await client.close();
  expect(tools).toHaveLength(1);
  expect(code).toContain(`"${tools[0]?.name}"`);
});

test.each(tests)("the test that is $path passes", async ({ path, code }) => {
  await using project = await copyProject();
  await project.write(path, code);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  // Its own bound is 5 s, which a busy machine may need to load it.
  const args = [vitest, "run", "--root", project.folder, "--testTimeout=180000", path];
  // It ends with 1 if none passed.
  const { stdout } = await run(process.execPath, args);
  expect(stdout).toContain(path);
});

test("there are servers and a test among them", () => {
  expect(servers).toHaveLength(2);
  expect(tests).toHaveLength(1);
});

test("the configurations of Cursor and VS Code are JSON with the URL of the SSE lane", () => {
  expect(json).toContainEqual({ mcpServers: { "mcp-edge": { url: sse } } });
  expect(json).toContainEqual({ servers: { "mcp-edge": { type: "sse", url: sse } } });
  expect(json).toHaveLength(3);
});

test("the migration is one that wrangler takes, after that of an McpAgent and with our binding", async () => {
  const migration = codeIn(readme, "toml").find((block) => block.includes("deleted_classes")) ?? "";
  const ours = await readFile(clonedConfig, "utf8");
  const former = '[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["MyMcp"]\n';
  const config = join(await temporaryFolder(), "wrangler.toml");
  const withoutMigrations = ours.replaceAll(/\[\[migrations\]\]\n(?:.+\n)+/g, "");
  await writeFile(config, `${withoutMigrations}\n${former}\n${migration}`);
  const { migrations } = unstable_readConfig({ config });
  expect(migrations).toEqual([
    { tag: "v1", new_sqlite_classes: ["MyMcp"] },
    { tag: "v2", new_sqlite_classes: ["Session"], deleted_classes: ["MyMcp"] },
  ]);
});

test("the domain of one's own is a route that wrangler takes, at the end of our configuration", async () => {
  const [route = ""] = codeIn(readme, "toml");
  const config = join(await temporaryFolder(), "wrangler.toml");
  await writeFile(config, `${await readFile(clonedConfig, "utf8")}\n${route}`);
  expect(unstable_readConfig({ config }).routes).toEqual([{ pattern: "mcp.example.com", custom_domain: true }]);
});

test("the configuration of Claude Desktop starts the server, from any folder", async () => {
  const desktop = json.find((value) => JSON.stringify(value).includes('"command"'));
  const { command, args } = (desktop as { mcpServers: { "mcp-edge": { command: string; args: string[] } } }).mcpServers[
    "mcp-edge"
  ];
  expect(args).toContain("/path/to/mcp-edge");
  const client = new Client({ name: "test", version: "1.0.0" });
  await using project = await copyProject();
  const inClone = args.map((arg) => arg.replace("/path/to/mcp-edge", project.folder));
  await client.connect(new StdioClientTransport({ command, args: inClone, cwd: "/" }));
  try {
    const { content } = await client.callTool({ name: "add", arguments: { a: 25, b: 25 } });
    expect(content).toEqual([{ type: "text", text: "50" }]);
  } finally {
    await client.close();
  }
});
