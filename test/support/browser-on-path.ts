import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface BrowserOnPath extends AsyncDisposable {
  /** Environment of a client that opens a browser: on its PATH, and named as Python looks for it. */
  env: NodeJS.Dict<string>;
}

/** A browser whose user agrees to every login. */
export async function browserOnPath(): Promise<BrowserOnPath> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-browser-"));
  const browser = join(folder, "xdg-open");
  const program = join(import.meta.dirname, "open-in-browser.ts");
  await writeFile(browser, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$1"\n`);
  await chmod(browser, 0o755);
  return {
    env: { PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`, BROWSER: `${browser} %s &` },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
