import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client, SSEClientTransport } from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { RawSseClient } from "../support/raw-client.ts";
import { connectV2, type OfficialClient, type User } from "../support/official-clients.ts";
import { startExample } from "./example.ts";

/** Of both session lanes: what a tool answers to each. */
async function answersOf(url: string, calls: [name: string, args: Record<string, unknown>][], user: User = {}) {
  const answers: unknown[] = [];
  for (const [path, transport] of [
    ["/sse", "sse"],
    ["/mcp", "http"],
  ] as const) {
    const client = await connectV2(`${url}${path}`, transport, { user });
    const ofLane: unknown[] = [];
    for (const [name, args] of calls) ofLane.push(await textOf(client, name, args));
    await client.close();
    answers.push(ofLane);
  }
  return answers;
}

async function textOf(client: OfficialClient, name: string, args: Record<string, unknown>): Promise<unknown> {
  const result = await client.send({ method: "tools/call", params: { name, arguments: args } });
  const { content } = result as { content: { text?: string }[] };
  return content[0]?.text;
}

test("a Hono app has two paths for MCP, and the others as before", async () => {
  await using example = await startExample("hono");
  expect(await (await fetch(example.url)).text()).toBe("The application is here.");
  expect(await answersOf(example.url, [["greet", { name: "Ada" }]])).toEqual([["Hello, Ada!"], ["Hello, Ada!"]]);
  // Each of the two serves the clients of both transports.
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new SSEClientTransport(new URL(`${example.url}/mcp`)));
  expect((await client.listTools()).tools).toHaveLength(1);
  await client.close();
  expect((await fetch(`${example.url}/other`)).status).toBe(404);
});

test("tools of all sessions count in one object of the Worker's own", async () => {
  await using example = await startExample("own-objects");
  const count: [string, Record<string, unknown>] = ["count", { counter: "visits" }];
  expect(await answersOf(example.url, [count, count])).toEqual([
    ["1", "2"],
    ["3", "4"],
  ]);
  expect(await (await fetch(`${example.url}/count`)).json()).toBe(4);
});

test("tools keep notes in D1 and files in R2, for all sessions", async () => {
  await using example = await startExample("d1-r2");
  const note = { title: "tea", body: "green, 80 degrees" };
  const answers = await answersOf(example.url, [
    ["add_note", note],
    ["find_notes", { word: "green" }],
    ["read_file", { key: "a.txt" }],
    ["save_file", { key: "a.txt", content: "kept" }],
    ["read_file", { key: "a.txt" }],
  ]);
  const found = JSON.stringify({ notes: [note] });
  expect(answers).toEqual([
    ["Noted tea.", found, "There is no file a.txt.", "Saved a.txt.", "kept"],
    ["Noted tea.", found, "kept", "Saved a.txt.", "kept"],
  ]);
});

test("a server of SDK v1 is served as it is, and asks its user", async () => {
  await using example = await startExample("sdk-v1");
  const user: User = { elicit: () => ({ action: "accept", content: { name: "Ada" } }) };
  const calls: [string, Record<string, unknown>][] = [
    ["add", { a: 25, b: 25 }],
    ["name_it", {}],
  ];
  expect(await answersOf(example.url, calls, user)).toEqual([
    ["50", "Ada"],
    ["50", "Ada"],
  ]);
});

test("what was an McpAgent has its state, its user behind a login, and reminders that come without a session", async () => {
  await using example = await startExample("from-mcp-agent");
  const connect = async (user: string): Promise<Client> => {
    const client = new Client({ name: "test", version: "1.0.0" });
    const headers = { authorization: `Bearer token-of-${user}` };
    await client.connect(new SSEClientTransport(new URL(`${example.url}/sse`), { requestInit: { headers } }));
    return client;
  };
  const call = async (client: Client, name: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name, arguments: args })).content;
  const text = (value: string) => [{ type: "text", text: value }];

  expect((await fetch(`${example.url}/sse`)).status).toBe(401);
  const ada = await connect("ada");
  expect(await call(ada, "increment")).toEqual(text("ada: 1"));
  expect(await call(ada, "increment", { by: 4 })).toEqual(text("ada: 5"));
  expect(await ada.readResource({ uri: "counter://state" })).toMatchObject({ contents: [{ text: '{"counter":5}' }] });
  expect(await call(ada, "remind", { text: "tea", afterMs: 10 })).toEqual(text("I will remind ada."));
  await ada.close();

  const bob = await connect("bob");
  expect(await call(bob, "increment")).toEqual(text("bob: 1"));
  expect(await call(bob, "reminders")).toEqual(text("[]"));
  await bob.close();
  const later = await connect("ada");
  await expect.poll(() => call(later, "reminders")).toEqual(text('["tea"]'));
  await later.close();

  // A session is its user's, by whatever token.
  const headersOf = (user: string) => ({
    authorization: `Bearer token-of-${user}`,
    "content-type": "application/json",
  });
  const adas = await RawSseClient.connect(example.url, { headers: headersOf("ada") });
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
  const post = (user: string) => fetch(adas.endpoint, { method: "POST", headers: headersOf(user), body });
  expect((await post("bob")).status).toBe(404);
  expect((await post("ada")).status).toBe(202);
  adas.close();
});

test("each example imports the engine as a project of one's own does", async () => {
  const folder = join(root, "examples");
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
  expect(files).toContain("hono/worker.ts");
  const sources = await Promise.all(
    files.map(async (name) => ({ name, text: await readFile(join(folder, name), "utf8") })),
  );
  expect(sources.filter(({ text }) => /from "\.\.\//.test(text)).map(({ name }) => name)).toEqual([]);
});
