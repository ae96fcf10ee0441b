import type { Settings } from "../options.ts";
import * as refusals from "../protocol/refusals.ts";
import * as gate from "./gate.ts";
import * as sse from "./sse.ts";
import * as streamable from "./streamable.ts";

type Place = "sse" | "message" | "mcp" | "elsewhere";

/** From path and method to the function that answers. */
export async function route(request: Request, lane: streamable.StreamableLane): Promise<Response> {
  const url = new URL(request.url);
  const refusal = gate.refuseStranger(request, url, lane.settings);
  if (refusal !== undefined) return refusal;
  if (request.method === "OPTIONS") return gate.answerPreflight(request);

  const place = placeOf(url.pathname, lane.settings);
  switch (`${request.method} ${place}`) {
    case "GET sse":
      // One URL serves every client: one that speaks Streamable HTTP here says so by its session.
      return request.headers.has("mcp-session-id")
        ? streamable.listen(request, lane)
        : sse.openStream(request, url, lane);
    case "POST message":
      return sse.postMessage(request, url, lane);
    case "POST mcp":
    case "POST sse":
      return streamable.post(request, lane);
    case "GET mcp":
      return streamable.listen(request, lane);
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
  if (path === `${ssePath.toLowerCase()}/message`) return "message";
  return path === mcpPath.toLowerCase() ? "mcp" : "elsewhere";
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
