import { expect, test } from "vitest";
import { postJson, RawSseClient, textOf } from "../support/raw-client.ts";
import { announced, serverSource, start } from "./started.ts";

const chatty = serverSource(`  server.registerTool("say", {}, () => {
    console.log("a log", { deep: { list: [1, 2] } });
    console.info("an info"); console.dir("a dir"); console.table([{ row: 1 }]); console.count("a count"); console.group("a group");
    console.debug("a debug"); console.assert(false, "an assertion"); console.log('{"event":"incident"}');
    console.warn("a warning");
    console.error(new Error("an error"));
    return { content: [] };
  });
  server.registerTool("fail", {}, () => {
    throw new TypeError("not today", { cause: new Error("the database is closed") });
  });
  server.registerTool("refuse", {}, () => ({ content: [{ type: "text", text: "I will not" }], isError: true }));
  server.registerPrompt("ask", {}, () => {
    throw new Error("no prompt");
  });
  server.registerTool("loop", {}, () => {
    for (;;);
  });
  server.registerTool("forget", {}, (() => undefined) as never);
  server.registerTool("mistype", {}, (() => ({ content: [{ type: "txt", text: 1 }] })) as never);
  server.registerTool("refine", { inputSchema: z.object({}).refine(() => { throw new Error("in a schema"); }) }, () => ({ content: [] }));
  server.registerTool("date", { inputSchema: z.object({ at: z.date() }) }, () => ({ content: [] }));
  server.registerTool("count", {}, () => ({ content: [], structuredContent: { n: 1n } }) as never);`);

function stateless(name: string) {
  const version = "2026-07-28";
  const headers = { "mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": name };
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "modern", version: "2" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { name, arguments: {}, _meta: meta };
  return { headers, message: { jsonrpc: "2.0", id: 1, method: "tools/call", params } };
}

test("npm start shows what tools say, each call in a line, and errors in lines of the source, in every lane", async () => {
  const { run, url } = await start({ source: chatty });
  await run.written(announced);
  const client = await RawSseClient.open(url);
  await client.call("say");
  await run.written("tools/call  say  ok");
  for (const said of [
    "a log { deep: { list: [ 1, 2 ] } }\n",
    "an info\n",
    "a debug\n",
    "a dir\n",
    "[ { row: 1 } ]\n",
    "a count: 1\n",
    "▲ [WARNING] a warning\n",
    "a group\n",
    "Assertion failed: an assertion\n",
    '{"event":"incident"}\n',
  ]) {
    await run.written(said);
  }
  await expect.poll(run.output).toMatch(/✘ \[ERROR\] Error: an error\n {4}at .*src\/server.ts:10:19/);
  await client.call("fail");
  await run.written("✘ fail threw TypeError: not today\n");
  await run.written("tools/call  fail  failed");
  await expect.poll(run.output).toMatch(/caused by Error: the database is closed\n {4}at .*src\/server.ts:14:/);
  await expect.poll(run.output).toMatch(/·  tools\/call  fail  failed  \d+ ms  raw 1\n/);
  await client.call("refuse");
  await run.written("✘ refuse failed: I will not\n");
  await client.call("nobody");
  await run.written("✘ nobody failed: Tool nobody not found\n");
  await run.written("tools/call  nobody  error");
  await client.request("prompts/get", { name: "ask" });
  await run.written("✘ ask threw Error: no prompt\n    at ");
  await expect.poll(run.output).toMatch(/ask threw Error: no prompt\n {4}at .*src\/server.ts:18:11/);

  await client.call("forget");
  await run.written(
    '✘ forget failed: The tool returned nothing: end it with return text("…"), or return { content: […] }.\n',
  );
  await client.call("mistype");
  await run.written(
    '✘ mistype failed: Invalid tools/call result: content.0.type: Invalid input: expected "text"; content.0.text: ',
  );
  await client.call("refine");
  await run.written("✘ refine threw Error: in a schema\n    at ");
  await expect.poll(run.output).toMatch(/in a schema\n {4}at .*src\/server.ts:25:/);
  await client.request("tools/list", {});
  await run.written("✘ date cannot be listed: Date cannot be represented in JSON Schema\n");
  await client.call("count");
  await run.written("✘ count failed: The result of tools/call cannot be written as JSON.\n");

  const { headers, message } = stateless("fail");
  await postJson(`${url}/mcp`, message, headers);
  await run.written("✘ fail threw TypeError: not today\n", 2);
  await run.written("modern 2\n");
  await expect.poll(run.output).toMatch(/·  tools\/call  fail  failed  \d+ ms  modern 2\n/);
  client.close();
  run.interrupt();
  await run.ended;
  expect(run.output().match(/tools\/list threw/g)).toHaveLength(1);
  expect(run.output().replace('{"event":"incident"}\n', "")).not.toContain('{"event"');
  expect(run.output()).not.toContain("node_modules");
});

test("a client without a session, and a server that uses memory: npm start says once what to write", async () => {
  const { run, url } = await start();
  await run.written(announced);
  for (const _ of "ab") {
    const { headers, message } = stateless("recall");
    await postJson(`${url}/mcp`, message, headers);
  }
  await run.written("tools/call  recall  ", 2);
  run.interrupt();
  await run.ended;
  expect(run.output().match(/sessions: "preferred" in src\/worker\.ts/g)).toHaveLength(1);
});

test("a tool of SDK v1 that throws is shown with its line", async () => {
  const source = `import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
export function createServer() {
  const server = new McpServer({ name: "v1", version: "1.0.0" });
  server.registerTool("fail", {}, () => {
    throw new Error("not in v1");
  });
  return server;
}
`;
  const { run, url } = await start({ source });
  await run.written(announced);
  const client = await RawSseClient.open(url);
  expect(textOf(await client.call("fail"))).toBe("not in v1");
  await run.written("✘ fail threw Error: not in v1\n    at ");
  await run.written("tools/call  fail  failed");
  await expect.poll(run.output).toMatch(/not in v1\n {4}at .*src\/server.ts:5:11/);
  client.close();
});

test("a call that never ends and lets nothing else run is named, and a correction is served", async () => {
  const { run, url, project } = await start({ source: chatty });
  await run.written(announced);
  const client = await RawSseClient.open(url);
  void client.call("loop").catch(() => undefined);
  await run.written("loop has blocked this server for ");
  client.close();
  await project.replace(
    "src/server.ts",
    chatty.replace("for (;;);", 'return { content: [{ type: "text", text: "out" }] };'),
  );
  await run.written("↻ Serving what was saved");
  const next = await RawSseClient.open(url);
  expect(textOf(await next.call("loop"))).toBe("out");
  next.close();
});

test("a module that never ends to load is suspected, and a correction is served", async () => {
  const { run, url, project } = await start({ source: chatty });
  await run.written(announced);
  await project.replace("src/server.ts", `${chatty}for (;;);\n`);
  await run.written("Does a module loop while it loads?");
  await project.replace("src/server.ts", chatty.replace("I will not", "I will"));
  await run.written("Serving again");
  const client = await RawSseClient.open(url);
  expect(textOf(await client.call("refuse"))).toBe("I will");
  client.close();
});

test("--log-level of wrangler's is taken: with warn, no call and no log is shown, and warnings are", async () => {
  const { run, url } = await start({ source: chatty, args: ["--log-level", "warn"] });
  await run.written(announced);
  const client = await RawSseClient.open(url);
  await client.call("say");
  await run.written("a warning");
  await run.written("an error");
  client.close();
  run.interrupt();
  await run.ended;
  expect(run.output()).not.toContain("a log");
});
