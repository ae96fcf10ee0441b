import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { freePort } from "../support/free-port.ts";
import { startInspector } from "./inspector-page.ts";
import { npmRun } from "./npm-run.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

const add = "--method tools/call --tool-name add --tool-arg a=25 --tool-arg b=25".split(" ");

test.each([
  ["a port", (url: string) => ["--port", new URL(url).port, "--cli"]],
  ["a URL of HTTP+SSE", (url: string) => [`${url}/sse`, "--cli"]],
  ["a URL of Streamable HTTP, after --cli", (url: string) => ["--cli", `${url}/mcp`]],
])("npm run inspector takes %s, and passes the rest on to the Inspector's command line", async (_, where) => {
  const run = npmRun(["run", "--silent", "inspector", "--", ...where(edge.url), ...add]);
  expect(await run.ended).toBe(0);
  expect(JSON.parse(run.output())).toMatchObject({ content: [{ type: "text", text: "50" }] });
});

test.each([["--port", "PORT"], ["--port=PORT"]])(
  "npm run inspector %s %s, without -- before it, is understood",
  async (...form) => {
    const port = String(await freePort());
    const run = npmRun(["run", "--silent", "inspector", ...form.map((part) => part.replace("PORT", port))]);
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(`Nothing answers at http://localhost:${port}/sse. Start the server by npm start`);
  },
);

test.each([
  ["port", (url: string) => ["--port", new URL(url).port]],
  ["URL", (url: string) => [`${url}/sse`]],
])("npm run inspector serves a page that knows the server at a %s, until Ctrl-C", async (_, where) => {
  const { run, page } = await startInspector(where(edge.url));
  const token = page.searchParams.get("MCP_INSPECTOR_API_TOKEN") ?? "";
  const servers = await fetch(new URL("/api/servers", page), { headers: { "x-mcp-remote-auth": `Bearer ${token}` } });
  expect(await servers.text()).toContain(`:${new URL(edge.url).port}/sse`);
  run.interrupt();
  await run.ended;
  await expect(fetch(page)).rejects.toThrow("fetch failed");
});
