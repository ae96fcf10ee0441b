import { makeCalls } from "./calls.ts";
import { importFromKit, kitFile, programArguments, report, textOf, versionIn } from "./kit.ts";

interface McpClient {
  tools(): Promise<Record<string, { execute(args: unknown, options: unknown): Promise<unknown> }>>;
  onElicitationRequest(schema: unknown, handler: () => { action: "accept"; content: Record<string, string> }): void;
  close(): Promise<void>;
}

interface AiSdk {
  createMCPClient(config: {
    transport: { type: "sse" | "http"; url: string };
    capabilities: { elicitation: object };
  }): Promise<McpClient>;
  ElicitationRequestSchema: unknown;
}

const { url, lane } = programArguments();
const { createMCPClient, ElicitationRequestSchema } = await importFromKit<AiSdk>("@ai-sdk/mcp");

const client = await createMCPClient({
  transport: { type: lane === "sse" ? "sse" : "http", url },
  capabilities: { elicitation: {} },
});
client.onElicitationRequest(ElicitationRequestSchema, () => ({ action: "accept", content: { answer: "blue" } }));

const tools = await client.tools();
const call = async (name: string, args: Record<string, unknown>) =>
  textOf(await tools[name]?.execute(args, { toolCallId: name, messages: [] }));
report({
  version: versionIn(kitFile("@ai-sdk/mcp")),
  tools: Object.keys(tools),
  ...(await makeCalls({ call, asks: true })),
});
await client.close();
