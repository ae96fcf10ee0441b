import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../support/bundle.ts";

/** README.md, taken apart. */
export interface Readme {
  text: string;
  /** Fenced blocks in order. `language` is empty for pictures. */
  blocks: { language: string; code: string }[];
  /** Code between backticks in the prose. */
  inlineCode: string[];
  /** Targets of links. */
  links: string[];
  headings: string[];
  /** The cells of each row of the table whose first header is `header`. */
  table(header: string): string[][];
}

const fence = /^```(?<language>\w*)\n(?<code>[\s\S]*?)^```$/gm;

/** `path`: another document that is written likewise. */
export async function readReadme(path = "README.md"): Promise<Readme> {
  const text = await readFile(join(root, path), "utf8");
  const prose = text.replaceAll(fence, "");
  return {
    text,
    blocks: Array.from(text.matchAll(fence), ({ groups }) => ({
      language: groups?.["language"] ?? "",
      code: groups?.["code"] ?? "",
    })),
    inlineCode: Array.from(prose.matchAll(/`(?<code>[^`\n]+)`/g), ({ groups }) => groups?.["code"] ?? ""),
    links: Array.from(prose.matchAll(/\]\((?<target>[^)]+)\)/g), ({ groups }) => groups?.["target"] ?? ""),
    headings: Array.from(prose.matchAll(/^#+ (?<title>.+)$/gm), ({ groups }) => groups?.["title"] ?? ""),
    table(header) {
      const lines = prose.split("\n");
      const start = lines.findIndex((line) => line.startsWith(`| ${header} |`));
      if (start < 0) throw new Error(`${path} has no table that begins with ${header}`);
      const body = lines.slice(start + 2);
      const end = body.findIndex((line) => !line.startsWith("|"));
      return body.slice(0, end).map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    },
  };
}

/** The code blocks of one language. */
export function codeIn({ blocks }: Readme, language: string): string[] {
  return blocks.filter((block) => block.language === language).map(({ code }) => code);
}
