import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";

const run = promisify(execFile);
const inspector = join(root, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");

let edge: EdgeServer;

beforeAll(async () => {
  edge = await startEdge();
});

afterAll(() => edge?.close());

/** What `mcp-inspector --cli …` prints, as JSON. It fails as the command does. */
async function inspect(...args: string[]): Promise<unknown> {
  const { stdout } = await run(process.execPath, [inspector, "--cli", ...args], { cwd: root });
  return JSON.parse(stdout);
}

const add = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=25", "--tool-arg", "b=25"];
const fifty = { content: [{ type: "text", text: "50" }] };

test.for([
  ["over HTTP+SSE", "/sse", ["--transport", "sse"]],
  ["over HTTP+SSE, the path in capitals", "/SSE", ["--transport", "sse"]],
  ["over Streamable HTTP", "/mcp", ["--transport", "http"]],
  ["over Streamable HTTP at the URL of the SSE lane", "/sse", ["--transport", "http"]],
  ["statelessly", "/mcp", ["--transport", "http", "--protocol-era", "modern"]],
] as const)("the Inspector %s adds 25 and 25 to 50", async ([, path, args]) => {
  expect(await inspect(`${edge.url}${path}`, ...args, ...add)).toMatchObject(fifty);
});

test("the Inspector over stdio adds 25 and 25 to 50", async () => {
  expect(await inspect(process.execPath, join(root, "test/fixtures/example-stdio.ts"), ...add)).toMatchObject(fifty);
});

test("the Inspector over HTTP+SSE lists the tools", async () => {
  const listed = await inspect(`${edge.url}/sse`, "--transport", "sse", "--method", "tools/list");
  const { tools } = listed as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(["add", "countdown", "remember", "recall", "ask", "sample"]);
});
