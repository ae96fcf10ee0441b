/** Where the server is, as clients are told. */
export interface ServerUrls {
  sse: URL;
  mcp: URL;
}

/**
 * The server says where its transports are. If what answers there is not it, the page was opened at one of them, or lies
 * beside a server with the usual paths. The query that the page was opened with is kept, as clients' is.
 */
export async function findServer(): Promise<ServerUrls> {
  const { sse, mcp } = (await toldPaths()) ?? openedPaths();
  const at = (path: string): URL => {
    const url = new URL(path, location.origin);
    url.search = location.search;
    return url;
  };
  return { sse: at(sse), mcp: at(mcp) };
}

/** @throws {TypeError} if nothing answers. */
async function toldPaths(): Promise<{ sse: string; mcp: string } | undefined> {
  const response = await fetch(new URL("health", document.baseURI), { signal: AbortSignal.timeout(10_000) });
  const told: unknown = await response.json().catch(() => undefined);
  if (typeof told !== "object" || told === null || !("sse" in told) || !("mcp" in told)) return undefined;
  const { sse, mcp } = told;
  return typeof sse === "string" && typeof mcp === "string" ? { sse, mcp } : undefined;
}

function openedPaths(): { sse: string; mcp: string } {
  const { pathname } = location;
  const isTransport = /\/[^/.]+$/.test(pathname);
  return isTransport ? { sse: pathname, mcp: pathname } : { sse: "/sse", mcp: "/mcp" };
}
