import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/cfworker";
import * as z from "zod";
import { answerFor } from "../../../test/fixtures/torture-server.ts";

const call = { n: z.int(), ms: z.int(), bytes: z.int() };

/** The tools of `createTortureServer`, as a server of SDK v1: the peers speak no other. */
export function createTortureServerV1(): McpServer {
  // Its default compiles code, which Workers do not allow.
  const jsonSchemaValidator = new CfWorkerJsonSchemaValidator();
  const server = new McpServer({ name: "torture", version: "1.0.0" }, { jsonSchemaValidator });
  for (const name of ["repeatable", "once"]) {
    server.registerTool(name, { inputSchema: call }, async ({ n, ms, bytes }) => {
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      return { content: [{ type: "text", text: answerFor(n, bytes) }] };
    });
  }
  server.registerTool("asking", { inputSchema: call }, async ({ n, bytes }) => {
    const requestedSchema = { type: "object" as const, properties: { n: { type: "string" as const } } };
    const { content } = await server.server.elicitInput({ message: String(n), requestedSchema });
    const heard = content?.["n"];
    return { content: [{ type: "text", text: heard === String(n) ? answerFor(n, bytes) : `heard ${String(heard)}` }] };
  });
  server.registerTool("session", {}, ({ sessionId }) => ({ content: [{ type: "text", text: sessionId ?? "none" }] }));
  return server;
}
