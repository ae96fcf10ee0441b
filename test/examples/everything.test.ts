import { createRequire } from "node:module";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { connectStdio, connectV2, type OfficialClient, type User } from "../support/official-clients.ts";
import { type Example, startExample } from "./example.ts";

/** The reference server in its own package, as `npx` starts it. */
const original = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/dist/index.js");

const user: User = {
  elicit: () => ({ action: "accept", content: { name: "Ada" } }),
  sample: (prompt) => `an answer to ${prompt}`,
  roots: [{ uri: "file:///work", name: "work" }],
};

const lanes = {
  "/sse": (url: string) => connectV2(`${url}/sse`, "sse", { user }),
  "/mcp": (url: string) => connectV2(`${url}/mcp`, "http", { user }),
  stdio: () => connectStdio(join(root, "examples/everything/stdio.ts"), { user }),
};

/** Arguments with which each tool answers quickly, and the network is not asked. */
const argumentsOf: Record<string, Record<string, unknown>> = {
  echo: { message: "hello" },
  "get-annotated-message": { messageType: "success", includeImage: true },
  "get-resource-links": { count: 3 },
  "get-resource-reference": { resourceType: "Text", resourceId: 1 },
  "get-structured-content": { location: "New York" },
  "get-sum": { a: 25, b: 25 },
  "gzip-file-as-resource": { name: "a.gz", data: "data:text/plain,hello", outputType: "resource" },
  "trigger-long-running-operation": { duration: 0.2, steps: 2 },
  "trigger-sampling-request": { prompt: "why", maxTokens: 10 },
};

interface Tools {
  tools: { name: string }[];
}

/** What differs from one session to the next: its id, the time, and the environment. */
function comparable(result: unknown, name: string): unknown {
  if (name === "get-env") return "an environment";
  const json = JSON.stringify(result)
    .replaceAll(/\b[0-9a-f]{64}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<session>")
    .replaceAll(/for session (?:undefined|<session>|\S+?)(?=[. "\\])/g, "for session <session>")
    .replaceAll(/\d{1,2}:\d\d:\d\d\s?[AP]M/g, "<time>");
  return JSON.parse(json);
}

/** Every tool of a server, its prompts and templates, with what they answer. */
async function everythingOf(client: OfficialClient): Promise<Record<string, unknown>> {
  await expect
    .poll(async () => ((await client.send({ method: "tools/list" })) as Tools).tools.map(({ name }) => name))
    .toContain("get-roots-list");
  const { tools } = (await client.send({ method: "tools/list" })) as Tools;
  const found: Record<string, unknown> = { tools };
  for (const method of ["prompts/list", "resources/templates/list"] as const)
    found[method] = await client.send({ method });
  for (const { name } of tools) {
    const params = { name, arguments: argumentsOf[name] ?? {} };
    const result = await client.send({ method: "tools/call", params }).catch((error: unknown) => String(error));
    found[name] = comparable(result, name);
  }
  return found;
}

let example: Example;
beforeAll(async () => {
  example = await startExample("everything");
});
afterAll(() => example[Symbol.asyncDispose]());

async function askedOf(connecting: Promise<OfficialClient>): Promise<Record<string, unknown>> {
  const client = await connecting;
  try {
    return await everythingOf(client);
  } finally {
    await client.close();
  }
}

/** Asked once. */
let inItsPackage: Promise<Record<string, unknown>> | undefined;

test.each(Object.entries(lanes))(
  "over %s each tool, prompt and template of the reference server is what it is in its own package",
  async (_, connect) => {
    inItsPackage ??= askedOf(connectStdio(original, { user, args: ["stdio"] }));
    const found = await askedOf(connect(example.url));
    expect(Object.keys(found).length).toBeGreaterThan(15);
    expect(found).toEqual(await inItsPackage);
  },
);

test("its tool that runs as a task is started, followed and answered over /sse", async () => {
  // Without elicitation, or it would ask what is meant.
  const client = new Client({ name: "test", version: "1.0.0" }, { capabilities: { tasks: {} } });
  await client.connect(new SSEClientTransport(new URL(`${example.url}/sse`)));
  await client.listTools();
  const seen: string[] = [];
  const params = { name: "simulate-research-query", arguments: { topic: "SSE" } };
  for await (const message of client.experimental.tasks.callToolStream(params)) {
    seen.push(message.type);
    if (message.type === "error") seen.push(message.error.message);
    if (message.type === "result") seen.push(JSON.stringify(message.result.content).slice(0, 60));
  }
  await client.close();
  expect(seen).toEqual(expect.arrayContaining(["taskCreated", "taskStatus", "result"]));
  expect(seen.at(-1)).toContain("SSE");
});
