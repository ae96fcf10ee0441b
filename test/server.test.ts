import type { Client } from "@modelcontextprotocol/client";
import { afterEach, expect, test } from "vitest";
import { createServer } from "../src/server.ts";
import { connectTestClient } from "mcp-edge/testing";

let client: Client;
afterEach(() => client.close());

async function textOf(name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  const [first] = content;
  return first?.type === "text" ? first.text : JSON.stringify(content);
}

test("add adds two integers, and refuses what is none by name", async () => {
  client = await connectTestClient(createServer);
  expect(await textOf("add", { a: 25, b: 25 })).toBe("50");
  expect(await textOf("add", { a: 25, b: 2.5 })).toMatch(/\bb\b/);
});

test("countdown tells each step, and stops when it is cancelled", async () => {
  client = await connectTestClient(createServer);
  const steps: (string | undefined)[] = [];
  const cancelling = new AbortController();
  const call = client.callTool(
    { name: "countdown", arguments: { from: 1_000, stepMs: 1 } },
    {
      signal: cancelling.signal,
      onprogress: ({ message }) => {
        steps.push(message);
        if (steps.length === 3) cancelling.abort("enough");
      },
    },
  );
  await expect(call).rejects.toThrow("enough");
  expect(steps.slice(0, 3)).toEqual(["1000", "999", "998"]);
});

test("what is remembered can be recalled in the same session, and in no other", async () => {
  client = await connectTestClient(createServer);
  expect(await textOf("remember", { key: "colour", value: "blue" })).toBe("Remembered colour.");
  expect(await textOf("recall", { key: "colour" })).toBe("blue");
  await client.close();
  client = await connectTestClient(createServer);
  expect(await textOf("recall", { key: "colour" })).toBe("Nothing is remembered as colour.");
});

test("ask returns what the user answers", async () => {
  client = await connectTestClient(createServer, {
    capabilities: { elicitation: {} },
    prepare: (asked) =>
      asked.setRequestHandler("elicitation/create", ({ params }) => ({
        action: "accept",
        content: { answer: `You asked: ${params.message}` },
      })),
  });
  expect(await textOf("ask", { question: "Who?" })).toBe("You asked: Who?");
});

test("ask says so at once if nobody can be asked", async () => {
  client = await connectTestClient(createServer);
  const { isError, content } = await client.callTool({ name: "ask", arguments: { question: "Who?" } });
  expect(isError).toBe(true);
  expect(JSON.stringify(content)).toContain("elicitation");
});

test("its resources and its prompt are there, with completion", async () => {
  client = await connectTestClient(createServer);
  const { contents } = await client.readResource({ uri: "greeting://Ada" });
  expect(contents).toMatchObject([{ text: "Hello, Ada!" }]);
  const { messages } = await client.getPrompt({ name: "explain", arguments: { topic: "SSE", audience: "a child" } });
  expect(messages).toMatchObject([{ content: { text: "Explain SSE to a child." } }]);
  const ref = { type: "ref/prompt" as const, name: "explain" };
  const { completion } = await client.complete({ ref, argument: { name: "audience", value: "an" } });
  expect(completion.values).toEqual(["an engineer", "an expert"]);
});
