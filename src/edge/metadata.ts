import { getOAuthProtectedResourceMetadataUrl } from "@modelcontextprotocol/server";
import type { Settings } from "../options.ts";
import type { CheckedAuth } from "../auth/authenticate.ts";
import { unavailable } from "../auth/challenge.ts";
import { methodNotAllowed } from "../protocol/refusals.ts";
import { answerPreflight } from "./gate.ts";

const prefix = "/.well-known/oauth-protected-resource";

/** Where clients of revision 2025-03-26 look for the authorization server, whatever the path of the server is (RFC 8414). */
const olderPath = "/.well-known/oauth-authorization-server";

/**
 * The document about one of the server's two URLs (RFC 9728): who issues tokens for it. Clients compare the URL in it with
 * theirs, to the letter: so there is one document for each, its URL is spelled as the client's, and there is none about any
 * other. And a copy of what that issuer says of itself, for older clients. `undefined`: the request is for something else.
 */
export async function answerMetadata(
  request: Request,
  url: URL,
  {
    settings,
    auth: { resource, metadata },
  }: { settings: Settings; auth: Pick<CheckedAuth<never>, "resource" | "metadata"> },
): Promise<Response | undefined> {
  if (metadata !== undefined && url.pathname === olderPath) {
    return await answerMethod(request, () => metadata().catch(() => undefined));
  }
  if (resource === undefined || !url.pathname.startsWith(`${prefix}/`)) return undefined;
  const path = url.pathname.slice(prefix.length);
  // A proxy that strips the public path from others may pass this on as it came.
  const stripped = path.startsWith(`${settings.publicPath}/`) ? path.slice(settings.publicPath.length) : path;
  const bare = (stripped.endsWith("/") ? stripped.slice(0, -1) : stripped).toLowerCase();
  if (![settings.ssePath, settings.mcpPath].some((lane) => lane.toLowerCase() === bare)) return undefined;
  const document = {
    resource: `${url.origin}${settings.publicPath}${stripped}`,
    authorization_servers: resource.authorizationServers,
    scopes_supported: resource.requiredScopes,
    bearer_methods_supported: ["header"],
  };
  return await answerMethod(request, () => JSON.stringify(document));
}

/** `json` gives nothing if who knows it cannot be asked. */
async function answerMethod(
  request: Request,
  json: () => string | undefined | Promise<string | undefined>,
): Promise<Response> {
  const answer = await answerWith(request, json);
  // It is public: a page of any origin may read it.
  answer.headers.set("access-control-allow-origin", "*");
  return answer;
}

async function answerWith(request: Request, json: Parameters<typeof answerMethod>[1]): Promise<Response> {
  switch (request.method) {
    case "OPTIONS":
      return answerPreflight(request);
    case "GET":
    case "HEAD": {
      const document = await json();
      if (document === undefined) return unavailable("The identity provider cannot be asked now.");
      return new Response(document, { headers: { "content-type": "application/json" } });
    }
    default:
      return methodNotAllowed("GET, HEAD, OPTIONS");
  }
}

/** Where the document about the URL is to which a request came, or whose endpoint it came to. */
export function metadataUrlFor({ origin, pathname }: URL, { publicPath }: Settings): string {
  const path = pathname.replace(/\/message\/?$/i, "");
  return getOAuthProtectedResourceMetadataUrl(new URL(publicPath + path, origin));
}
