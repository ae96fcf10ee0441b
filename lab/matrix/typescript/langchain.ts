import { makeCalls } from "./calls.ts";
import { importFromKit, kitFile, programArguments, report, versionIn } from "./kit.ts";

interface Adapters {
  MultiServerMCPClient: new (config: {
    mcpServers: Record<string, { transport: "sse" | "http"; url: string }>;
    onProgress: (part: { progress: number }) => void;
    onMessage: (message: { data: unknown }) => void;
  }) => {
    getTools(): Promise<{ name: string; invoke(args: unknown): Promise<string> }[]>;
    close(): Promise<void>;
  };
}

const { url, lane } = programArguments();
const { MultiServerMCPClient } = await importFromKit<Adapters>("@langchain/mcp-adapters");

const progress: number[] = [];
const heard: string[] = [];
const client = new MultiServerMCPClient({
  mcpServers: { edge: { transport: lane === "sse" ? "sse" : "http", url } },
  onProgress: (part) => progress.push(part.progress),
  onMessage: ({ data }) => heard.push(String(data)),
});
const tools = await client.getTools();
const call = async (name: string, args: unknown) =>
  String(await tools.find((tool) => tool.name === name)?.invoke(args));
report({
  version: versionIn(kitFile("@langchain/mcp-adapters")),
  tools: tools.map(({ name }) => name),
  ...(await makeCalls({ call, heard: () => heard })),
  progress,
});
await client.close();
