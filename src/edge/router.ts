import type { Settings } from "../options.ts";
import * as refusals from "../protocol/refusals.ts";
import * as gate from "./gate.ts";
import { type PageLane, showFile, showPage, tellHealth } from "./page.ts";
import * as sse from "./sse.ts";
import * as streamable from "./streamable.ts";

type Place = "sse" | "message" | "mcp" | "health" | "elsewhere";

/** From path and method to the function that answers. */
export async function route(request: Request, lane: streamable.StreamableLane & PageLane): Promise<Response> {
  const url = new URL(request.url);
  const refusal = gate.refuseStranger(request, url, lane.settings);
  if (refusal !== undefined) return refusal;
  if (request.method === "OPTIONS") return gate.answerPreflight(request);

  const place = placeOf(url.pathname, lane.settings);
  // Whoever answers a GET sees whether it is a HEAD.
  const method = request.method === "HEAD" ? "GET" : request.method;
  switch (`${method} ${place}`) {
    case "GET sse":
    case "GET mcp":
      // Each URL serves every client: one that speaks Streamable HTTP says so by its session.
      if (request.headers.has("mcp-session-id")) return streamable.listen(request, lane);
      return (
        (await showPage(request, url, lane)) ??
        (place === "mcp" ? streamable.refuseVersion(request) : undefined) ??
        sse.openStream(request, url, lane)
      );
    case "GET elsewhere":
      return (await showFile(request, lane)) ?? refuse(place, lane.settings);
    case "GET health":
      return tellHealth(lane.settings);
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
  if (path === "/health") return "health";
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
    case "health":
      return refusals.methodNotAllowed("GET");
    case "elsewhere":
      return refusals.unknownPath(settings);
  }
}
