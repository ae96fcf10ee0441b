import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { makeCalls } from "./calls.ts";
import { kitFile, versionIn, programArguments, report, textOf } from "./kit.ts";

const { url, lane, rest } = programArguments();
const strategy = lane === "sse" ? "sse-only" : "http-only";

// What a client that speaks only stdio is told to start. By itself it tries Streamable HTTP first, on any URL.
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [kitFile("mcp-remote/dist/proxy.js"), url, ...(rest.includes("as-it-comes") ? [] : ["--transport", strategy])],
  env: { ...(process.env as Record<string, string>), MCP_REMOTE_CONFIG_DIR: kitFile(".mcp-auth") },
  stderr: "ignore",
});
const client = new Client(
  { name: "behind mcp-remote", version: "1" },
  { capabilities: { elicitation: {}, sampling: {} } },
);
client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { answer: "blue" } }));
client.setRequestHandler("sampling/createMessage", () => ({
  model: "test",
  role: "assistant",
  content: { type: "text", text: "tides" },
}));
const heard: string[] = [];
client.setNotificationHandler("notifications/message", ({ params }) => void heard.push(String(params.data)));
await client.connect(transport);

const progress: number[] = [];
const { tools } = await client.listTools();
const call = async (name: string, args: Record<string, unknown>) => {
  const onprogress = (part: { progress: number }) => progress.push(part.progress);
  return textOf(await client.callTool({ name, arguments: args }, { onprogress }));
};
report({
  version: versionIn(kitFile("mcp-remote")),
  tools: tools.map(({ name }) => name),
  ...(await makeCalls({ call, asks: true, samples: true, heard: () => heard })),
  progress,
});
await client.close();
