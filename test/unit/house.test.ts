import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** Of what this project's sources may be, see AGENTS.md. */
const [maxLines, maxMutableFields] = [250, 6];

/** A file of `src`: `env.d.ts` is written by a tool. */
interface Source {
  path: string;
  lines: string[];
}

const sources: Source[] = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && path !== "env.d.ts")
  .map((path) => ({
    path,
    lines: readFileSync(join(root, "src", path), "utf8")
      .trimEnd()
      .split("\n"),
  }));

/** As the formatter writes it: members of a class are two spaces in, and a class ends where a brace stands alone. */
const classBegins = /^(?:export )?(?:default )?(?:abstract )?class (\w+)/;
const field = /^ {2}(?:static )?(?:override )?(readonly )?(#?\w+)[?!]?(?::|;| =)/;
/** A collection is changed, though its field is not. */
const collection = /(?:=|:) (?:new )?(?:Weak)?(?:Map|Set)\b|: (?!readonly )\S+\[\]|= \[/;

function mutableFields({ path, lines }: Source): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  let mutable: string[] | undefined;
  for (const line of lines) {
    const [, name] = classBegins.exec(line) ?? [];
    if (name !== undefined) mutable = found[`${path}: ${name}`] = [];
    if (line === "}") mutable = undefined;
    const [, isReadonly, member] = field.exec(line) ?? [];
    if (member !== undefined && (isReadonly === undefined || collection.test(line))) mutable?.push(member);
  }
  return found;
}

test("no file of the sources is longer than one reads at once", () => {
  const tooLong = sources.filter(({ lines }) => lines.length > maxLines);
  expect(tooLong.map(({ path, lines }) => `${path}: ${lines.length} lines`)).toEqual([]);
});

test("no class has more fields that change than one keeps in mind", () => {
  const classes = sources.flatMap((source) => Object.entries(mutableFields(source)));
  expect(classes.map(([name]) => name)).toContain("session/out/outbox.ts: Outbox");
  const tooMany = classes.filter(([, mutable]) => mutable.length > maxMutableFields);
  expect(tooMany).toEqual([]);
});
