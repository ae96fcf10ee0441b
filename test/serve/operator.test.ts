import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "../../src/serve/build.ts";
import { clonedConfig, root } from "../support/bundle.ts";
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

test("it builds where the home folder cannot be written, as in a container of any user", async () => {
  const out = join(await folder(), "dist");
  const building = command(["build", "--out", out], { cwd: project.folder, env: { HOME: "/dev/null" } });
  expect(await building.ended).toBe(0);
  expect(building.output()).toMatch(/^Built .*dist\. Serve it: /);
});

test("a project that cannot be written, and one whose packages lie in a folder above, are told what to do", async () => {
  const closed = await copyProject();
  try {
    const config = await readFile(clonedConfig, "utf8");
    await closed.write("wrangler.toml", config.replace("./src/page/dist", "./node_modules/mcp-edge/dist/page"));
    await expect(build({ root: closed.folder })).rejects.toThrow(
      /node_modules\/mcp-edge\/dist\/page\n[^]*In a workspace, .* write that one in wrangler\.toml/,
    );
    await rm(join(closed.folder, ".wrangler"), { recursive: true, force: true });
    // Nobody can make a folder of it, not even who may write everywhere.
    await closed.write(".wrangler", "");
    await expect(build({ root: closed.folder })).rejects.toThrow(
      `${join(closed.folder, ".wrangler")} cannot be written`,
    );
  } finally {
    await closed[Symbol.asyncDispose]();
  }
});

test("a file that is no script is named as it is imported, with what to do", async () => {
  const importer = await copyProject();
  try {
    await importer.write("src/data.txt", "data");
    await importer.write("src/server.ts", 'import data from "./data.txt";\nexport const createServer = () => data;\n');
    await expect(build({ root: importer.folder })).rejects.toThrow(/^The Worker imports data\.txt, which is no script/);
  } finally {
    await importer[Symbol.asyncDispose]();
  }
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

test("it builds in no folder that holds something else, and touches nothing there", async () => {
  const theirs = await folder();
  await mkdir(join(theirs, "assets"));
  await writeFile(join(theirs, "assets/logo.svg"), "<svg/>");
  await writeFile(join(theirs, "worker.js"), "theirs");
  await expect(build({ root: project.folder, out: theirs })).rejects.toThrow(
    `${theirs} holds something else than a build (assets, worker.js): name another folder by --out.`,
  );
  expect(await readFile(join(theirs, "worker.js"), "utf8")).toBe("theirs");
  expect(await readdir(join(theirs, "assets"))).toEqual(["logo.svg"]);
  await expect(build({ root: project.folder, out: join(theirs, "worker.js") })).rejects.toThrow(
    "is no folder to build in",
  );
});

test("a folder that cannot be made, and a build that is none, are each a sentence", async () => {
  const where = await folder();
  const link = join(where, "dist");
  await symlink(join(where, "not-mounted"), link);
  const building = command(["build", "--out", link], { cwd: project.folder });
  expect(await building.ended).toBe(1);
  expect(building.output()).toMatch(
    /^Not possible here: ENOENT: .*dist'\. Choose a place that can be written, and has room\.\n$/,
  );
  for (const about of ["", "{}", "null", '{ "secrets": 3 }']) {
    await writeFile(join(where, "about.json"), about);
    await writeFile(join(where, "config.capnp"), "");
    const server = command(["serve", where]);
    expect(await server.ended).toBe(1);
    expect(server.output()).toBe(`${join(where, "about.json")} cannot be read: build again.\n`);
  }
});

test("an environment that is not there, and a configuration that cannot be read, are each a sentence", async () => {
  await expect(build({ root: project.folder, env: "nowhere" })).rejects.toThrow(
    "wrangler.toml has no environment nowhere: there is none.",
  );
  const broken = await copyProject();
  try {
    await broken.write("wrangler.toml", "name = [");
    await expect(build({ root: broken.folder })).rejects.toThrow(
      /^Invalid TOML document: .* in .*wrangler\.toml, line 1\.$/,
    );
  } finally {
    await broken[Symbol.asyncDispose]();
  }
});

test.each([
  [
    '[[kv_namespaces]]\nbinding = "CACHE"\nid = "1"\n[[r2_buckets]]\nbinding = "FILES"\nbucket_name = "files"',
    "kv_namespaces (CACHE), r2_buckets (FILES)",
  ],
  ['[ai]\nbinding = "AI"', "ai (AI)"],
  ['[[queues.consumers]]\nqueue = "jobs"', "queues (jobs)"],
  ['[triggers]\ncrons = ["0 * * * *"]', "triggers (0 * * * *)"],
  ['[[tail_consumers]]\nservice = "tail"', "tail_consumers (tail)"],
  ['[[send_email]]\nname = "MAIL"', "send_email (MAIL)"],
  ['[[ratelimits]]\nname = "LIMIT"\nnamespace_id = "1"\nsimple = { limit = 1, period = 10 }', "ratelimits (LIMIT)"],
  ['[[unsafe.bindings]]\nname = "NEW"\ntype = "new"', "unsafe (NEW)"],
])("what only Cloudflare has is refused by its name: %s", async (block, named) => {
  const bound = await copyProject();
  try {
    await bound.write("wrangler.toml", `${await readFile(clonedConfig, "utf8")}\n${block}\n`);
    await expect(build({ root: bound.folder })).rejects.toThrow(
      `wrangler.toml binds ${named}, which only Cloudflare has.`,
    );
  } finally {
    await bound[Symbol.asyncDispose]();
  }
});

test("files that only Cloudflare would serve are named, with what makes the Worker serve them", async () => {
  const site = await copyProject();
  try {
    const config = await readFile(clonedConfig, "utf8");
    await site.write("wrangler.toml", config.replace(/^binding = "PAGE"\n/m, ""));
    await expect(build({ root: site.folder })).rejects.toThrow(
      /^The files of \[assets\] \(\.\/src\/page\/dist\) have no binding.*add binding = "PAGE" to the block, or take it out\.$/,
    );
  } finally {
    await site[Symbol.asyncDispose]();
  }
});

test("the login example keeps its grants where only Cloudflare has a place, which is said", async () => {
  const login = await copyProject();
  try {
    await expect(build({ root: join(login.folder, "examples/login") })).rejects.toThrow(
      "wrangler.toml binds kv_namespaces (OAUTH_KV), which only Cloudflare has.",
    );
  } finally {
    await login[Symbol.asyncDispose]();
  }
});
