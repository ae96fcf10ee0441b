import { expect, test } from "vitest";
import { resolveOptions } from "../../src/options.ts";
import { readReadme } from "./readme.ts";

const unit: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, MiB: 1024 * 1024, KiB: 1024 };

/** "4 MiB" in bytes, "20 s" in milliseconds, "10,000", a path, empty, or none. */
function parseDefault(cell: string): unknown {
  if (cell === "none") return [];
  if (cell === "empty") return "";
  if (cell.startsWith("`")) return cell.replaceAll("`", "");
  const [number = "", name] = cell.split(" ");
  return Number(number.replaceAll(",", "")) * (name === undefined ? 1 : (unit[name] ?? Number.NaN));
}

test("the table of options names every option with its default, and nothing else", async () => {
  const rows = (await readReadme()).table("Option");
  const written = Object.fromEntries(
    rows.map(([name = "", value = ""]) => [name.replaceAll("`", ""), parseDefault(value)]),
  );
  expect(written).toEqual(resolveOptions({}));
});
