import type { Settings } from "../options.ts";
import { qualityOf } from "../protocol/accept.ts";

/** Where a person who opens the URL is shown the page of `src/page`. */
export interface PageOptions {
  /** The assets that wrangler.toml binds as `PAGE`; `undefined` where it has no such block, and there is no page. */
  page: Fetcher | undefined;
  settings: Settings;
}

/** What our own HTML begins its relative URLs with, where it is served as a file: at the root, or wherever a proxy has it. */
const servedBase = '<base href="./" />';

/**
 * A browser's navigation to a URL that is for MCP clients gets the page: whoever wants `text/html` more than what such
 * clients ask for (RFC 9110, section 12.5.1). `undefined` for everybody else, and where there is no page.
 */
export async function showPage({ headers }: Request, url: URL, options: PageOptions): Promise<Response | undefined> {
  if (options.page === undefined || !wantsPage(headers.get("accept"))) return undefined;
  const file = await options.page.fetch(new URL("/", url));
  if (!file.ok) return undefined;
  // Its parts are files at the root, which a proxy may have elsewhere.
  const root = new URL(`${options.settings.publicPath}/`, url).pathname;
  const html = (await file.text()).replace(servedBase, `<base href="${root}" />`);
  const shown = new Response(html, file);
  // It is one of two answers that this URL has, and another text than the file's.
  shown.headers.set("cache-control", "no-store");
  shown.headers.set("vary", "Accept");
  shown.headers.delete("etag");
  return shown;
}

/** A part of the page, where no files stand before the Worker: plain workerd has them behind it. */
export async function showFile(request: Request, { page }: PageOptions): Promise<Response | undefined> {
  const file = await page?.fetch(request);
  return file?.ok === true ? file : undefined;
}

function wantsPage(accept: string | null): boolean {
  const forClients = ["text/event-stream", "application/json"].map((type) => qualityOf(type, accept));
  return qualityOf("text/html", accept) > Math.max(...forClients);
}

/** `GET /health`: the Worker answers. No session is touched. It says where the transports are, for the page. */
export function tellHealth({ publicPath, ssePath, mcpPath }: Settings): Response {
  const body = { status: "ok", sse: publicPath + ssePath, mcp: publicPath + mcpPath };
  return Response.json(body, { headers: { "cache-control": "no-store" } });
}
