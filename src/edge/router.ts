import type { Auth } from "../auth/auth.ts";
import { identify } from "../auth/authenticate.ts";
import type { Settings } from "../options.ts";
import { answerPreflight } from "../protocol/preflight.ts";
import * as refusals from "../protocol/refusals.ts";
import * as gate from "./gate.ts";
import { type PageOptions, showFile, showPage, tellHealth } from "./page.ts";
import * as sse from "./sse.ts";
import * as streamable from "./streamable.ts";

type Place = "sse" | "message" | "mcp" | "health" | "elsewhere";

/** What says who calls, and what that is told besides the request. */
export interface Login<Env> {
  auth: Auth<Env>;
  env: Env;
  ctx: ExecutionContext | undefined;
}

type RouteOptions = streamable.StreamableOptions & PageOptions;

/** From path and method to the function that answers. `login`: if not everybody may call. */
export async function route<Env>(
  request: Request,
  options: RouteOptions,
  login: Login<Env> | undefined,
): Promise<Response> {
  const { settings } = options;
  const url = clientsUrl(request);
  if (url === null) return refusals.invalidHost();
  // Before all else, as it is public.
  const resource = login?.auth.resource;
  const metadata = resource && (await resource.answer(request, url, settings));
  if (metadata !== undefined) return metadata;
  const refusal = gate.refuseStranger(request, url, settings);
  if (refusal !== undefined) return refusal;
  if (request.method === "OPTIONS") return answerPreflight(request);

  const place = placeOf(url.pathname, settings);
  const shown = await showToAll(request, { url, place, options });
  if (shown !== undefined) return shown;
  const unidentified =
    login && place !== "elsewhere" ? await identify(request, { ...login, url, settings }) : undefined;
  if (unidentified !== undefined) return unidentified;
  return await serve(request, { url, place, options });
}

/** What a client came to: a proxy that ended its TLS says so. Who lies here is told the lie, and nobody else. */
function clientsUrl({ url: received, headers }: Request): URL | null {
  const isHttps = /^https\b/i.test(headers.get("x-forwarded-proto") ?? "");
  return URL.parse(isHttps ? received.replace(/^http:/, "https:") : received);
}

interface Routed {
  url: URL;
  place: Place;
  options: RouteOptions;
}

/** What nobody has to log in for: the page says by itself what it may not show. */
function showToAll(
  request: Request,
  { url, place, options }: Routed,
): Promise<Response | undefined> | Response | undefined {
  switch (`${methodOf(request)} ${place}`) {
    case "GET sse":
    case "GET mcp":
      return request.headers.has("mcp-session-id") ? undefined : showPage(request, url, options);
    case "GET elsewhere":
      return showFile(request, options);
    case "GET health":
      return tellHealth(options.settings);
    default:
      return undefined;
  }
}

function serve(request: Request, { url, place, options }: Routed): Response | Promise<Response> {
  switch (`${methodOf(request)} ${place}`) {
    case "GET sse":
    case "GET mcp":
      // Each URL serves every client: one that speaks Streamable HTTP says so by its session.
      if (request.headers.has("mcp-session-id")) return streamable.listen(request, options);
      return (place === "mcp" ? streamable.refuseVersion(request) : undefined) ?? sse.openStream(request, url, options);
    case "POST message":
      return sse.postMessage(request, url, options);
    case "POST mcp":
    case "POST sse":
      return streamable.post(request, options);
    case "DELETE mcp":
    case "DELETE sse":
      return streamable.end(request, options);
    default:
      return refuse(place, options.settings);
  }
}

/** Whoever answers a GET sees whether it is a HEAD. */
function methodOf({ method }: Request): string {
  return method === "HEAD" ? "GET" : method;
}

function placeOf(pathname: string, { ssePath, mcpPath }: Settings): Place {
  // Clients are configured by hand: /SSE and /sse/ are meant as /sse.
  const path = (pathname.endsWith("/") ? pathname.slice(0, -1) : pathname).toLowerCase();
  if (path === ssePath.toLowerCase()) return "sse";
  if (path === mcpPath.toLowerCase()) return "mcp";
  if (path === "/health") return "health";
  const isMessage = [ssePath, mcpPath].some((opened) => path === `${opened.toLowerCase()}/message`);
  return isMessage ? "message" : "elsewhere";
}

const methods = { sse: "GET, POST, DELETE", mcp: "GET, POST, DELETE", message: "POST", health: "GET" };

function refuse(place: Place, settings: Settings): Response {
  return place === "elsewhere" ? refusals.unknownPath(settings) : refusals.methodNotAllowed(methods[place]);
}
