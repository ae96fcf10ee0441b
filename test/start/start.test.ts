import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { exampleServer } from "../support/project-copy.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import type { NpmRun } from "./npm-run.ts";
import { afterwards, announced, copy, start, startIn } from "./started.ts";

/** What the server under `base` answers to `add({ a: 25, b: 25 })`. */
async function add(base: string): Promise<string> {
  const client = await RawSseClient.open(base);
  try {
    return textOf(await client.call("add", { a: 25, b: 25 }));
  } finally {
    client.close();
  }
}

async function isRefused(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

test("npm start prints where to connect and the next step, and serves there under both names", async () => {
  const { run, port } = await start();
  await run.written(announced);
  const block = run.output().split("src/main.ts dev")[1]?.split("\n").slice(1).join("\n").trim();
  expect(block).toBe(`Serving src/server.ts, and again whenever you save it. Ctrl-C ends it.

  http://localhost:${port}/sse   connect here (HTTP+SSE), or open it in a browser
  http://localhost:${port}/mcp   or here (Streamable HTTP)

Next, in another terminal; then, in its page, connect, Tools, add:

  npm run inspector -- --port ${port}`);
  expect(await add(`http://localhost:${port}`)).toBe("50");
  expect(await add(`http://127.0.0.1:${port}`)).toBe("50");
});

test("npm start serves an example by its configuration, and names that", async () => {
  const { run, url } = await start({ args: ["--config", "examples/hono/wrangler.toml"] });
  await run.written(announced);
  expect(run.output()).toContain("Serving what examples/hono/wrangler.toml names, and again whenever you save it.");
  expect(await (await fetch(url)).text()).toBe("The application is here.");
});

test.each([
  ["Ctrl-C", (run: NpmRun) => run.interrupt()],
  ["a SIGTERM to npm", (run: NpmRun) => run.terminate()],
] as const)("%s ends npm start and every process that it started", async (_, end) => {
  const { run, port } = await start();
  await run.written(announced);
  end(run);
  await run.ended;
  await expect.poll(() => isRefused(`http://localhost:${port}/`)).toBe(true);
});

test.each(["npm", "both"] as const)("kill -9 of npm start leaves nothing on its port: %s", async (whom) => {
  const { run, port } = await start();
  await run.written(announced);
  run.kill(whom);
  await run.ended;
  await expect.poll(() => isRefused(`http://localhost:${port}/`)).toBe(true);
});

test("a saved change is served without a restart, and one that does not build is shown", async () => {
  const { run, project, port } = await start();
  await run.written(announced);
  await project.write("src/server.ts", "export const broken = ;\n");
  await run.written("Build failed");
  await run.written("src/server.ts:");
  const source = 'import { McpServer } from "@modelcontextprotocol/server";\nimport * as z from "zod";\n';
  const tool = `server.registerTool("add", { inputSchema: z.object({ a: z.int(), b: z.int() }) }, () => {
    console.warn("the new one is called");
    return { content: [{ type: "text", text: "new" }] };
  });`;
  const factory = `export function createServer() {
  const server = new McpServer({ name: "edited", version: "2.0.0" });
  ${tool}
  return server;
}\n`;
  await project.write("src/server.ts", source + factory);
  // Requests are held while the bundle is built.
  expect(await add(`http://localhost:${port}`)).toBe("new");
  await run.written("the new one is called");
});

test("a saved source that throws while it loads is shown, and the next one that does not is served", async () => {
  const { run, project, port } = await start();
  await run.written(announced);
  await project.write("src/server.ts", `${exampleServer}throw new Error("not today");\n`);
  await run.written("Error: not today");
  await run.written("Save a source, and it starts again");
  await expect.poll(() => isRefused(`http://localhost:${port}/`)).toBe(true);
  await project.write("src/server.ts", `${exampleServer}throw new Error("nor now");\n`);
  await run.written("Error: nor now");
  await run.written("Save a source, and it starts again", 2);
  await project.write("src/server.ts", exampleServer);
  await run.written(`Serving again: http://localhost:${port}/sse`);
  expect(await add(`http://localhost:${port}`)).toBe("50");
});

test.each([
  ["does not build", "export const broken = ;", "src/server.ts:"],
  ["throws while it loads", 'throw new Error("not today");', "Error: not today"],
])("a server that %s at first ends npm start with the error", async (_, line, said) => {
  const project = await copy();
  await project.write("src/server.ts", `${exampleServer}${line}\n`);
  const run = startIn(project, ["--port", String(await freePort())]);
  expect(await run.ended).toBe(1);
  expect(run.output()).toContain(said);
  expect(run.output()).not.toContain("connect here");
});

test("a port that is taken is said in one sentence, and ends npm start with 1", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  afterwards(() => new Promise((resolve) => taken.close(resolve)));
  const { port } = taken.address() as AddressInfo;
  const run = startIn(await copy(), ["--port", String(port)]);
  expect(await run.ended).toBe(1);
  const said = run.output().split(`--port ${port}\n`).slice(1).join("").trim();
  expect(said).toBe(
    `Port ${port} is taken by another process. End that one, or choose a port: npm start -- --port ${port + 1}`,
  );
});
