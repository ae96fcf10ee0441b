import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { connectStdio } from "../support/official-clients.ts";
import { copyProject } from "../support/project-copy.ts";
import { initialize } from "../support/raw-client.ts";

const args = ["run", "--silent", "stdio"];

test.each([
  ["a line for each call on stderr", {}, ["tools/list", "tools/call"]],
  ["nothing there with MCP_EDGE_LOG=off", { MCP_EDGE_LOG: "off" }, []],
])("npm run stdio prints nothing but protocol, and %s, and ends with its input", async (_, env, logged) => {
  await using project = await copyProject();
  const options = { cwd: project.folder, env: { ...process.env, ...env } };
  const child = spawn("npm", args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  const messages = [
    initialize(),
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: "list", method: "tools/list" },
    { jsonrpc: "2.0", id: "call", method: "tools/call", params: { name: "add", arguments: { a: 25, b: 25 } } },
  ];
  const answered = new Promise<void>((resolve) => {
    child.stdout.on("data", () => {
      if (stdout.includes('"id":"list"') && stdout.includes('"id":"call"')) resolve();
    });
  });
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
  await Promise.race([answered, code]);
  child.stdin.end();
  expect(await code).toBe(0);

  const answers = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(["initialize", "list", "call"]));
  expect(answers).toHaveLength(3);
  expect(answers.filter(({ jsonrpc }) => jsonrpc !== "2.0")).toEqual([]);
  expect(answers.find(({ id }) => id === "call")).toMatchObject({ result: { content: [{ text: "50" }] } });
  const lines = stderr.split("\n").filter((line) => line !== "");
  const calls = lines.map((line) => JSON.parse(line) as { event: string; method: string });
  expect(calls.map(({ event }) => event).filter((event) => event !== "call")).toEqual([]);
  expect(calls.map(({ method }) => method).filter((method) => method !== "initialize")).toEqual(logged);
});

test("a createServer that throws is written to stderr with its cause, and the client gets an error", async () => {
  await using project = await copyProject();
  await project.write(
    "src/server.ts",
    'export function createServer() { throw new Error("no tools today", { cause: new Error("DB_URL is not set") }); }',
  );
  const child = spawn("npm", args, { cwd: project.folder, stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = new Promise((resolve) => child.on("close", resolve));
  const answer = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => resolve(chunk.toString()));
  });
  child.stdin.write(`${JSON.stringify(initialize())}\n`);
  expect(JSON.parse(await answer)).toMatchObject({ id: "initialize", error: { code: -32_603 } });
  child.stdin.end();
  await closed;
  expect(stderr).toContain("no tools today");
  expect(stderr).toContain("DB_URL is not set");
});

const tool = 'server.registerTool("hello", {}, () => ({ content: [] }));';

test.each([
  [
    "that takes nothing",
    `import { McpServer } from "@modelcontextprotocol/server";
    export function createServer(): McpServer {
      const server = new McpServer({ name: "plain", version: "1.0.0" });
      ${tool}
      return server;
    }`,
  ],
  [
    "that is asynchronous",
    `import { McpServer } from "@modelcontextprotocol/server";
    import type { ServerContext } from "mcp-edge";
    export async function createServer({ env }: ServerContext): Promise<McpServer> {
      const server = new McpServer({ name: await Promise.resolve(typeof env), version: "1.0.0" });
      ${tool}
      return server;
    }`,
  ],
  [
    "of a low-level Server",
    `import { Server } from "@modelcontextprotocol/server";
    export function createServer(): Server {
      const server = new Server({ name: "low", version: "1.0.0" }, { capabilities: { tools: {} } });
      server.setRequestHandler("tools/list", () => ({ tools: [{ name: "hello", inputSchema: { type: "object" } }] }));
      return server;
    }`,
  ],
  [
    "of a low-level Server of SDK v1",
    `import { Server } from "@modelcontextprotocol/sdk/server/index.js";
    import { ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
    export function createServer(): Server {
      const server = new Server({ name: "low", version: "1.0.0" }, { capabilities: { tools: {} } });
      const tools = [{ name: "hello", inputSchema: { type: "object" as const } }];
      server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
      return server;
    }`,
  ],
])("a createServer %s compiles with both entries, and is served", async (_, source) => {
  await using project = await copyProject();
  await project.write("src/server.ts", source);
  expect(await project.typeErrors()).toBe("");
  for (const mode of ["legacy", "auto"] as const) {
    const client = await connectStdio(join(project.folder, "src/stdio.ts"), { mode });
    expect(await client.send({ method: "tools/list" })).toMatchObject({ tools: [{ name: "hello" }] });
    await client.close();
  }
});

test("options that cannot be are refused before anything is served", () => {
  const module = JSON.stringify(join(root, "src/stdio/serve-stdio.ts"));
  const code = `import { serveStdio } from ${module}; serveStdio(() => undefined, { oncall: [] });`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, expect.stringContaining("serveStdio has no option oncall. It has onCall.")]);
});
