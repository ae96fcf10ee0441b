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

/** What a newcomer opens besides the README. */
const documents = [
  "AGENTS.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...(await readdir(join(root, "docs"), { recursive: true }))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

test.each(documents)("every file that %s names exists", async (document) => {
  const text = await readFile(join(root, document), "utf8");
  const named = Array.from(text.matchAll(/`((?:src|test|lab|examples|docs)\/[^`*<>{}]+)`/g), ([, path = ""]) => path);
  const linked = Array.from(text.matchAll(/\]\(([^)#]+)[^)]*\)/g), ([, path = ""]) => path);
  const local = linked.filter((path) => !/^https?:/.test(path)).map((path) => join(document, "..", path));
  const missing = await Promise.all([...named, ...local].map(async (path) => ((await exists(path)) ? [] : [path])));
  expect(missing.flat()).toEqual([]);
});

test("every event of the log is in the table of events, and no other", async () => {
  const sources = (await readdir(join(root, "src"), { recursive: true })).filter((file) => file.endsWith(".ts"));
  const texts = await Promise.all(sources.map((file) => readFile(join(root, "src", file), "utf8")));
  const namesIn = (text: string): string[] =>
    Array.from(text.matchAll(/\bevent: ["`]([^"`]+)["`]/g), ([, name = ""]) => name);
  // What only the terminal of `npm start` is told, which shows it as a sentence.
  const told = new Set(namesIn(await readFile(join(root, "src/development.ts"), "utf8")));
  const logged = texts.flatMap(namesIn).filter((name) => /^[a-z$]/.test(name) && !told.has(name));
  const listed = logged.flatMap((name) =>
    name === "${kind}-not-listed" ? ["tool-not-listed", "prompt-not-listed"] : [name],
  );
  const written = readme.table("event").flatMap(([cell = ""]) => cell.replaceAll("`", "").split(", "));
  expect(written.toSorted()).toEqual([...new Set(listed)].toSorted());
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
