import { execFile } from "node:child_process";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect, test } from "vitest";
import { launchChromium, openScreen } from "../support/chromium.ts";
import { startInspector } from "./inspector-page.ts";
import { afterwards, announced, serverSource, start } from "./started.ts";

const execute = promisify(execFile);

/** A bound on hanging, milliseconds. */
const patienceMs = 90_000;

const named = (name: string, end = ""): string =>
  serverSource(`  server.registerTool("${name}", {}, () => ({ content: [] }));`) + end;

test("a source that is saved by putting another file in its place is served each time, also after a load error", async () => {
  const { run, url, project } = await start({ source: named("first") });
  await run.written(announced);
  for (const [index, name] of ["second", "third"].entries()) {
    await project.replace("src/server.ts", named(name));
    await run.written("↻ Serving what was saved (src/server.ts).", index + 1);
  }
  // As vim does.
  const source = join(project.folder, "src/server.ts");
  await rename(source, `${source}~`);
  await project.write("src/server.ts", named("fourth"));
  await rm(`${source}~`);
  await run.written("↻ Serving what was saved (src/server.ts).", 3);
  for (const times of [1, 2]) {
    await project.replace("src/server.ts", named("broken", `throw new Error("broken ${times}");\n`));
    await run.written(`✘ Error: broken ${times}\n    at src/server.ts:9:7\n`);
    await run.written("Save a source, and it starts again", times);
    await project.replace("src/server.ts", named("mended"));
    await run.written("Serving again", times);
  }
  expect(await toolsOf(url)).toEqual(["mended"]);
  // Each once, and once more where a busy machine hears late of the save: what was bundled is not bundled again and again.
  const shown = run.output().match(/✘ Error: broken \d/g) ?? [];
  expect(new Set(shown)).toEqual(new Set(["✘ Error: broken 1", "✘ Error: broken 2"]));
  expect(shown.length).toBeLessThanOrEqual(4);
});

test("after a load error a source in a folder that is new is noticed as well", async () => {
  const { run, url, project } = await start({ source: named("first") });
  await run.written(announced);
  await project.replace(
    "src/server.ts",
    'export { createServer } from "./tools/server.ts";\nthrow new Error("not yet");\n',
  );
  await run.written("Build failed");
  await project.write("src/tools/server.ts", named("moved").replaceAll("./", "../"));
  await run.written("✘ Error: not yet");
  await run.written("Save a source, and it starts again");
  await project.replace("src/tools/server.ts", named("moved again"));
  await run.written("✘ Error: not yet", 2);
  await run.written("Save a source, and it starts again", 2);
  await project.replace("src/server.ts", 'export { createServer } from "./tools/server.ts";\n');
  await run.written("Serving again");
  expect(await toolsOf(url)).toEqual(["moved again"]);
});

test("clients that are connected hear that the tools are others once a change is served, on /sse and /mcp", async () => {
  const { run, url, project } = await start({ source: named("before") });
  await run.written(announced);
  const heard: Record<string, string[][]> = { sse: [], mcp: [] };
  const clients = await Promise.all(
    (["sse", "mcp"] as const).map(async (path) => {
      const onChanged = (_: Error | null, tools: { name: string }[] | null): void => {
        heard[path]?.push((tools ?? []).map(({ name }) => name));
      };
      const client = new Client({ name: path, version: "1.0.0" }, { listChanged: { tools: { onChanged } } });
      const at = new URL(`${url}/${path}`);
      await client.connect(path === "sse" ? new SSEClientTransport(at) : new StreamableHTTPClientTransport(at));
      return client;
    }),
  );
  await project.replace("src/server.ts", named("after"));
  await expect.poll(() => heard).toEqual({ sse: [["after"]], mcp: [["after"]] });
  await project.replace("src/server.ts", named("later"));
  const both = [["after"], ["later"]];
  await expect.poll(() => heard).toEqual({ sse: both, mcp: both });
  await Promise.all(clients.map((client) => client.close()));
});

test("a tool that is saved appears in the page of an Inspector that is connected, which asks for it by itself", async () => {
  const { run, port, project } = await start({ source: named("before") });
  await run.written(announced);
  const inspector = await startInspector(["--port", String(port)]);
  afterwards(() => {
    inspector.run.interrupt();
    return inspector.run.ended;
  });
  const browser = await launchChromium();
  afterwards(() => browser.close());
  const { page } = await openScreen(browser, inspector.page.href);
  // The input of the switch is covered by its drawing, which takes the click of a person.
  await page.getByRole("switch", { name: /Connect or disconnect/ }).click({ force: true });
  await page.getByText("Tools", { exact: true }).click();
  await page.getByText("before", { exact: true }).waitFor();
  await project.replace("src/server.ts", named("after"));
  await page.getByText("after", { exact: true }).waitFor();
  await expect.poll(() => page.getByText("before", { exact: true }).count()).toBe(0);
});

test.skipIf(process.platform === "win32")(
  "an esbuild that is ended while it works shows no stack of its own",
  async () => {
    const { run: started } = await start();
    await started.written(announced);
    const esbuild = await until(() => descendant(started.pid, "esbuild"));
    // It is what has Go write the stacks of all its goroutines.
    process.kill(esbuild, "SIGQUIT");
    await until(async () => ((await descendant(started.pid, "esbuild")) === esbuild ? undefined : true));
    started.interrupt();
    await started.ended;
    expect(started.output()).not.toContain("goroutine");
    expect(started.output()).not.toContain("SIGQUIT");
  },
);

test.skipIf(process.platform === "win32")("Ctrl-C ends npm start also if wrangler does not end", async () => {
  const { run: started } = await start();
  await started.written(announced);
  const esbuild = await until(() => descendant(started.pid, "esbuild"));
  const { stdout } = await execute("ps", ["-o", "pgid=", "-p", String(esbuild)]);
  // Whatever it is told, it hears nothing.
  process.kill(-Number(stdout), "SIGSTOP");
  started.interrupt();
  // Which means that nothing of it is left: whatever is would hold its outputs open.
  await started.ended;
  expect(started.output()).toContain(announced);
});

async function toolsOf(url: string): Promise<string[]> {
  const client = new Client({ name: "saved", version: "1.0.0" });
  await client.connect(new SSEClientTransport(new URL(`${url}/sse`)));
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

/** The process below `ancestor` whose program is called `name`. */
async function descendant(ancestor: number | undefined, name: string): Promise<number | undefined> {
  const { stdout } = await execute("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const parents = new Map(rows.map(([pid, parent]) => [Number(pid), Number(parent)]));
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === ancestor) return true;
    return false;
  };
  const found = rows.find(([pid, , program]) => program?.endsWith(`/${name}`) === true && isBelow(Number(pid)));
  return found === undefined ? undefined : Number(found[0]);
}

async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (const endsAtMs = Date.now() + patienceMs; ;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > endsAtMs) throw new Error("what was looked for did not come");
  }
}
