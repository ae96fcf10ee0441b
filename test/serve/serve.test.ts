import { readdir, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "../../src/serve/build.ts";
import { npmRun } from "../start/npm-run.ts";
import { clonedConfig, root } from "../support/bundle.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { connectV2 } from "../support/official-clients.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import { command, folder, place, serving } from "./served.ts";

let project: ProjectCopy;
let built: string;
beforeAll(async () => {
  project = await copyProject();
  built = await build({ root: project.folder });
});
afterAll(async () => project[Symbol.asyncDispose]());

const call = (name: string, args: Record<string, unknown>) =>
  ({ method: "tools/call", params: { name, arguments: args } }) as const;

/** The status of a GET that says which host it means: `fetch` does not let one say so. */
function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((done, fail) => {
    get({ port, path: "/nowhere", headers: { host } }, (response) => {
      response.resume();
      done(response.statusCode);
    }).on("error", fail);
  });
}

test("restarted, stopped in order or killed, it serves the sessions it had, and its clients notice nothing", async () => {
  const where = await place();
  const url = `http://localhost:${where.port}`;
  const first = await serving(built, where);
  expect(first.output()).toMatch(
    /^mcp-edge serves http:\/\/127\.0\.0\.1:\d+\/sse and .*\/mcp, asked as localhost, IP addresses/,
  );
  const client = await connectV2(`${url}/sse`, "sse");
  expect(await client.send(call("add", { a: 25, b: 25 }))).toMatchObject({ content: [{ text: "50" }] });
  await client.send(call("remember", { key: "colour", value: "green" }));
  const sessionId = client.sessionId();

  first.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  const second = await serving(built, where);
  expect(await client.send(call("recall", { key: "colour" }))).toMatchObject({ content: [{ text: "green" }] });

  // Its workerd outlives it, and has the port and the disk.
  second.kill("SIGKILL");
  await second.exited;
  await serving(built, where);
  expect(await client.send(call("recall", { key: "colour" }))).toMatchObject({ content: [{ text: "green" }] });
  expect(client.sessionId()).toBe(sessionId);
  await client.close();
});

test("npm run serve stops in order when npm alone is told to, or is gone", async () => {
  const where = await place();
  for (const end of ["terminate", "kill"] as const) {
    const env = { PORT: String(where.port), DATA: where.data, NODE_ENV: undefined };
    const run = npmRun(["run", "serve", "--", built], root, env);
    try {
      await run.written(`:${where.port}/sse`);
      run[end]("npm");
      // It has its outputs until it ends, and its data.
      await expect.poll(() => run.output()).toContain("Told to stop (SIGTERM)");
      await run.ended;
    } finally {
      run.kill("both");
    }
  }
  await serving(built, where);
});

test("told to stop, it lets a call end, and the port is free", async () => {
  const where = await place();
  const server = await serving(built, where, { GRACE: "60" });
  const client = await RawSseClient.open(`http://localhost:${where.port}`);
  const id = await client.send("tools/call", { name: "countdown", arguments: { from: 3, stepMs: 1_000 } });
  // Its POST was answered: the call runs.
  server.kill("SIGTERM");
  expect(textOf(await client.stream.answerTo(id))).toBe("Counted down from 3.");
  client.close();
  expect(await server.ended).toBe(0);
  await serving(built, where);
});

test("a second one on the same data is refused in a sentence, and the first serves on", async () => {
  const where = await place();
  await serving(built, where);
  const other = await place();
  const second = command(["serve", built], { env: { PORT: String(other.port), DATA: where.data } });
  expect(await second.ended).toBe(1);
  expect(second.output().trim()).toBe(
    `Another mcp-edge serves from ${where.data}. Two would both serve the same sessions: stop that one, or set DATA to another folder.`,
  );
  const client = await RawSseClient.open(`http://localhost:${where.port}`);
  expect(textOf(await client.call("add", { a: 25, b: 25 }))).toBe("50");
  client.close();
});

test("it answers to names of its own only, and to those it is told", async () => {
  const [where, elsewhere] = [await place(), await place()];
  await serving(built, where, { ALLOWED_HOSTS: "mcp.example.com, other.example" });
  await serving(built, elsewhere, { ALLOWED_HOSTS: "*" });
  expect(await statusFor(where.port, "localhost")).toBe(404);
  expect(await statusFor(where.port, "other.example")).toBe(404);
  expect(await statusFor(where.port, "evil.example")).toBe(403);
  expect(await statusFor(elsewhere.port, "evil.example")).toBe(404);
});

test("what ended sessions leave on the disk is swept at the next start, and no session with it", async () => {
  const where = await place();
  const url = `http://localhost:${where.port}`;
  const first = await serving(built, where);
  const staying = await connectV2(`${url}/mcp`, "http");
  await staying.send(call("remember", { key: "colour", value: "green" }));
  for (let n = 0; n < 3; n++) {
    // A stream that is opened to look, and becomes no session.
    const probe = await RawSseClient.connect(url);
    probe.close();
  }
  first.kill("SIGTERM");
  await first.ended;
  const second = await serving(built, where);
  expect(second.output()).toContain("deleted 3 that had ended");
  const files = await readdir(join(where.data, "mcp-edge-Session"));
  expect(files.filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file))).toEqual([
    `${staying.sessionId()?.slice(0, 64)}.sqlite`,
  ]);
  expect(await staying.send(call("recall", { key: "colour" }))).toMatchObject({ content: [{ text: "green" }] });
  await staying.close();
});

test("a port that is taken, a folder without a build and one that cannot be written are each a sentence", async () => {
  const where = await place();
  await serving(built, where);
  const taken = command(["serve", built], { env: { PORT: String(where.port), DATA: await folder() } });
  expect(await taken.ended).toBe(1);
  expect(taken.output().trim()).toBe(`Port ${where.port} of 127.0.0.1 is taken: set PORT to another.`);
  const empty = await folder();
  const unbuilt = command(["serve", empty], {});
  expect(await unbuilt.ended).toBe(1);
  expect(unbuilt.output().trim()).toBe(`There is no build in ${empty}: npm run build makes one.`);
  for (const data of ["/dev/null/data", "/proc/no/data"]) {
    const unwritable = command(["serve", built], { env: { PORT: String((await place()).port), DATA: data } });
    expect(await unwritable.ended).toBe(1);
    expect(unwritable.output()).toContain(`${data} cannot be written`);
  }
});

test("a secret that is missing is named; given, tools have it, and no file of the build does", async () => {
  const secretive = await copyProject();
  try {
    await secretive.write(
      "wrangler.toml",
      (await readFile(clonedConfig, "utf8")).replace("required = []", 'required = ["API_KEY"]'),
    );
    await secretive.write(
      "src/server.ts",
      `import { McpServer } from "@modelcontextprotocol/server";
export function createServer({ env }: { env: Record<string, unknown> }) {
  const server = new McpServer({ name: "secretive", version: "1.0.0" });
  server.registerTool("tell", {}, () => ({ content: [{ type: "text", text: String(env["API_KEY"]) }] }));
  return server;
}
`,
    );
    const out = await build({ root: secretive.folder });
    const where = await place();
    const without = command(["serve", out], { env: { PORT: String(where.port), DATA: where.data } });
    expect(await without.ended).toBe(1);
    expect(without.output()).toContain("The environment lacks API_KEY, which [secrets] of wrangler.toml requires");
    await serving(out, where, { API_KEY: "k-123" });
    const client = await RawSseClient.open(`http://localhost:${where.port}`);
    expect(textOf(await client.call("tell"))).toBe("k-123");
    client.close();
    await rm(out, { recursive: true });
  } finally {
    await secretive[Symbol.asyncDispose]();
  }
});

test("whoever opens it in a browser is shown the page, with all its parts and its policy", async () => {
  const where = await place();
  await serving(built, where);
  const url = `http://localhost:${where.port}`;
  const seen = async (path: string, accept: string): Promise<unknown[]> => {
    const response = await fetch(url + path, { headers: { accept } });
    const { headers, status } = response;
    const policy = headers.get("content-security-policy")?.includes("default-src 'none'");
    return [path, status, headers.get("content-type"), policy, (await response.text()).length > 100];
  };
  for (const path of ["/", "/sse", "/mcp"]) {
    expect(await seen(path, "text/html,*/*;q=0.8")).toEqual([path, 200, "text/html; charset=utf-8", true, true]);
  }
  for (const [path, type] of [
    ["/page.js", "text/javascript; charset=utf-8"],
    ["/page.css", "text/css; charset=utf-8"],
    ["/page.svg", "image/svg+xml"],
  ] as const) {
    expect(await seen(path, "*/*")).toEqual([path, 200, type, true, true]);
  }
  // The last two are no UTF-8 and no path of a file: scanners send such.
  for (const path of ["/nowhere", "/%E0%A4%A", "/%00"]) {
    const unknown = await fetch(url + path);
    expect([unknown.status, await unknown.text()]).toEqual([404, expect.stringContaining("/sse (HTTP+SSE)")]);
  }
});
