import { type CheckedAuth, identify } from "../auth/authenticate.ts";
import { answerMetadata, metadataUrlFor } from "./metadata.ts";
import type { Settings } from "../options.ts";
import * as refusals from "../protocol/refusals.ts";
import * as gate from "./gate.ts";
import * as sse from "./sse.ts";
import * as streamable from "./streamable.ts";

type Place = "sse" | "message" | "mcp" | "elsewhere";

/** What says who calls, and what that is told besides the request. */
export interface Login<Env> {
  auth: CheckedAuth<Env>;
  env: Env;
  ctx: ExecutionContext | undefined;
}

/** From path and method to the function that answers. `login`: if not everybody may call. */
export async function route<Env>(
  request: Request,
  lane: streamable.StreamableLane,
  login: Login<Env> | undefined,
): Promise<Response> {
  const url = new URL(request.url);
  const resource = login?.auth.resource;
  // Before all else, as it is public.
  const metadata = resource && answerMetadata(request, url, { settings: lane.settings, resource });
  if (metadata !== undefined) return metadata;
  const refusal = gate.refuseStranger(request, url, lane.settings);
  if (refusal !== undefined) return refusal;
  if (request.method === "OPTIONS") return gate.answerPreflight(request);

  const place = placeOf(url.pathname, lane.settings);
  const unidentified = login && place !== "elsewhere" ? await refuseUnidentified(request, url, lane, login) : undefined;
  if (unidentified !== undefined) return unidentified;
  return await serve(request, { url, place, lane });
}

function refuseUnidentified<Env>(
  request: Request,
  url: URL,
  { settings }: streamable.StreamableLane,
  { auth, env, ctx }: Login<Env>,
): Promise<Response | undefined> {
  const resourceMetadataUrl = auth.resource && metadataUrlFor(url, settings);
  const { maxCallerBytes } = settings;
  return identify(auth, { request, env, ctx, resourceMetadataUrl, maxCallerBytes });
}

function serve(
  request: Request,
  { url, place, lane }: { url: URL; place: Place; lane: streamable.StreamableLane },
): Response | Promise<Response> {
  // Whoever answers a GET sees whether it is a HEAD.
  const method = request.method === "HEAD" ? "GET" : request.method;
  switch (`${method} ${place}`) {
    case "GET sse":
    case "GET mcp":
      // Each URL serves every client: one that speaks Streamable HTTP says so by its session.
      if (request.headers.has("mcp-session-id")) return streamable.listen(request, lane);
      return (place === "mcp" ? streamable.refuseVersion(request) : undefined) ?? sse.openStream(request, url, lane);
    case "POST message":
      return sse.postMessage(request, url, lane);
    case "POST mcp":
    case "POST sse":
      return streamable.post(request, lane);
    case "DELETE mcp":
    case "DELETE sse":
      return streamable.end(request, lane);
    default:
      return refuse(place, lane.settings);
  }
}

function placeOf(pathname: string, { ssePath, mcpPath }: Settings): Place {
  // Clients are configured by hand: /SSE and /sse/ are meant as /sse.
  const path = (pathname.endsWith("/") ? pathname.slice(0, -1) : pathname).toLowerCase();
  if (path === ssePath.toLowerCase()) return "sse";
  if (path === mcpPath.toLowerCase()) return "mcp";
  const isMessage = [ssePath, mcpPath].some((opened) => path === `${opened.toLowerCase()}/message`);
  return isMessage ? "message" : "elsewhere";
}

function refuse(place: Place, settings: Settings): Response {
  switch (place) {
    case "sse":
    case "mcp":
      return refusals.methodNotAllowed("GET, POST, DELETE");
    case "message":
      return refusals.methodNotAllowed("POST");
    case "elsewhere":
      return refusals.unknownPath(settings);
  }
}
