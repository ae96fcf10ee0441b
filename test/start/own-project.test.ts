import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { clonedConfig, root } from "../support/bundle.ts";

const run = promisify(execFile);

/** A project that began as a clone: whatever the README calls the user's is hers. */
const hers: Record<string, string> = {
  "README.md": "# Greeter\n\nSee [nothing](nowhere.md) and `src/gone.ts`.\n\n```sh\nnpm run greet\n```\n",
  ".dev.vars": "API_KEY=secret\n",
  "src/server.ts": `import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { text, tool } from "mcp-edge";

export function createServer(): McpServer {
  const server = new McpServer({ name: "greeter", version: "2.0.0" });
  tool(server, "greet", { inputSchema: z.object({ name: z.string() }) }, ({ name }) => text(\`Hello, \${name}!\`));
  return server;
}
`,
  "src/worker.ts": `import { edge } from "mcp-edge";
import { createServer } from "./server.ts";

const app = edge(createServer, { ssePath: "/events", mcpPath: "/", retryMs: 5_000 });

export class Session extends app.Session {}

export default { fetch: app.fetch };
`,
  "test/add.test.ts": `import { expect, test } from "vitest";
import { createServer } from "../src/server.ts";
import { connectTestClient } from "mcp-edge/testing";

test("greets by name", async () => {
  const client = await connectTestClient(createServer);
  const { content } = await client.callTool({ name: "greet", arguments: { name: "Ada" } });
  expect(content).toEqual([{ type: "text", text: "Hello, Ada!" }]);
  await client.close();
});
`,
};

/** Her wrangler.toml: another name, date, port and flags, a secret, variables, bindings and environments. */
function configOfHers(cloned: string): string {
  const changed = cloned
    .replace('name = "mcp-edge"', 'name = "greeter"')
    .replace(/^compatibility_date = .*$/m, 'compatibility_date = "2026-01-31"')
    .replace('["nodejs_als"]', '["nodejs_als", "nodejs_compat"]')
    .replace("minify = true", "minify = false")
    .replace("keep_names = false", "keep_names = true")
    .replace("port = 8000", "port = 9000")
    .replace("required = []", 'required = ["API_KEY"]');
  return `${changed}
[vars]
GREETING = "Hello"

[[kv_namespaces]]
binding = "NAMES"
id = "0123456789abcdef0123456789abcdef"

[[d1_databases]]
binding = "DB"
database_name = "names"
database_id = "00000000-0000-0000-0000-000000000000"

[env.staging]
name = "greeter-staging"
`;
}

/** Tests of each kind that could know what is hers: of documents, of npm scripts, of a Worker, and her own. */
const files = ["test/add", "test/readme", "test/start/types", "test/start/deploy", "web-page"];

interface Report {
  testResults: { name: string; message: string; assertionResults: { status: string; fullName: string }[] }[];
}

test("in a project with a README, server, tests and wrangler.toml of its user's, npm test passes, hers included", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-own-"));
  try {
    const copied = [
      "src",
      "examples",
      "test",
      "lab",
      "package",
      ".npmrc",
      "package.json",
      "tsconfig.json",
      "vitest.config.ts",
    ];
    const filter = (path: string): boolean => basename(path) !== "node_modules";
    for (const name of copied) await cp(join(root, name), join(folder, name), { recursive: true, filter });
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    for (const [path, text] of Object.entries(hers)) await writeFile(join(folder, path), text);
    await rm(join(folder, "test/server.test.ts"), { force: true });
    await writeFile(join(folder, "wrangler.toml"), configOfHers(await readFile(clonedConfig, "utf8")));

    const mine = await run("npm", ["run", "test:mine"], { cwd: folder });
    expect(mine.stdout).toMatch(/Test Files .*1 passed/);

    const report = join(folder, "report.json");
    const args = ["test", "--", ...files, "--reporter=json", `--outputFile=${report}`];
    const how = await run("npm", args, { cwd: folder }).then(
      () => "passed",
      (error: Error) => error.message,
    );
    const { testResults } = JSON.parse(await readFile(report, "utf8")) as Report;
    const failures = testResults.flatMap(({ name, message, assertionResults }) => [
      ...(message === "" ? [] : [`${name}: ${message}`]),
      ...assertionResults.filter(({ status }) => status !== "passed").map(({ fullName }) => fullName),
    ]);
    expect(failures).toEqual([]);
    expect(how).toBe("passed");
    expect(testResults.map(({ name }) => relative(folder, name)).toSorted()).toEqual([
      "test/add.test.ts",
      "test/start/deploy.test.ts",
      "test/start/types.test.ts",
      "test/wire/web-page.test.ts",
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 900_000);
