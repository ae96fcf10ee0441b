import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/bundle.ts";
import { readReadme } from "./readme.ts";

/** The cells of each row of a Markdown table, without its head. */
function rowsOf(markdown: string): string[][] {
  const [, , ...rows] = markdown.split("\n").filter((line) => line.startsWith("|"));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test("the figures are those that the last full run of the bench wrote", async () => {
  const latest = rowsOf(await readFile(join(root, "lab/bench/results/latest.md"), "utf8"));
  const written = (await readReadme()).table("figure");
  expect(written.length).toBeGreaterThan(10);
  expect(written).toEqual(latest.map((cells) => cells.slice(0, 5).map((cell) => cell || "–")));
});

test("the figures of one machine are those that the last run of the bench with --served wrote", async () => {
  const latest = rowsOf(await readFile(join(root, "lab/bench/results/served.md"), "utf8"));
  const written = (await readReadme("docs/self-hosting.md")).table("server");
  expect(written.length).toBeGreaterThan(1);
  expect(written).toEqual(latest);
});

test("the costs are those that were computed from them", async () => {
  const { text } = await readReadme();
  const costs = rowsOf(await readFile(join(root, "lab/bench/results/cost.md"), "utf8"));
  const [, ours = "", theirs = ""] = costs.find(([sessions]) => sessions === "1,000") ?? [];
  expect(text).toContain(ours);
  expect(text).toContain(theirs.replace(/\.\d\d$/, ""));
});
