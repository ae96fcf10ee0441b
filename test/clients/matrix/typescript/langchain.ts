import { importFromKit, kitFile, programArguments, report, versionIn } from "./kit.ts";

interface Adapters {
  MultiServerMCPClient: new (config: {
    mcpServers: Record<string, { transport: "sse" | "http"; url: string }>;
    onProgress: (part: { progress: number }) => void;
  }) => {
    getTools(): Promise<{ name: string; invoke(args: unknown): Promise<string> }[]>;
    close(): Promise<void>;
  };
}

const { url, lane } = programArguments();
const { MultiServerMCPClient } = await importFromKit<Adapters>("@langchain/mcp-adapters");

const progress: number[] = [];
const client = new MultiServerMCPClient({
  mcpServers: { edge: { transport: lane === "sse" ? "sse" : "http", url } },
  onProgress: (part) => progress.push(part.progress),
});
const tools = await client.getTools();
const call = (name: string, args: unknown) => tools.find((tool) => tool.name === name)?.invoke(args);
report({
  version: versionIn(kitFile("@langchain/mcp-adapters")),
  tools: tools.map(({ name }) => name),
  sum: String(await call("add", { a: 25, b: 25 })),
  countdown: String(await call("countdown", { from: 3, stepMs: 50 })),
  progress,
});
await client.close();
