import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";

/** Which file the code at a place in a bundle comes from, both counted from 0; `undefined` where it is nobody's. */
export type SourceAt = (line: number, column: number) => string | undefined;

/** Of the bundle in `script`, by the source map beside it. */
export async function sourcesOf(script: string): Promise<SourceAt> {
  const map = new SourceMap(JSON.parse(await readFile(`${script}.map`, "utf8")));
  // An entry may have no source, whatever its type says.
  return (line, column) => (map.findEntry(line, column) as { originalSource?: string }).originalSource;
}
