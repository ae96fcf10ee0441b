import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "../../src/serve/build.ts";
import { clonedConfig } from "../support/bundle.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { command, folder } from "./served.ts";

let project: ProjectCopy;
beforeAll(async () => {
  project = await copyProject();
});
afterAll(async () => project[Symbol.asyncDispose]());

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
  const nowhere = command(["build", "--out", "/proc/no/dist"], { cwd: project.folder });
  expect(await nowhere.ended).toBe(1);
  expect(nowhere.output()).toMatch(
    /^Not possible here: E.*'\/proc.*\. Choose a place that can be written, and has room\.\n$/,
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
