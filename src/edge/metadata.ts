import { getOAuthProtectedResourceMetadataUrl } from "@modelcontextprotocol/server";
import type { Settings } from "../options.ts";
import type { Resource } from "../auth/auth.ts";
import { methodNotAllowed } from "../protocol/refusals.ts";
import { answerPreflight } from "./gate.ts";

const prefix = "/.well-known/oauth-protected-resource";

/**
 * The document about one of the server's two URLs (RFC 9728): who issues tokens for it. Clients compare the URL in it with
 * theirs, to the letter: so there is one document for each, its URL is spelled as the client's, and there is none about any
 * other. `undefined`: the request is for something else.
 */
export function answerMetadata(
  request: Request,
  url: URL,
  { settings, resource }: { settings: Settings; resource: Resource },
): Response | undefined {
  if (!url.pathname.startsWith(`${prefix}/`)) return undefined;
  const path = url.pathname.slice(prefix.length);
  // A proxy that strips the public path from others may pass this on as it came.
  const stripped = path.startsWith(`${settings.publicPath}/`) ? path.slice(settings.publicPath.length) : path;
  const bare = (stripped.endsWith("/") ? stripped.slice(0, -1) : stripped).toLowerCase();
  if (![settings.ssePath, settings.mcpPath].some((lane) => lane.toLowerCase() === bare)) return undefined;
  const answer = answerMethod(request, {
    resource: `${url.origin}${settings.publicPath}${stripped}`,
    authorization_servers: resource.authorizationServers,
    scopes_supported: resource.requiredScopes,
    bearer_methods_supported: ["header"],
  });
  // It is public: a page of any origin may read it.
  answer.headers.set("access-control-allow-origin", "*");
  return answer;
}

function answerMethod(request: Request, metadata: object): Response {
  switch (request.method) {
    case "OPTIONS":
      return answerPreflight(request);
    case "GET":
    case "HEAD":
      return Response.json(metadata);
    default:
      return methodNotAllowed("GET, HEAD, OPTIONS");
  }
}

/** Where the document about the URL is to which a request came, or whose endpoint it came to. */
export function metadataUrlFor({ origin, pathname }: URL, { publicPath }: Settings): string {
  const path = pathname.replace(/\/message\/?$/i, "");
  return getOAuthProtectedResourceMetadataUrl(new URL(publicPath + path, origin));
}
