import * as z from "zod";
import { importPeer } from "../peers.ts";

/** `fastmcp` (TypeScript): its HTTP server offers `/sse` beside `/mcp`. The port is the first argument. */
interface Tool {
  name: string;
  description: string;
  parameters: z.ZodType;
  execute: (args: never, context: Context) => Promise<string>;
}

interface Context {
  reportProgress: (progress: { progress: number; total: number; message: string }) => Promise<void>;
  /** What `authenticate` returned. */
  session: { count: number };
}

interface Options {
  name: string;
  version: string;
  ping: { enabled: boolean };
  authenticate: () => Promise<{ count: number }>;
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
  // Its place for what belongs to a session.
  authenticate: async () => ({ count: 0 }),
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

server.addTool({
  name: "tell",
  description: "Tell so many parts.",
  parameters: z.object({ parts: z.int(), bytes: z.int() }),
  execute: async ({ parts, bytes }: { parts: number; bytes: number }, { reportProgress }) => {
    for (let progress = 1; progress <= parts; progress++) {
      await reportProgress({ progress, total: parts, message: "x".repeat(bytes) });
    }
    return "told";
  },
});

server.addTool({
  name: "wait",
  description: "Take some time.",
  parameters: z.object({ ms: z.int() }),
  execute: async ({ ms }: { ms: number }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return "waited";
  },
});

server.addTool({
  name: "count",
  description: "Count the calls of this session.",
  parameters: z.object({}),
  execute: async (_args: object, { session }) => String(++session.count),
});

await server.start({ transportType: "httpStream", httpStream: { port: Number(process.argv[2]), host: "127.0.0.1" } });
