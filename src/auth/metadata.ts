import { getOAuthProtectedResourceMetadataUrl } from "@modelcontextprotocol/server";
import type { Settings } from "../options.ts";
import type { Resource } from "./auth.ts";

const prefix = "/.well-known/oauth-protected-resource";
const allowedMethods = "GET, HEAD, OPTIONS";
/** It is public: a page of any origin may read it. */
const shared = { "access-control-allow-origin": "*" };

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
  switch (request.method) {
    case "OPTIONS":
      return answerPreflight(request);
    case "GET":
    case "HEAD":
      return Response.json(
        {
          resource: `${url.origin}${settings.publicPath}${stripped}`,
          authorization_servers: resource.authorizationServers,
          scopes_supported: resource.requiredScopes,
          bearer_methods_supported: ["header"],
        },
        { headers: shared },
      );
    default:
      return new Response(null, { status: 405, headers: { ...shared, allow: allowedMethods } });
  }
}

function answerPreflight({ headers }: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...shared,
      "access-control-allow-methods": allowedMethods,
      "access-control-allow-headers": headers.get("access-control-request-headers") ?? "content-type",
      vary: "Access-Control-Request-Headers",
    },
  });
}

/** Where the document about the URL is to which a request came, or whose endpoint it came to. */
export function metadataUrlFor({ origin, pathname }: URL, { publicPath }: Settings): string {
  const path = pathname.replace(/\/message\/?$/i, "");
  return getOAuthProtectedResourceMetadataUrl(new URL(publicPath + path, origin));
}
