import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clonedConfig, root } from "../support/bundle.ts";
import { readReadme } from "./readme.ts";

const readme = await readReadme();

/** Files of clients, which are not in this repository. */
const elsewhere = new Set([".cursor/mcp.json", ".vscode/mcp.json", "claude_desktop_config.json"]);

/** The tests of the user's server, who may delete them with it. */
const ofTheUser = new Set(["test/add.test.ts", "test/server.test.ts"]);

async function exists(path: string): Promise<boolean> {
  return stat(join(root, path)).then(
    () => true,
    () => false,
  );
}

test("every file that is named exists", async () => {
  const isPath = (code: string): boolean => /^\.?[\w-]+(\/[\w.-]+)*\.(ts|toml|json)$|^\.ci\//.test(code);
  const named = readme.inlineCode.filter((code) => isPath(code) && !elsewhere.has(code) && !ofTheUser.has(code));
  expect(named).toContain("src/server.ts");
  const missing = await Promise.all(named.map(async (path) => ((await exists(path)) ? [] : [path])));
  expect(missing.flat()).toEqual([]);
});

test("every file that docs/ARCHITECTURE.md names exists", async () => {
  const text = await readFile(join(root, "docs/ARCHITECTURE.md"), "utf8");
  const named = Array.from(text.matchAll(/`((?:src|test)\/[^`]+)`/g), ([, path = ""]) => path);
  expect(named).toContain("src/link/link.ts");
  const missing = await Promise.all(named.map(async (path) => ((await exists(path)) ? [] : [path])));
  expect(missing.flat()).toEqual([]);
});

test("every file that CONTRIBUTING.md names exists, and every file that the API report or the changelog links to", async () => {
  const texts = await Promise.all(["CONTRIBUTING.md", "CHANGELOG.md"].map((path) => readReadme(path)));
  const named = texts.flatMap(({ inlineCode, links }) => [
    ...inlineCode.filter((code) => /^(src|docs|test)\/\S+\.(ts|md)$/.test(code)),
    ...links.filter((link) => !link.startsWith("#")),
  ]);
  expect(named).toEqual(expect.arrayContaining(["src/server.ts", "docs/ARCHITECTURE.md", "docs/api.md"]));
  const missing = await Promise.all(named.map(async (path) => ((await exists(path)) ? [] : [path])));
  expect(missing.flat()).toEqual([]);
});

test("every link leads somewhere", async () => {
  const anchors = new Set(readme.headings.map((title) => `#${title.toLowerCase().replaceAll(" ", "-")}`));
  const missing = await Promise.all(
    readme.links.map(async (target) => (anchors.has(target) || (await exists(target)) ? [] : [target])),
  );
  expect(readme.links.length).toBeGreaterThan(0);
  expect(missing.flat()).toEqual([]);
});

test("every fault that is survived is shown by a test of that name", async () => {
  const files = await readdir(join(root, "test"), { recursive: true });
  const tests = files.filter((file) => file.endsWith(".test.ts"));
  const sources = await Promise.all(tests.map((file) => readFile(join(root, "test", file), "utf8")));
  const names = readme.table("What happens").map((cells) => cells.at(-1) ?? "");
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !sources.some((source) => source.includes(`"${name}"`)))).toEqual([]);
});

test("the port is the one that wrangler.toml gives", async () => {
  const toml = await readFile(clonedConfig, "utf8");
  const port = /^\[dev\]\nport = (?<port>\d+)$/m.exec(toml)?.groups?.["port"];
  const ports = Array.from(readme.text.matchAll(/localhost:(?<port>\d+)/g), ({ groups }) => groups?.["port"]);
  expect(new Set(ports)).toEqual(new Set([port]));
});
