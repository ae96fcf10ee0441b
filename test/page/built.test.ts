import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPage, pageFolder } from "../../src/dev/build-page.ts";

/** Name and contents of all files. */
async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
  );
}

test("the page that is committed is what npm run build:page makes of its sources", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-page-"));
  try {
    await buildPage(folder);
    const [built, committed] = await Promise.all([filesIn(folder), filesIn(pageFolder)]);
    expect(Object.keys(committed)).toEqual(Object.keys(built));
    // Their text would fill the screen.
    expect(Object.keys(built).filter((name) => built[name] !== committed[name])).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("it asks nobody else for anything, and nothing in it stands in the HTML itself", async () => {
  const { "index.html": html = "", "page.css": css = "" } = await filesIn(pageFolder);
  expect(html.match(/https?:|\son\w+=|style=|<style|<script(?![^>]*src=)/g)).toBeNull();
  expect(css.match(/@import|url\(/g)).toBeNull();
});
