import { pathToFileURL } from "node:url";
import { kitFile, versionIn, programArguments, report, textOf } from "./kit.ts";

type ClientModule = typeof import("@modelcontextprotocol/sdk/client/index.js");
type SseModule = typeof import("@modelcontextprotocol/sdk/client/sse.js");
type HttpModule = typeof import("@modelcontextprotocol/sdk/client/streamableHttp.js");
type TypesModule = typeof import("@modelcontextprotocol/sdk/types.js");
type Transport = import("@modelcontextprotocol/sdk/shared/transport.js").Transport;

const { url, lane, rest } = programArguments();
const [name = ""] = rest;

/** A module of this age of the SDK. What is used of it has kept its type since. */
async function moduleOf<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(kitFile(`${name}/dist/esm/${path}`)).href)) as Module;
}

const { Client } = await moduleOf<ClientModule>("client/index.js");
const { CreateMessageRequestSchema, ElicitRequestSchema } = await moduleOf<Partial<TypesModule>>("types.js");

const capabilities = { sampling: {}, ...(ElicitRequestSchema && { elicitation: {} }) };
const client = new Client({ name, version: "1" }, { capabilities });
if (CreateMessageRequestSchema) {
  const content = { type: "text" as const, text: "tides" };
  client.setRequestHandler(CreateMessageRequestSchema, () => ({ model: "test", role: "assistant", content }));
}
if (ElicitRequestSchema) {
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { answer: "blue" } }));
}

const transport =
  lane === "sse"
    ? new (await moduleOf<SseModule>("client/sse.js")).SSEClientTransport(new URL(url))
    : new (await moduleOf<HttpModule>("client/streamableHttp.js")).StreamableHTTPClientTransport(new URL(url));
// The SDK's own classes do not satisfy its own interface under `exactOptionalPropertyTypes`.
await client.connect(transport as Transport);

const { tools } = await client.listTools();
const call = async (tool: string, args: Record<string, unknown>) =>
  textOf(await client.callTool({ name: tool, arguments: args }));
const progress: number[] = [];
const countdown = await client.callTool({ name: "countdown", arguments: { from: 3, stepMs: 50 } }, undefined, {
  onprogress: (part) => progress.push(part.progress),
});
report({
  version: versionIn(kitFile(name)),
  tools: tools.map((tool) => tool.name),
  sum: await call("add", { a: 25, b: 25 }),
  countdown: textOf(countdown),
  progress,
  ...(ElicitRequestSchema && { answer: await call("ask", { question: "Which colour?" }) }),
  sampled: await call("sample", { prompt: "What moves the sea?" }),
});
await client.close();
