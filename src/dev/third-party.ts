import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { root } from "./wrangler-process.ts";

/** A package of others that is in what a bundler made. */
export interface ThirdParty {
  name: string;
  version: string;
  /** SPDX identifier. */
  license: string;
  /** What the license asks to be passed on. */
  text: string;
}

/** What is in a bundle: the packages that it was made of, and those that are built into their files. By name. */
export async function thirdPartiesIn({ inputs }: Metafile): Promise<ThirdParty[]> {
  const versions = new Map<string, string | undefined>();
  for (const path of Object.keys(inputs)) {
    const name = /(?:^|\/)node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)\//.exec(path)?.groups?.["name"];
    if (name === undefined) continue;
    if (!versions.has(name)) versions.set(name, undefined);
    // The bundler of the SDK notes where each part of a file comes from.
    const regions =
      /^\/\/#region .*\/\.pnpm\/[^/]+@(?<version>[^/@_]+)[^/]*\/node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)\//gm;
    for (const { groups } of (await readFile(join(root, path), "utf8")).matchAll(regions)) {
      versions.set(groups?.["name"] ?? "", groups?.["version"]);
    }
  }
  const found = Array.from(versions, ([name, version]) => described(name, version));
  return (await Promise.all(found)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function described(name: string, version: string | undefined): Promise<ThirdParty> {
  const place = join(root, "node_modules", name);
  const manifest = JSON.parse(await readFile(join(place, "package.json"), "utf8")) as Manifest;
  const file = (await readdir(place)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? wordsOf(manifest) : readFile(join(place, file), "utf8");
  return { name, version: version ?? manifest.version, license: manifest.license, text: (await text).trim() };
}

interface Manifest {
  version: string;
  license: string;
  author?: string;
}

/**
 * The license of a package that does not have its words: those of ours, if it is the same, under the name of its author.
 * @throws {Error} if it is another.
 */
async function wordsOf({ license, author }: Manifest): Promise<string> {
  if (license !== "MIT" || author === undefined) throw new Error(`Where are the words of ${license}, by ${author}?`);
  const words = await readFile(join(root, "LICENSE"), "utf8");
  return words.replace(/^Copyright .*$/m, `Copyright (c) ${author}`);
}

/** Every text once, under the names of the packages that it is of. */
export function licenseTexts(parties: ThirdParty[]): string {
  const namesByText = Map.groupBy(parties, ({ text }) => text);
  const texts = Array.from(namesByText, ([text, those]) => {
    const names = those.map(({ name, license }) => `${name} (${license})`);
    return `${names.join("\n")}\n\n${text}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
