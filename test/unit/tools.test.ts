import { inputRequired, inputResponse, McpServer } from "@modelcontextprotocol/server";
import type { Client } from "@modelcontextprotocol/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { failure, structured, text, tool, type ToolResult } from "../../src/tools.ts";
import { connectTestClient } from "../../src/testing.ts";

function half(n: number): ToolResult<{ half: number }> {
  return n % 2 === 0 ? structured({ half: n / 2 }) : failure(`${n} is odd.`);
}

function createServer(): McpServer {
  const server = new McpServer({ name: "tools", version: "1.0.0" });
  const halves = { inputSchema: z.object({ n: z.int() }), outputSchema: z.object({ half: z.int() }) };
  const described = { title: "Half", description: "Halve an even number.", annotations: { readOnlyHint: true } };
  tool(server, "half", { ...halves, ...described, _meta: { x: 1 } }, async ({ n }) => half(n));
  tool(server, "bare", {}, (args, { mcpReq }) => text(`${mcpReq.method} ${JSON.stringify(args)}`));
  tool(server, "ask", {}, (_args, { mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, "name");
    if (answer.kind === "elicit") return text(`Hello, ${String(answer.content?.["name"])}!`);
    const requestedSchema = z.object({ name: z.string() });
    return inputRequired({ inputRequests: { name: inputRequired.elicit({ message: "Who?", requestedSchema }) } });
  });
  const removed = tool(server, "removed", {}, () => text("still here"));
  removed.remove();
  return server;
}

let client: Client;
beforeEach(async () => {
  client = await connectTestClient(createServer, {
    capabilities: { elicitation: {} },
    prepare: (asked) =>
      asked.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Ada" } })),
  });
});
afterEach(() => client.close());

test("a tool is listed with all that it was given, and is what was removed no more", async () => {
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(["half", "bare", "ask"]);
  expect(tools[0]).toMatchObject({
    title: "Half",
    description: "Halve an even number.",
    annotations: { readOnlyHint: true },
    inputSchema: { type: "object", required: ["n"] },
    outputSchema: { type: "object", required: ["half"] },
    _meta: { x: 1 },
  });
});

test("a structured answer comes as a value, and as text that says the same", async () => {
  const answer = await client.callTool({ name: "half", arguments: { n: 4 } });
  expect(answer).toMatchObject({ structuredContent: { half: 2 }, content: [{ type: "text", text: '{"half":2}' }] });
});

test("a failure of a tool with an outputSchema is an error that says what is wrong", async () => {
  const answer = await client.callTool({ name: "half", arguments: { n: 3 } });
  expect(answer).toMatchObject({ isError: true, content: [{ type: "text", text: "3 is odd." }] });
});

test("a tool without arguments is called with none, whatever it is sent, and with its context", async () => {
  const { content } = await client.callTool({ name: "bare", arguments: { more: 1 } });
  expect(content).toEqual([{ type: "text", text: "tools/call {}" }]);
});

test("a tool asks its user before it answers", async () => {
  const { content } = await client.callTool({ name: "ask", arguments: {} });
  expect(content).toEqual([{ type: "text", text: "Hello, Ada!" }]);
});
