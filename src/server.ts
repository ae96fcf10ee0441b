import {
  acceptedContent,
  completable,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { failure, type ServerContext, text, tool } from "mcp-edge";

/** Your server's name and version, as clients show them. */
const serverInfo = { name: "mcp-edge", version: "1.0.0" };

const noMemory =
  "This request has no session to remember anything in. Connect over /sse, or initialize a session on /mcp.";

/** What the tools take. Made once, where `createServer` runs for every session. */
const inputs = {
  add: z.object({ a: z.int(), b: z.int() }),
  countdown: z.object({
    from: z.int().min(1).max(1_000).describe("The first number"),
    stepMs: z.int().min(0).max(60_000).default(1_000).describe("Milliseconds between two numbers"),
  }),
  remember: z.object({ key: z.string().min(1), value: z.string() }),
  recall: z.object({ key: z.string().min(1) }),
  ask: z.object({ question: z.string().min(1) }),
  explain: z.object({
    topic: z.string().describe("What to explain"),
    audience: completable(z.string(), (typed) => audiences.filter((audience) => audience.startsWith(typed))),
  }),
};

/** What the user is asked for. */
const answerSchema = z.object({ answer: z.string().describe("Your answer") });

/**
 * Yours: tools, resources, prompts. It runs once for each session, and again after its object was evicted.
 * Nothing in it knows whether it is served over stdio, HTTP+SSE, Streamable HTTP or statelessly.
 */
export function createServer({ memory, user }: ServerContext): McpServer {
  const server = new McpServer(serverInfo, { capabilities: { logging: {} } });
  // What a session remembers ends with it; without a session, a user who has logged in remembers.
  const notes = memory ?? user?.memory;

  tool(
    server,
    "add",
    {
      description: "Add two integers.",
      inputSchema: inputs.add,
      annotations: { readOnlyHint: true },
    },
    ({ a, b }) => text(String(a + b)),
  );

  tool(
    server,
    "countdown",
    {
      description: "Count down to zero, telling each step as it happens.",
      inputSchema: inputs.countdown,
      annotations: { readOnlyHint: true },
    },
    async ({ from, stepMs }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let left = from; left > 0; left--) {
        if (mcpReq.signal.aborted) break;
        if (progressToken !== undefined) {
          const params = { progressToken, progress: from - left + 1, total: from, message: String(left) };
          await mcpReq.notify({ method: "notifications/progress", params });
        }
        await mcpReq.log("info", `${left}…`, "countdown");
        await pause(stepMs, mcpReq.signal);
      }
      return text(`Counted down from ${from}.`);
    },
  );

  tool(
    server,
    "remember",
    {
      description: "Remember a value for the rest of this session.",
      inputSchema: inputs.remember,
      annotations: { idempotentHint: true },
    },
    async ({ key, value }) => {
      if (notes === undefined) return failure(noMemory);
      await notes.set(key, value);
      return text(`Remembered ${key}.`);
    },
  );

  tool(
    server,
    "recall",
    {
      description: "Recall a value that was remembered in this session.",
      inputSchema: inputs.recall,
      annotations: { readOnlyHint: true },
    },
    async ({ key }) => {
      if (notes === undefined) return failure(noMemory);
      const value = await notes.get(key);
      return typeof value === "string" ? text(value) : failure(`Nothing is remembered as ${key}.`);
    },
  );

  tool(
    server,
    "ask",
    {
      description: "Ask the user a question and return the answer.",
      inputSchema: inputs.ask,
      annotations: { readOnlyHint: true },
    },
    ({ question }, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, "answer");
      if (answer.kind === "missing") {
        const asked = inputRequired.elicit({ message: question, requestedSchema: answerSchema });
        return inputRequired({ inputRequests: { answer: asked } });
      }
      const accepted = acceptedContent(mcpReq.inputResponses, "answer", answerSchema);
      return accepted === undefined ? text("The user did not answer.") : text(accepted.answer);
    },
  );

  server.registerResource(
    "about",
    "about://server",
    { title: "About this server", mimeType: "text/plain" },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: "text/plain", text: `${serverInfo.name} ${serverInfo.version}` }],
    }),
  );

  server.registerResource(
    "greeting",
    new ResourceTemplate("greeting://{name}", { list: undefined }),
    { title: "A greeting for somebody", mimeType: "text/plain" },
    ({ href }, { name }) => ({ contents: [{ uri: href, mimeType: "text/plain", text: `Hello, ${String(name)}!` }] }),
  );

  server.registerPrompt(
    "explain",
    {
      description: "Have something explained to an audience.",
      argsSchema: inputs.explain,
    },
    ({ topic, audience }) => ({
      messages: [{ role: "user", content: { type: "text", text: `Explain ${topic} to ${audience}.` } }],
    }),
  );

  return server;
}

const audiences = ["a beginner", "a child", "an engineer", "an expert"];

/** Resolves after `ms`, or at once when the call is cancelled. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
}
