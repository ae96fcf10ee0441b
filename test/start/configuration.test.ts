import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { offline } from "../support/bundle.ts";
import { getAs } from "../support/get-as.ts";
import { RawSseClient, textOf } from "../support/raw-client.ts";
import { npmRun } from "./npm-run.ts";
import { afterwards, announced, copy, serverSource, start, startIn } from "./started.ts";

const execute = promisify(execFile);

const withKey = serverSource(
  '  server.registerTool("key", {}, () => ({ content: [{ type: "text", text: String(env["API_KEY"]) }] }));',
);

test("a local secret that wrangler.toml does not name is said at the start, and what to write makes it known", async () => {
  const { run, url, project } = await start({ source: withKey, files: { ".dev.vars": "API_KEY=one\n" } });
  await run.written(".dev.vars holds API_KEY, which wrangler.toml does not name, so env.API_KEY is undefined.");
  await run.written('required = ["API_KEY"]');
  await run.written(announced);
  const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
  await project.replace("wrangler.toml", toml.replace(/^required = \[\]$/m, 'required = ["API_KEY"]'));
  await run.written("↻ Serving what was saved (wrangler.toml)");
  const key = async (): Promise<string> => {
    const client = await RawSseClient.open(url);
    const answer = await client.call("key");
    client.close();
    return textOf(answer);
  };
  expect(await key()).toBe("one");
  for (const [times, value] of [
    [1, "two"],
    [2, "three"],
  ] as const) {
    await project.replace(".dev.vars", `API_KEY=${value}\n`);
    await run.written("Serving again", times);
    expect(await key()).toBe(value);
  }
});

test.each([[], ["--env", "staging"]])(
  "an environment without the binding is said at the start, with what to write: %s %s",
  async (...args) => {
    const project = await copy();
    const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
    await project.write("wrangler.toml", `${toml}\n[env.staging]\nname = "staging"\n`);
    const { written, output } = startIn(project, ["--port", String(await freePort()), ...args.filter(Boolean)]);
    await written("wrangler.toml binds no Durable Object in [env.staging]");
    await written("[[env.staging.durable_objects.bindings]]");
    expect(output().split("binds no Durable Object")).toHaveLength(2);
  },
);

test("what is wrong in wrangler.toml is said each time that it is, and not while it is written", async () => {
  const { run, project } = await start();
  await run.written(announced);
  const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
  const path = join(project.folder, "wrangler.toml");
  // As an editor does that writes into the file itself: for a moment it is empty.
  for (let n = 1; n <= 50; n++) {
    writeFileSync(path, "");
    writeFileSync(path, `${toml}# ${n}\n`);
    await delay(5);
  }
  const [noMigration, noBinding] = ["has no migration that gives Session a database", "binds no Durable Object"];
  for (const times of [1, 2]) {
    writeFileSync(path, toml.replace('new_sqlite_classes = ["Session"]', "new_sqlite_classes = []"));
    await run.written(noMigration, times);
    expect(run.output().split(noBinding)).toHaveLength(times);
    writeFileSync(path, toml.replace('[[durable_objects.bindings]]\nname = "SESSION"\nclass_name = "Session"', ""));
    await run.written(noBinding, times);
  }
});

test.each([
  ["a date of before what it is made of", "2025-05-04", '"nodejs_als"'],
  ["a flag that its date does not bring", "2026-01-31", ""],
])("a Worker that cannot start for %s says which it needs", async (_, date, flag) => {
  const project = await copy();
  const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
  const older = toml.replace(/^compatibility_date = .*$/m, `compatibility_date = "${date}"`);
  await project.write("wrangler.toml", older.replace('["nodejs_als"]', `[${flag}]`));
  const { written, output } = startIn(project, ["--port", String(await freePort())]);
  await written('mcp-edge needs compatibility_date = "2025-05-05" or later in wrangler.toml');
  expect(output()).toContain('compatibility_flags = ["nodejs_als"]');
});

test("the block of an environment that stands commented in wrangler.toml can be deployed, and serves", async () => {
  const project = await copy();
  const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
  const lines = toml.split("\n");
  const first = lines.findIndex((line) => line.startsWith("# [[env.staging"));
  const last = lines.findIndex((line, index) => index > first && line === "");
  const block = lines.map((line, index) => (index >= first && index < last ? line.replace("# ", "") : line));
  await project.write("wrangler.toml", block.join("\n"));
  const wrangler = join(project.folder, "node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "--env", "staging", "--outdir", join(project.folder, "out")];
  const { stdout, stderr } = await execute(process.execPath, args, {
    cwd: project.folder,
    env: { ...process.env, ...offline, NODE_ENV: "production" },
  });
  expect(stdout).toContain("env.SESSION (Session)");
  expect(stdout).toContain("env.CF_VERSION_METADATA");
  expect(stderr).toBe("");
  const started = startIn(project, ["--port", String(await freePort()), "--env", "staging"]);
  await started.written(announced);
  expect(started.output()).not.toContain("binds no Durable Object");
});

test("a name and a page that are refused are said once each, with the argument that lets them in, and it does", async () => {
  const { run, url, port, project } = await start();
  await run.written(announced);
  const host = `host.docker.internal:${port}`;
  const asHost = async () => (await getAs(url, host, {})).status;
  const asPage = async () => (await getAs(url, `localhost:${port}`, { origin: "https://app.example.com" })).status;
  for (const _ of [1, 2]) {
    expect(await asHost()).toBe(403);
    expect(await asPage()).toBe(403);
  }
  await run.written("npm start -- --allowed-host host.docker.internal");
  await run.written("npm start -- --allowed-origin app.example.com");
  expect(run.output().split("--allowed-host host.docker.internal")).toHaveLength(2);
  expect(run.output().split("--allowed-origin app.example.com")).toHaveLength(2);
  run.interrupt();
  await run.ended;
  const letIn = ["--allowed-host", "host.docker.internal", "--allowed-origin=app.example.com"];
  await startIn(project, ["--port", String(port), ...letIn]).written(announced);
  expect(await asHost()).toBe(404);
  expect(await asPage()).toBe(404);
});

test("a class without its migration, and a line that is no variable, are said at the start", async () => {
  const project = await copy();
  const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
  await project.write("wrangler.toml", toml.replace(/^\[\[migrations\]\]\n.*\n.*\n/m, ""));
  await project.write(".dev.vars", "API KEY=one\n");
  const { written, output } = startIn(project, ["--port", String(await freePort())]);
  await written("wrangler.toml has no migration that gives Session a database, so its sessions store nothing.");
  await written('new_sqlite_classes = ["Session"]');
  await written('.dev.vars has a line that is no NAME=value: before its = stands "API KEY".');
  expect(output()).not.toContain("API KEY is undefined");
});

test("a class that the Worker does not export ends it, with wrangler's words for that", async () => {
  const project = await copy();
  const toml = await readFile(join(project.folder, "wrangler.toml"), "utf8");
  await project.write("wrangler.toml", toml.replaceAll('"Session"', '"Sesion"'));
  const started = startIn(project, ["--port", String(await freePort())]);
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain("Sesion");
});

test("a name that no request can have is refused with a sentence", async () => {
  const project = await copy();
  const started = startIn(project, ["--allowed-host", "https://example.com"]);
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain('["example.com"], not ["https://example.com"]');
});

test.each([["--port", "PORT"], ["--port=PORT"]])(
  "npm start %s %s, without -- before it, is understood",
  async (...form) => {
    const port = String(await freePort());
    const project = await copy();
    const started = npmRun(["start", ...form.map((part) => part.replace("PORT", port))], project.folder);
    afterwards(() => {
      started.interrupt();
      return started.ended;
    });
    await started.written(announced);
    expect(started.output()).toContain(`http://localhost:${port}/sse`);
  },
);

test("a home folder that cannot be written is no hindrance", async () => {
  const { run, url } = await start({ env: { HOME: "/dev/null", XDG_CONFIG_HOME: undefined } });
  await run.written(announced);
  const client = await RawSseClient.open(url);
  expect(textOf(await client.call("add", { a: 25, b: 25 }))).toBe("50");
  client.close();
});

test("a project folder that cannot be written is said in a sentence", async () => {
  const project = await copy();
  await project.write(".wrangler", "a file in the place of the folder\n");
  const started = startIn(project, []);
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain(`${join(project.folder, ".wrangler")} cannot be written`);
});
