/**
 * What single clients need, each recognised by what it sends, never by what it does not: whom nobody recognises gets what
 * every client can read. Headers were seen on the wire, November 2026.
 */

/**
 * Whether a GET may come from a client that had a session and cannot say which: the TypeScript SDK since 1.13, whose stream
 * was cut. Its `mcp-protocol-version` comes with every GET but the first, and never a `Last-Event-ID`. The header alone says
 * nothing: the AI SDK, Java and gateways send it on the first GET too, and would not understand the question.
 */
export function mayHaveSession(headers: Headers): boolean {
  const isListening = headers.has("mcp-protocol-version") && headers.get("accept") === "text/event-stream";
  return isListening && (isUncached(headers) || isBunOrDeno(headers));
}

/**
 * Whether a client reads `retry:` lines. Java SDK 0.11 to 1.1 end a stream at one, under whatever user agent they go.
 * - Browsers and Node send `sec-fetch-mode` (Fetch Metadata), which no page can set; Bun and Deno their names. MCP clients
 *   on them read events as the HTML Standard says: EventSource, and `eventsource-parser` of the TypeScript and AI SDKs.
 * - The Python SDK, and what is built on it, reads by `httpx-sse`, that of version 2 by `httpx2`.
 */
export function readsRetry(headers: Headers): boolean {
  return headers.has("sec-fetch-mode") || isUncached(headers) || isBunOrDeno(headers) || isPythonHttpx(headers);
}

/**
 * Whether a client may ask about a task without `Mcp-Name`, which must say which one (SEP-2663, Routing Headers): FastMCP,
 * whose package of tasks has forgotten it in 4.1.4. It is built on the Python SDK, and goes under the name of that one's
 * HTTP client.
 */
export function mayForgetTaskName(headers: Headers): boolean {
  return isPythonHttpx(headers);
}

/** A `fetch` whose `cache` is "no-store" (Fetch Standard, HTTP-network-or-cache fetch), as in the package `eventsource`. */
function isUncached(headers: Headers): boolean {
  return headers.get("pragma") === "no-cache" && headers.get("cache-control") === "no-cache";
}

/** Their `fetch` does nothing for `cache`. The AI SDK puts its own name before theirs. */
function isBunOrDeno(headers: Headers): boolean {
  return /^(Bun|Deno)\//.test(headers.get("user-agent") ?? "");
}

function isPythonHttpx(headers: Headers): boolean {
  return /^python-httpx2?\//.test(headers.get("user-agent") ?? "");
}
