import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { freePort } from "../../test/support/free-port.ts";
import { kitFile, programArguments, textOf } from "../matrix/typescript/kit.ts";

const { url, lane } = programArguments();
const state = await mkdtemp(join(tmpdir(), "mcp-edge-mcp-remote-"));
try {
  const port = String(await freePort());
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [kitFile("mcp-remote/dist/proxy.js"), url, port, "--transport", lane === "sse" ? "sse-only" : "http-only"],
    env: { ...(process.env as Record<string, string>), MCP_REMOTE_CONFIG_DIR: state },
  });
  const client = new Client({ name: "behind mcp-remote", version: "1" });
  await client.connect(transport);
  console.log(textOf(await client.callTool({ name: "add", arguments: { a: 25, b: 25 } })));
  await client.close();
} finally {
  await rm(state, { recursive: true, force: true });
}
