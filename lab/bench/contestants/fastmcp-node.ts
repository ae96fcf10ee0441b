import * as z from "zod";
import { importPeer } from "../peers.ts";

/** `fastmcp` (TypeScript): its HTTP server offers `/sse` beside `/mcp`. The port is the first argument. */
interface Tool {
  name: string;
  description: string;
  parameters: z.ZodType;
  execute: (args: never) => Promise<string>;
}

interface Options {
  name: string;
  version: string;
  ping: { enabled: boolean };
}

interface FastMcp {
  addTool(tool: Tool): void;
  start(options: { transportType: "httpStream"; httpStream: { port: number; host: string } }): Promise<void>;
}

const { FastMCP } = await importPeer<{ FastMCP: new (options: Options) => FastMcp }>("fastmcp");
const server = new FastMCP({
  name: "fastmcp-node",
  version: "1.0.0",
  // The client of the benchmark answers no requests.
  ping: { enabled: false },
});

server.addTool({
  name: "add",
  description: "Add two integers.",
  parameters: z.object({ a: z.int(), b: z.int() }),
  execute: async ({ a, b }: { a: number; b: number }) => String(a + b),
});

server.addTool({
  name: "echo",
  description: "Return the text.",
  parameters: z.object({ text: z.string() }),
  execute: async ({ text }: { text: string }) => text,
});

await server.start({ transportType: "httpStream", httpStream: { port: Number(process.argv[2]), host: "127.0.0.1" } });
