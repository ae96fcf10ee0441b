import { pathToFileURL } from "node:url";
import type * as ClientModule from "@modelcontextprotocol/sdk/client/index.js";
import type * as SseModule from "@modelcontextprotocol/sdk/client/sse.js";
import type * as HttpModule from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type * as TypesModule from "@modelcontextprotocol/sdk/types.js";
import { makeCalls } from "./calls.ts";
import { kitFile, versionIn, programArguments, report, textOf } from "./kit.ts";

const { url, lane, rest } = programArguments();
const [name = ""] = rest;

/** A module of this age of the SDK. What is used of it has kept its type since. */
async function moduleOf<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(kitFile(`${name}/dist/esm/${path}`)).href)) as Module;
}

const { Client } = await moduleOf<typeof ClientModule>("client/index.js");
const types = await moduleOf<Partial<typeof TypesModule>>("types.js");
const { CreateMessageRequestSchema, ElicitRequestSchema, LoggingMessageNotificationSchema } = types;

const capabilities = { sampling: {}, ...(ElicitRequestSchema && { elicitation: {} }) };
const client = new Client({ name, version: "1" }, { capabilities });
if (CreateMessageRequestSchema) {
  const content = { type: "text" as const, text: "tides" };
  client.setRequestHandler(CreateMessageRequestSchema, () => ({ model: "test", role: "assistant", content }));
}
if (ElicitRequestSchema) {
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { answer: "blue" } }));
}
const heard: string[] = [];
if (LoggingMessageNotificationSchema) {
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(String(params.data)));
}

const transport =
  lane === "sse"
    ? new (await moduleOf<typeof SseModule>("client/sse.js")).SSEClientTransport(new URL(url))
    : new (await moduleOf<typeof HttpModule>("client/streamableHttp.js")).StreamableHTTPClientTransport(new URL(url));
await client.connect(transport);

const { tools } = await client.listTools();
const progress: number[] = [];
const call = async (tool: string, args: Record<string, unknown>) => {
  const onprogress = (part: { progress: number }) => progress.push(part.progress);
  return textOf(await client.callTool({ name: tool, arguments: args }, undefined, { onprogress }));
};
report({
  version: versionIn(kitFile(name)),
  tools: tools.map((tool) => tool.name),
  ...(await makeCalls({ call, asks: ElicitRequestSchema !== undefined, samples: true, heard: () => heard })),
  progress,
});
await client.close();
