import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { licenseTexts, thirdPartiesIn, type ThirdParty } from "./third-party.ts";
import { root } from "./wrangler-process.ts";

const sources = join(root, "src/page");

/** What wrangler.toml serves: it is committed, so that nothing is built before `npm start`. */
export const pageFolder = join(sources, "dist");

/** Builds `src/page` into `folder`, and says what of others is in it. The same sources give the same bytes. */
export async function buildPage(folder: string): Promise<ThirdParty[]> {
  await mkdir(folder, { recursive: true });
  for (const file of ["index.html", "page.svg", "_headers"]) await cp(join(sources, file), join(folder, file));
  const { metafile } = await build({
    entryPoints: { page: join(sources, "page.tsx") },
    outdir: folder,
    tsconfig: join(sources, "tsconfig.json"),
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome120", "firefox121", "safari17.2"],
    alias: { "@modelcontextprotocol/client/_shims": join(sources, "client-shims.ts") },
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  });
  const parties = await thirdPartiesIn(metafile);
  await writeFile(join(folder, "licenses.txt"), licenseTexts(parties));
  await build({
    entryPoints: [join(sources, "page.css")],
    outdir: folder,
    absWorkingDir: root,
    minify: true,
    target: ["chrome120", "firefox121", "safari17.2"],
  });
  return parties;
}

if (process.argv[1] === import.meta.filename) await buildPage(pageFolder);
