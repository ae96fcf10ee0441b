import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { createServer } from "./server.ts";
import { processMemory } from "./session/memory.ts";

// One process is one session, so its memory is the session's. Nothing else may write to stdout.
const memory = processMemory();
serveStdio((context) => createServer({ ...context, env: process.env as unknown as Cloudflare.Env, memory }));
