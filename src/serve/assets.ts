import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { extname, join, sep } from "node:path";

/** The files of `[assets]` in wrangler.toml that a Worker reads by a binding. */
export interface BuiltAssets {
  binding: string;
  /** Paths from their folder, with slashes. */
  paths: readonly string[];
  /** What `_headers` says for all of them. */
  headers: Readonly<Record<string, string>>;
}

/** Names in the folder of a build. */
export const assetsFolder = "assets";

const types: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

/** Copies what Cloudflare would serve into the folder of a build. */
export async function copyAssets(from: string, binding: string, build: string): Promise<BuiltAssets> {
  const to = join(build, assetsFolder);
  await rm(to, { recursive: true, force: true });
  await mkdir(to);
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = files.map((file) => file.slice(join(from, sep).length).replaceAll(sep, "/"));
  const served = paths.filter((path) => !["_headers", "_redirects", ".assetsignore"].includes(path));
  for (const path of served) await cp(join(from, path), join(to, path));
  const headers = paths.includes("_headers") ? headersOfAll(await readFile(join(from, "_headers"), "utf8")) : {};
  return { binding, paths: served.toSorted(), headers };
}

/** A Worker that answers with those files, as the binding does on Cloudflare. Each is a module of it, named by its path. */
export function assetsScript({ paths, headers }: BuiltAssets): string {
  const imports = paths.map((path, index) => `import file${index} from ${JSON.stringify(path)};\n`);
  const files = paths.map((path, index) => {
    const type = types[extname(path)] ?? "application/octet-stream";
    return `  [${JSON.stringify(`/${path}`)}, [file${index}, ${JSON.stringify(type)}]],\n`;
  });
  return `${imports.join("")}
const headers = ${JSON.stringify({ ...headers, "cache-control": "public, max-age=0, must-revalidate" })};
const files = new Map([
${files.join("")}]);
export default {
  fetch(request) {
    const file = files.get(pathOf(new URL(request.url)));
    if (file === undefined) return new Response("Not Found", { status: 404 });
    return new Response(file[0], { headers: { ...headers, "content-type": file[1] } });
  },
};

function pathOf({ pathname }) {
  const asked = pathname.endsWith("/") ? pathname + "index.html" : pathname;
  try {
    return decodeURIComponent(asked);
  } catch {
    // No file has a name that is no UTF-8.
    return asked;
  }
}
`;
}

/** Those of the rule for every path: the lines below it that are indented. */
function headersOfAll(text: string): Record<string, string> {
  const [, below = ""] = text.split(/^\/\*[ \t]*$/m);
  const lines = below.split("\n").slice(1);
  const end = lines.findIndex((line) => !/^\s+\S/.test(line));
  const pairs = lines.slice(0, end < 0 ? undefined : end).map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  });
  return Object.fromEntries(pairs);
}
