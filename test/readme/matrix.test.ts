import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cellsOf, type TableRow } from "../../lab/matrix/table.ts";
import { root } from "../support/bundle.ts";
import { readReadme } from "./readme.ts";

test("the table of clients is the one that the last run of the matrix wrote", async () => {
  const rows = JSON.parse(await readFile(join(root, "lab/matrix/latest.json"), "utf8")) as TableRow[];
  const written = (await readReadme()).table("client");
  expect(written).toEqual(rows.map(cellsOf));
  expect(rows.flatMap(({ faults }) => faults)).toEqual([]);
});
