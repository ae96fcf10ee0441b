import { expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { exampleServer } from "../support/project-copy.ts";
import { initialize, RawSseClient } from "../support/raw-client.ts";
import { announced, copy, serverSource, start, startIn } from "./started.ts";

const noFiles = "On the edge there is no file system";

/** What the first POST of a client is answered. */
async function refusalOf(url: string): Promise<string> {
  const client = await RawSseClient.connect(url);
  const response = await client.post(initialize());
  client.close();
  return `${response.status} ${await response.text()}`;
}

const atFirst = (statement: string, imports = ""): string =>
  `${imports}\n${serverSource(`  ${statement}`)}`.replace("\nconsole.debug", "console.debug");

test.each([
  ["throws", atFirst('throw new Error("no tools today");'), "no tools today", "src/server.ts:6:9"],
  [
    "returns nothing",
    "export function createServer() {}\n",
    'createServer returned undefined: end it with \\"return server;\\".',
    "createServer (src/server.ts:1)",
  ],
  [
    "reads a file",
    atFirst('readFileSync("./data.json");', 'import { readFileSync } from "node:fs";'),
    noFiles,
    "src/server.ts:6:3",
  ],
  [
    "starts a process",
    atFirst('exec("ls");', 'import { exec } from "child_process";'),
    "On the edge there are no processes",
    "src/server.ts:6:3",
  ],
])("a createServer that %s is shown with its line, and its client is told why", async (_, source, said, where) => {
  const { run, url } = await start({ source });
  await run.written(announced);
  expect(await refusalOf(url)).toMatch(/^500 /);
  expect(await refusalOf(url)).toContain(said);
  await run.written(where);
  await run.written(said.replaceAll("\\", ""));
  expect(run.output()).not.toContain('{"event"');
});

test.each([
  [
    "that reads a file beside it while it loads",
    'import { readFileSync } from "node:fs";\nreadFileSync(new URL("./data.json", import.meta.url));\nexport { createServer } from "./example.ts";\n',
    [noFiles, "at src/server.ts:2:1"],
  ],
  [
    "that asks for its folder",
    'console.log(__dirname);\nexport { createServer } from "./example.ts";\n',
    [noFiles, "__dirname is not defined", "at src/server.ts:1:13"],
  ],
  [
    "that imports a package that is not there",
    'import nothing from "no-such-package";\nnothing();\nexport { createServer } from "./example.ts";\n',
    ["npm install", "src/server.ts:1:20"],
  ],
  [
    "that imports a module which Node has nowhere",
    'import nothing from "node:nothing";\nnothing();\nexport { createServer } from "./example.ts";\n',
    ["The edge has only a part of Node", "src/server.ts:1:20"],
  ],
  [
    "that imports a native module",
    'import nothing from "./addon.node";\nnothing();\nexport { createServer } from "./example.ts";\n',
    ["On the edge there are no native modules", "src/server.ts:1:20"],
  ],
])("a module %s ends npm start with a sentence and the line", async (_, source, said) => {
  const project = await copy();
  await project.write("src/example.ts", exampleServer);
  await project.write("src/server.ts", source);
  const run = startIn(project, ["--port", String(await freePort())]);
  expect(await run.ended).toBe(1);
  for (const wanted of said) expect(run.output()).toContain(wanted);
  expect(run.output()).not.toContain("Runtime stderr");
  expect(run.output()).not.toContain("/issues/new");
});

test("an option that cannot be ends npm start with the sentence and the line of src/worker.ts", async () => {
  const project = await copy();
  const worker = `import { edge } from "mcp-edge";
import { createServer } from "./server.ts";
const app = edge(createServer, { keepAliveMs: 60_000 });
export class Session extends app.Session {}
export default { fetch: app.fetch };
`;
  await project.write("src/worker.ts", worker);
  const run = startIn(project, ["--port", String(await freePort())]);
  expect(await run.ended).toBe(1);
  expect(run.output()).toContain("keepAliveMs is at most 25,000, not 60000");
  expect(run.output()).toContain("src/worker.ts:3:13");
});
