import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./wrangler-process.ts";

const sources = join(root, "src/page");

/** What wrangler.toml serves: it is committed, so that nothing is built before `npm start`. */
export const pageFolder = join(sources, "dist");

/** Builds `src/page` into `folder`. The same sources give the same bytes. */
export async function buildPage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of ["index.html", "page.svg", "_headers"]) await cp(join(sources, file), join(folder, file));
  await build({
    entryPoints: { page: join(sources, "page.tsx") },
    outdir: folder,
    tsconfig: join(sources, "tsconfig.json"),
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome120", "firefox121", "safari17.2"],
    legalComments: "none",
    logLevel: "warning",
  });
  await build({
    entryPoints: [join(sources, "page.css")],
    outdir: folder,
    absWorkingDir: root,
    minify: true,
    target: ["chrome120", "firefox121", "safari17.2"],
  });
}

if (process.argv[1] === import.meta.filename) await buildPage(pageFolder);
