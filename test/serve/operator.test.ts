import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "../../src/serve/build.ts";
import { workerdConfig } from "../../src/serve/workerd-config.ts";
import { root } from "../support/bundle.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { RawSseClient } from "../support/raw-client.ts";
import { command, folder, place, serving } from "./served.ts";

let project: ProjectCopy;
let built: string;
beforeAll(async () => {
  project = await copyProject();
  built = await build({ root: project.folder });
});
afterAll(async () => project[Symbol.asyncDispose]());

const workerdOf = async (data: string): Promise<number> => Number(await readFile(join(data, "workerd.pid"), "utf8"));
const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

test.each(["--help", "serve --help", "build -h"])("mcp-edge %s says what there is, and ends with 0", async (line) => {
  const asked = command(line.split(" "));
  expect(await asked.ended).toBe(0);
  expect(asked.output()).toContain("GRACE");
});

test.each([
  [["serve", "--port", "9000"], "Unknown option '--port'."],
  [["serve", "dist", "other"], "It serves one folder, and there is other besides."],
  [["build", "--outdir", "x"], "Unknown option '--outdir'."],
  [["build", "dist"], "Unexpected argument 'dist'."],
])("%j is refused with what there is instead", async (args, sentence) => {
  const refused = command(args);
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toMatch(new RegExp(`^${sentence.replaceAll(".", "\\.")}\n\nmcp-edge build `));
});

test.each([["192.0.2.1"], ["no-such-host.invalid"]])(
  "HOST=%s, which is not this machine, is a sentence",
  async (host) => {
    const where = await place();
    const refused = command(["serve", built], { env: { PORT: String(where.port), DATA: where.data, HOST: host } });
    expect(await refused.ended).toBe(1);
    expect(refused.output().trim()).toBe(
      `HOST is an address of this machine, or 0.0.0.0 for all of them, not ${host}.`,
    );
  },
);

test("a workerd that dies takes serve with it, which says so and that the sessions are safe", async () => {
  const where = await place();
  const server = await serving(built, where);
  process.kill(await workerdOf(where.data), "SIGKILL");
  expect(await server.ended).toBe(1);
  expect(server.output()).toContain("workerd ended by itself (SIGKILL)");
  await serving(built, where);
});

test("calls are told on stdout, faults on stderr", async () => {
  const where = await place();
  const server = await serving(built, where);
  const client = await RawSseClient.open(`http://127.0.0.1:${where.port}`);
  await client.call("add", { a: 25, b: 25 });
  // Names the stream of a session that never was.
  await client.post({ jsonrpc: "2.0", id: `claim:${"0".repeat(64)}.1`, result: {} });
  await expect.poll(() => server.stdout()).toContain('{"event":"call"');
  await expect.poll(() => server.output()).toContain('{"event":"claim-failed"');
  expect(server.stdout()).not.toContain("claim-failed");
  client.close();
});

test("a Worker that throws while it loads is not said to be served", async () => {
  const thrower = await copyProject();
  try {
    await thrower.write("src/server.ts", 'export function createServer() {}\nthrow new Error("no key");\n');
    const where = await place();
    const env = { PORT: String(where.port), DATA: where.data };
    const server = command(["serve", await build({ root: thrower.folder })], { env });
    expect(await server.ended).toBe(1);
    expect(server.output()).toContain("Uncaught Error: no key");
    expect(server.output()).toContain("workerd ended before it served: what it wrote is above.");
    expect(server.output()).not.toContain("/sse");
  } finally {
    await thrower[Symbol.asyncDispose]();
  }
});

test("a Worker that takes long to answer is served, and what may keep it is asked meanwhile", async () => {
  const slow = await folder();
  const answersLate = "new Promise((answer) => setTimeout(() => answer(new Response()), 21_000))";
  await writeFile(join(slow, "worker.js"), `export default { fetch: () => ${answersLate} };\n`);
  const worker = {
    version: "",
    compatibilityDate: "2026-11-24",
    compatibilityFlags: [],
    objects: [],
    vars: {},
    secrets: [],
  };
  await writeFile(join(slow, "config.capnp"), workerdConfig(worker));
  await writeFile(join(slow, "about.json"), JSON.stringify({ name: "slow", secrets: [] }));
  const { output } = await serving(slow, await place());
  expect(output()).toMatch(/^Not serving after 20 s\. Does a module of the Worker loop while it loads\?\nslow serves /);
});

test("where its folder can be written no more, it stops in order", async () => {
  const where = await place();
  const server = await serving(built, where);
  // What cannot be deleted, as on a disk that has become read-only.
  await rm(join(where.data, "workerd.pid"));
  await mkdir(join(where.data, "workerd.pid"));
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect(server.output()).toMatch(/Told to stop \(SIGTERM\): [^\n]*\n$/);
});

test("where nothing can be written any more, running calls still have the time to end that they have", async () => {
  const where = await place();
  const full = openSync("/dev/full", "w");
  const env = { ...process.env, PORT: String(where.port), DATA: where.data, GRACE: "60" };
  const server = spawn(process.execPath, [join(root, "src/main.ts"), "serve", built], {
    cwd: root,
    env,
    stdio: ["ignore", full, full],
  });
  closeSync(full);
  const exited = once(server, "exit");
  const url = `http://localhost:${where.port}`;
  await expect.poll(() => fetch(`${url}/health`).then(({ ok }) => ok, String)).toBe(true);
  const client = await RawSseClient.open(url);
  const id = await client.send("tools/call", { name: "countdown", arguments: { from: 10, stepMs: 500 } });
  server.kill("SIGTERM");
  expect(await client.stream.answerTo(id)).toMatchObject({ result: { content: [{ type: "text" }] } });
  client.close();
  expect(await exited).toEqual([0, null]);
});

test("told to stop twice it ends at once, however long calls may take", async () => {
  const where = await place();
  const server = await serving(built, where, { GRACE: "3600" });
  const client = await RawSseClient.open(`http://localhost:${where.port}`);
  await client.send("tools/call", { name: "countdown", arguments: { from: 1_000, stepMs: 1_000 } });
  const workerd = await workerdOf(where.data);
  server.kill("SIGTERM");
  await expect.poll(() => server.output()).toContain("running calls have 3600 s");
  expect(isRunning(workerd)).toBe(true);
  server.kill("SIGINT");
  expect(await server.ended).toBe(0);
  await expect.poll(() => isRunning(workerd)).toBe(false);
  client.close();
});

test("told to stop before it serves, it leaves nobody behind", async () => {
  const where = await place();
  const server = command(["serve", built], { env: { PORT: String(where.port), DATA: where.data } });
  await expect.poll(() => existsSync(join(where.data, "workerd.pid"))).toBe(true);
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  const { output } = await serving(built, where);
  expect(output()).toContain(`:${where.port}/sse`);
});

test("what a kill -9 of serve left is found under another name of the folder and at another port", async () => {
  const where = await place();
  const first = await serving(built, where);
  const orphan = await workerdOf(where.data);
  first.kill("SIGKILL");
  await first.exited;
  expect(isRunning(orphan)).toBe(true);
  const link = join(await folder(), "link");
  await symlink(where.data, link);
  await serving(built, { port: (await place()).port, data: link });
  expect(isRunning(orphan)).toBe(false);
});

test("the folder of the sessions is its user's only", async () => {
  const where = await place();
  await serving(built, where);
  expect(((await stat(where.data)).mode & 0o777).toString(8)).toBe("700");
});
