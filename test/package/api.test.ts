import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiReport, declarationsByDoor } from "../../package/api.ts";
import { root } from "../support/bundle.ts";

test("docs/api.md says what the package exports: npm run api writes it", async () => {
  expect(await readFile(join(root, "docs/api.md"), "utf8")).toBe(await apiReport());
});

test("what is exported has a comment, and so has each of its members", async () => {
  const doors = await declarationsByDoor();
  expect([...doors.keys()]).toEqual(expect.arrayContaining(["mcp-edge", "mcp-edge/stdio", "mcp-edge/testing"]));
  const declarations = Array.from(doors.values()).flat();
  const bare = declarations.filter(({ text }) => !text.startsWith("/**") && !/^export \{ \w+ \} from/.test(text));
  expect(bare.map(({ name }) => name)).toEqual([]);
  // A type that is no interface is described as a whole.
  const withMembers = declarations.filter(({ text }) => !/^export type /m.test(text));
  const members = withMembers.flatMap(({ name, text }) =>
    text.split("\n").flatMap((line, index, lines) => {
      const isMember = /^ {4}\w+\??[:(]/.test(line);
      return isMember && lines[index - 1]?.endsWith("*/") !== true ? [`${name}: ${line.trim()}`] : [];
    }),
  );
  expect(members).toEqual([]);
});
