import { expect, test } from "vitest";
import type { SessionView } from "../../src/link/inspection.ts";
import { startEdge } from "../support/edge-server.ts";
import { freePort } from "../support/free-port.ts";
import { bearer, GuardedSseClient, openMcpAs } from "../support/guarded-client.ts";
import { npmRun } from "./npm-run.ts";
import { afterwards, announced, copy, start } from "./started.ts";

const secretKey = "alice-key-of-the-test";
const secretValue = "what nobody but the tool may read";

const worker = `import { edge } from "mcp-edge";
import { keys } from "mcp-edge/auth/keys";
import { createServer } from "./server.ts";
const app = edge(createServer, { auth: keys(() => ({ alice: "${secretKey}" })) });
export class Session extends app.Session {}
export default { fetch: app.fetch };
`;

/** A tool that stores something, one that asks its client, and one that runs until the client says that its roots are others. */
const server = `import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
export function createServer({ memory }) {
  const server = new McpServer({ name: "inspected", version: "1.0.0" });
  let release = () => {};
  server.server.setNotificationHandler("notifications/roots/list_changed", () => release());
  server.registerTool("remember", {}, () => {
    memory.set("note", "${secretValue}");
    return { content: [] };
  });
  server.registerTool("ask", {}, async () => {
    await server.server.elicitInput({ message: "m", requestedSchema: { type: "object", properties: {} } });
    return { content: [] };
  });
  server.registerTool("hold", { inputSchema: z.object({ with: z.string() }) }, async () => {
    await new Promise((resolve) => (release = resolve));
    return { content: [{ type: "text", text: "released" }] };
  });
  return server;
}
`;

async function inspect(folder: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  const run = npmRun(["run", "--silent", "inspect", "--", ...args], folder);
  return { code: await run.ended, said: run.output() };
}

test("npm run inspect shows what a session holds and where it lies, and no secret of it", async () => {
  const { run, project, url, port } = await start({ source: server, files: { "src/worker.ts": worker } });
  await run.written(announced);
  const here = ["--port", String(port)];
  const { folder } = project;
  expect(await inspect(folder, ...here)).toEqual({
    code: 0,
    said: "No session has been seen since the server was started or a source was saved. Connect a client, and ask again.\n",
  });

  const client = await GuardedSseClient.openAs(url, bearer(secretKey));
  afterwards(async () => client.close());
  const objectId = client.sessionId.slice(0, 64);
  await client.call("remember");
  const asking = await client.send("tools/call", { name: "ask", arguments: {} });
  await client.stream.message(({ method }) => method === "elicitation/create");
  const holding = await client.send("tools/call", { name: "hold", arguments: { with: secretValue } });

  const look = async (...args: string[]): Promise<SessionView> => {
    const { code, said } = await inspect(folder, ...args, ...here, "--json");
    expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/^\{/) });
    return JSON.parse(said) as SessionView;
  };
  const held = await look(client.sessionId);
  expect(held).toMatchObject({
    session: objectId,
    lane: "sse",
    client: { name: "raw", version: "1", revision: "2025-11-25", capabilities: ["elicitation"] },
    isStored: true,
    owner: expect.stringMatching(/^[0-9a-f]{8}$/),
    hasServer: true,
    streams: [{ name: "sse", is: "here", by: "GET" }],
    calls: [
      { id: asking, what: "tools/call ask", stream: "sse", isJournaled: true },
      { id: holding, what: "tools/call hold", stream: "sse", isJournaled: true },
    ],
    journal: [
      { id: asking, what: "tools/call ask", isRunning: true, reruns: 0 },
      { id: holding, what: "tools/call hold", isRunning: true, reruns: 0 },
    ],
    asked: [{ what: "elicitation/create", stream: "sse" }],
    memory: [{ key: "note", bytes: "note".length + JSON.stringify(secretValue).length }],
  });
  // Until it is answered, or its client shows that it has what came after.
  const question = held.messages.find(({ what }) => what === "elicitation/create");
  expect(question).toMatchObject({ is: "handed over", lies: expect.arrayContaining(["socket"]) });
  const bounds = held.asked.map(({ deadlineMs }) => (deadlineMs ?? 0) > held.nowMs);
  expect([...bounds, (held.alarmAtMs ?? 0) > held.nowMs]).toEqual([true, true]);

  client.stream.close();
  await expect.poll(async () => (await look(objectId)).streams).toMatchObject([{ name: "sse", is: "away" }]);
  await client.release();
  const answerOf = async () => (await look(held.logged)).messages.find(({ what }) => what === `response to ${holding}`);
  await expect.poll(answerOf).toMatchObject({ is: "owed", atMs: null, lies: [expect.stringMatching(/^outbox\/\d+$/)] });

  const mcp = await openMcpAs(url, bearer(secretKey));
  const post = await mcp.callAsStream("hold", { with: secretValue });
  afterwards(async () => post.close());
  // It is journaled once its response has begun, and has a stream of its own.
  expect(await look(mcp.sessionId)).toMatchObject({
    lane: "mcp",
    streams: [{ name: expect.stringMatching(/^p/), is: "here", by: "POST" }],
    calls: [{ id: 1, what: "tools/call hold", isJournaled: true }],
  });
  await mcp.post({ jsonrpc: "2.0", method: "notifications/roots/list_changed" });
  await post.over;
  const deleted = await fetch(`${url}/mcp`, { method: "DELETE", headers: mcp.headers });
  expect(deleted.status).toBe(204);

  const short = objectId.slice(0, 12);
  const listed = await inspect(folder, ...here);
  expect(listed.said).toBe(
    `  ${short}  HTTP+SSE  raw 1, revision 2025-11-25  nobody is there  1 in flight  1 owed\n\n` +
      `More of one: npm run inspect -- ${short} ${url}/sse\n`,
  );
  const shown = await inspect(folder, client.endpoint);
  expect(shown.said.split("\n")).toEqual(
    expect.arrayContaining([
      `Session ${objectId}`,
      expect.stringMatching(/^ {2}sse {2}away for \d+ (ms|s|min)$/),
      expect.stringMatching(`^  response to ${holding} +\\d+ bytes  on sse  owed +outbox/\\d+$`),
      expect.stringMatching(`^  ${asking}  tools/call ask  on sse  for \\d+ (ms|s|min)  journaled$`),
      expect.stringMatching(/^ {2}\S+ {2}elicitation\/create {2}on sse {2}given up in /),
      expect.stringMatching(/^ {2}note {2}\d+ bytes$/),
      expect.stringMatching(/^Next alarm: in /),
    ]),
  );

  const texts = [JSON.stringify(held), listed.said, shown.said];
  const secrets = [client.sessionId.slice(64), secretKey, secretValue];
  expect(secrets.filter((secret) => texts.some((text) => text.includes(secret)))).toEqual([]);

  const nobody = `${"0".repeat(32)}${"f".repeat(32)}`;
  for (const mistyped of [nobody, mcp.sessionId.slice(0, 64), "beef", "a session"]) {
    expect(await inspect(folder, mistyped, ...here)).toEqual({
      code: 1,
      said: `There is no session ${mistyped}: it has ended, or that is mistyped. npm run inspect lists those there are.\n`,
    });
  }
  // Whoever has not the key of this project is answered like anybody who did not log in.
  const headers = { accept: "application/json", "mcp-edge-inspect": "it" };
  expect((await fetch(`${url}/sse`, { headers })).status).toBe(401);
});

test("npm run inspect says in a sentence that nothing answers, and what does not answer it", async () => {
  const port = await freePort();
  const { folder } = await copy();
  expect(await inspect(folder, "--port", String(port))).toEqual({
    code: 1,
    said:
      `Nothing answers at http://localhost:${port}/sse. Start the server by npm start in another terminal; ` +
      "if it is elsewhere, say where: npm run inspect -- --port 8123, or with its URL.\n",
  });
  const edge = await startEdge();
  afterwards(() => edge.close());
  expect(await inspect(folder, `${edge.url}/sse`)).toEqual({
    code: 1,
    said: `What answers at ${edge.url}/sse shows no sessions: only an npm start of this project does, and never a deployed server.\n`,
  });
});
