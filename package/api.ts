import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { doors, root } from "./doors.ts";
import { emitted, makeEngine } from "./engine.ts";

const reportPath = join(root, "docs/api.md");

const head = `# API

What the package \`mcp-edge\` exports, by door: its public API, which [semantic versioning](../CHANGELOG.md) is about. Written by
\`npm run api\` from the types of the package; a test compares.
`;

/** One exported declaration, with its comment. */
export interface Declaration {
  name: string;
  text: string;
}

/** What each door exports, from the types that are in the package. */
export async function declarationsByDoor(): Promise<Map<string, Declaration[]>> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-api-"));
  try {
    await makeEngine(folder);
    const found = new Map<string, Declaration[]>();
    for (const [door, { types = "" }] of doors()) {
      found.set(`mcp-edge${door.slice(1)}`, await declarationsOf(join(folder, "dist", emitted(types, ".d.ts"))));
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function declarationsOf(path: string): Promise<Declaration[]> {
  const text = await readFile(path, "utf8");
  const found = declaredIn(text);
  for (const { groups } of text.matchAll(/^export (?:type )?\{(?<names>[^}]*)\} from "(?<from>[^"]+)";$/gm)) {
    const names = (groups?.["names"] ?? "").split(",").map((name) => name.replace("type ", "").trim());
    const from = groups?.["from"] ?? "";
    // What is the SDK's own is described there.
    const others = from.startsWith(".")
      ? await declarationsOf(join(dirname(path), from.replace(/\.js$/, ".d.ts")))
      : names.filter(Boolean).map((name) => ({ name, text: `export { ${name} } from "${from}";` }));
    found.push(...others.filter(({ name }) => names.some((exported) => exported.split(" as ")[0] === name)));
  }
  return found.toSorted((a, b) => a.name.localeCompare(b.name, "en"));
}

/** The compiler writes what is nested with an indent, so what begins at the margin ends there. */
function declaredIn(text: string): Declaration[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const name =
      /^export (?:declare )?(?:default )?(?:abstract )?(?:function|class|interface|type|const) (?<name>\w+)/.exec(line)
        ?.groups?.["name"];
    if (name === undefined) return [];
    let end = index;
    while (end < lines.length && !/^(?:\}.*|.*;)$/.test(lines[end] ?? "")) end++;
    let start = index;
    if (lines[index - 1]?.endsWith("*/")) while (start > 0 && !lines[start]?.startsWith("/**")) start--;
    // A block ends at the margin; what ends in a semicolon within it is a part of it.
    if (line.endsWith("{")) while (end < lines.length && !lines[end]?.startsWith("}")) end++;
    return [{ name, text: lines.slice(start, end + 1).join("\n") }];
  });
}

export async function apiReport(): Promise<string> {
  const sections = Array.from(await declarationsByDoor(), ([door, declarations]) => {
    const code = declarations.map(({ text }) =>
      text.replaceAll(/^( {4})+/gm, (indent) => " ".repeat(indent.length / 2)),
    );
    return `\n## \`${door}\`\n\n\`\`\`ts\n${code.join("\n\n")}\n\`\`\`\n`;
  });
  return head + sections.join("");
}

if (import.meta.main) await writeFile(reportPath, await apiReport());
