import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { copyProject } from "../support/project-copy.ts";

const run = promisify(execFile);

const head = `
import { Client } from "@modelcontextprotocol/client";
import { inputRequired, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { failure, structured, text, tool } from "./tools.ts";
const server = new McpServer({ name: "typed", version: "1.0.0" });
const client = new Client({ name: "upstream", version: "1.0.0" });
const inputSchema = z.object({ a: z.int() });
const outputSchema = z.object({ sum: z.number() });
`;

/** A tool on a line of its own; what the compiler says of it begins at `at` and says `says`. */
interface Mistake {
  what: string;
  code: string;
  at: string;
  says: string;
}

const mistakes: Mistake[] = [
  {
    what: "nothing is returned",
    code: 'tool(server, "t", { inputSchema }, ({ a }) => { a.toFixed(); });',
    at: "({ a }) =>",
    says: "Type 'void' is not assignable",
  },
  {
    what: "nothing is returned by an async handler",
    code: 'tool(server, "t", { inputSchema }, async ({ a }) => { a.toFixed(); });',
    at: "async ({ a })",
    says: "Type 'void' is not assignable to type 'ToolResult",
  },
  {
    what: "one branch returns nothing",
    code: 'tool(server, "t", { inputSchema }, ({ a }) => { if (a > 0) return text("x"); });',
    at: "({ a }) =>",
    says: "Not all code paths return a value",
  },
  {
    what: "a string is returned",
    code: 'tool(server, "t", { inputSchema }, ({ a }) => String(a));',
    at: "String(a)",
    says: "Type 'string' is not assignable",
  },
  {
    what: "a string is returned from a block",
    code: 'tool(server, "t", { inputSchema }, async ({ a }) => { return String(a); });',
    at: "async ({ a })",
    says: "Type 'string' is not assignable to type 'ToolResult",
  },
  {
    what: "text is a number",
    code: 'tool(server, "t", { inputSchema }, ({ a }) => ({ content: [{ type: "text", text: a }] }));',
    at: "text: a",
    says: "Type 'number' is not assignable to type 'string'",
  },
  {
    what: "text is a number in a block",
    code: 'tool(server, "t", { inputSchema }, ({ a }) => { return { content: [{ type: "text", text: a }] }; });',
    at: "({ a }) =>",
    says: "Type 'number' is not assignable to type 'string'",
  },
  {
    what: "text() is given a number",
    code: 'tool(server, "t", { inputSchema }, ({ a }) => text(a));',
    at: "a));",
    says: "Argument of type 'number' is not assignable to parameter of type 'string'",
  },
  {
    what: "content is of no such type",
    code: 'tool(server, "t", { inputSchema }, () => ({ content: [{ type: "txt", text: "x" }] }));',
    at: 'type: "txt"',
    says: "Did you mean '\"text\"'?",
  },
  {
    what: "content is no array",
    code: 'tool(server, "t", { inputSchema }, () => ({ content: "x" }));',
    at: 'content: "x"',
    says: "Type 'string' is not assignable to type 'ContentBlock[]'",
  },
  {
    what: "an argument has another name",
    code: 'tool(server, "t", { inputSchema }, ({ b }) => text(String(b)));',
    at: "b }) =>",
    says: "Property 'b' does not exist on type '{ a: number; }'",
  },
  {
    what: "a tool without inputSchema takes an argument",
    code: 'tool(server, "t", {}, ({ b }) => text(String(b)));',
    at: "b }) =>",
    says: "Property 'b' does not exist",
  },
  {
    what: "structured content does not fit outputSchema",
    code: 'tool(server, "t", { inputSchema, outputSchema }, ({ a }) => structured({ total: a }));',
    at: "structured({ total",
    says: "Property 'sum' is missing in type '{ total: number; }'",
  },
  {
    what: "structured content does not fit outputSchema in a block",
    code: 'tool(server, "t", { outputSchema }, () => { return { content: [], structuredContent: { sum: "1" } }; });',
    at: "() =>",
    says: "Type 'string' is not assignable to type 'number'",
  },
  {
    what: "structured content is missing",
    code: 'tool(server, "t", { outputSchema }, () => text("1"));',
    at: 'text("1")',
    says: "Property 'structuredContent' is missing",
  },
  {
    what: "an annotation is unknown",
    code: 'tool(server, "t", { annotations: { readonlyHint: true } }, () => text("x"));',
    at: "readonlyHint",
    says: "Did you mean to write 'readOnlyHint'?",
  },
  {
    what: "a setting is unknown",
    code: 'tool(server, "t", { descripton: "x" }, () => text("x"));',
    at: "descripton",
    says: "Did you mean to write 'description'?",
  },
  {
    what: "inputSchema is no schema",
    code: 'tool(server, "t", { inputSchema: { a: z.int() } }, () => text("x"));',
    at: "a: z.int()",
    says: "'a' does not exist in type 'StandardSchemaWithJSON",
  },
];

/** What is right stays silent: all that the SDK takes from a handler. */
const right = [
  'tool(server, "t", {}, () => text("x"));',
  'tool(server, "t", {}, (_args, { mcpReq, sessionId }) => text(`${mcpReq.method} ${sessionId}`));',
  'tool(server, "t", { inputSchema }, async ({ a }) => { if (a < 0) return failure("x"); return text(String(a)); });',
  'tool(server, "t", { inputSchema, outputSchema }, ({ a }) => (a < 0 ? failure("x") : structured({ sum: a })));',
  'tool(server, "t", { outputSchema }, async () => ({ content: [{ type: "text", text: "1" }], structuredContent: { sum: 1 } }));',
  'tool(server, "t", { inputSchema }, ({ a }) => (a < 0 ? inputRequired({ requestState: "x" }) : text("x")));',
  'tool(server, "t", {}, () => ({ content: [{ type: "image", data: "", mimeType: "image/png" }], isError: Date.now() > 0 }));',
  'tool(server, "t", {}, () => ({ content: [], structuredContent: { any: "thing" } }));',
  'tool(server, "t", {}, () => client.callTool({ name: "upstream" }));',
  'tool(server, "t", { title: "T", icons: [{ src: "x" }], _meta: { x: 1 }, annotations: { idempotentHint: true } }, () => text("x"));',
];

/** What the compiler said, by line of the source. */
let said: Map<string, string>;

beforeAll(async () => {
  await using project = await copyProject();
  const source = [...head.split("\n"), ...right, ...mistakes.map(({ code }) => code)];
  await project.write("src/typed.ts", source.join("\n"));
  const errors = (await project.typeErrors("src/typed.ts")).split(/^src\/typed\.ts\(/m);
  said = new Map();
  for (const error of errors) {
    const { line, column, message } =
      /^(?<line>\d+),(?<column>\d+)\): error TS\d+: (?<message>[^]*)$/.exec(error)?.groups ?? {};
    const code = source[Number(line) - 1] ?? error;
    said.set(code, `${code.slice(Number(column) - 1)}\n${message}`);
  }
  said.delete("");
});

test.each(mistakes)("$what: the compiler says so, and where", ({ code, at, says }) => {
  const [where, ...message] = (said.get(code) ?? "nothing").split("\n");
  expect(where?.slice(0, at.length)).toBe(at);
  expect(message.join("\n")).toContain(says);
});

test("the compiler says nothing of what is right", () => {
  const codes = new Set(mistakes.map(({ code }) => code));
  expect(Array.from(said).filter(([code]) => !codes.has(code))).toEqual([]);
});

/** What the compiler does for a tool, as it counts it. Its time depends on the machine. */
async function instantiations(tools: number): Promise<number> {
  await using project = await copyProject();
  const one = (n: number): string => `tool(server, "t${n}", { inputSchema: z.object({ a${n}: z.int() }), outputSchema },
    async ({ a${n} }, { mcpReq }) => (mcpReq.signal.aborted ? failure("x") : structured({ sum: a${n} })));`;
  await project.write("src/typed.ts", head + Array.from({ length: tools }, (_, n) => one(n)).join("\n"));
  const config = { extends: "./tsconfig.json", include: [], files: ["src/typed.ts"] };
  await project.write("tsconfig.many.json", JSON.stringify({ ...config, compilerOptions: { noUnusedLocals: false } }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--project", "tsconfig.many.json", "--extendedDiagnostics"];
  const { stdout } = await run(process.execPath, args, { cwd: project.folder });
  return Number(/^Instantiations:\s+(?<count>\d+)/m.exec(stdout)?.groups?.["count"]);
}

test("100 tools more cost the compiler less than 1,000 instantiations each", async () => {
  const [few, many] = [await instantiations(1), await instantiations(101)];
  expect((many - few) / 100).toBeLessThan(1_000);
});
