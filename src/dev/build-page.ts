import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { root } from "./wrangler-process.ts";

const sources = join(root, "src/page");

/** What wrangler.toml serves: it is committed, so that nothing is built before `npm start`. */
export const pageFolder = join(sources, "dist");

/** Builds `src/page` into `folder`. The same sources give the same bytes. */
export async function buildPage(folder: string): Promise<void> {
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
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  });
  await writeFile(join(folder, "licenses.txt"), await licensesOf(metafile));
  await build({
    entryPoints: [join(sources, "page.css")],
    outdir: folder,
    absWorkingDir: root,
    minify: true,
    target: ["chrome120", "firefox121", "safari17.2"],
  });
}

/** What the licenses of the packages in the page ask of whoever serves it. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const packages = Object.keys(inputs).flatMap(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  const texts = [...new Set(packages)].toSorted().map(async (name) => {
    const place = join(root, "node_modules", name);
    const file = (await readdir(place)).find((entry) => /^licen[cs]e/i.test(entry));
    const { license } = JSON.parse(await readFile(join(place, "package.json"), "utf8")) as { license: string };
    const text = file === undefined ? license : (await readFile(join(place, file), "utf8")).trim();
    return `${name} (${license})\n\n${text}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

if (process.argv[1] === import.meta.filename) await buildPage(pageFolder);
