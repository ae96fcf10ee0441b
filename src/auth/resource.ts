import { getOAuthProtectedResourceMetadataUrl } from "@modelcontextprotocol/server";
import { answerPreflight } from "../protocol/preflight.ts";
import { methodNotAllowed } from "../protocol/refusals.ts";
import type { Auth, Authenticate, LanePaths, ProtectedResource } from "./auth.ts";
import { unauthorized, unavailable, withKeys } from "./challenge.ts";
import { isTrusted } from "./trusted-url.ts";

/** Of which authorization servers a client gets a token for this server (RFC 9728). */
export interface Resource {
  /** Issuers, as URLs of HTTPS, or of this machine. At least one. */
  authorizationServers: string[];
  /** What a client should ask for to begin with. */
  requiredScopes: string[];
  /**
   * The metadata of the authorization server (RFC 8414), as JSON; rejects while that cannot be asked: 503. If there is any, a copy
   * is at `/.well-known/oauth-authorization-server`, where clients of revision 2025-03-26 look for it, and nowhere else.
   */
  metadata?: () => Promise<string>;
}

const prefix = "/.well-known/oauth-protected-resource";

/** Where clients of revision 2025-03-26 look for the authorization server, whatever the path of the server is (RFC 8414). */
const olderPath = "/.well-known/oauth-authorization-server";

/**
 * A function of your own, whose clients are told where they get a token: by a document for each of the server's URLs (RFC 9728), and
 * by what `authenticate` answers with `WWW-Authenticate: Bearer`. Not for keys: told of an authorization server, clients would
 * go there instead of sending theirs.
 *
 * @throws {TypeError} at start-up for a `resource` that cannot be, and for what is no function.
 */
export function withResource<Env>(resource: Resource, authenticate: Authenticate<Env>): Auth<Env> {
  if (typeof authenticate !== "function" || withKeys.has(authenticate)) {
    throw new TypeError(
      "withResource takes a function of your own. jwt has its resource; keys have none: clients would log in there instead of " +
        "sending their key.",
    );
  }
  const { requiredScopes } = checked(resource);
  return {
    authenticate: async (request, env, ctx) =>
      (await authenticate(request, env, ctx)) ?? unauthorized("No valid credentials", requiredScopes),
    resource: new Documents(resource),
  };
}

function checked(resource: Resource): Resource {
  const { authorizationServers: issuers, requiredScopes: scopes, metadata } = Object(resource) as Partial<Resource>;
  const areIssuers = Array.isArray(issuers) && issuers.length > 0 && issuers.every(isTrusted);
  const areScopes = Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string");
  if (areIssuers && areScopes && (metadata === undefined || typeof metadata === "function")) return resource;
  throw new TypeError(
    "A resource is { authorizationServers, requiredScopes }, a list of URLs with https:, or of localhost, and one of " +
      `scopes; metadata, if there is any, is a function. It is not ${JSON.stringify(resource)}.`,
  );
}

class Documents implements ProtectedResource {
  readonly #resource: Resource;

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  metadataUrl({ origin, pathname }: URL, { publicPath }: LanePaths): string {
    const path = pathname.replace(/\/message\/?$/i, "");
    return getOAuthProtectedResourceMetadataUrl(new URL(publicPath + path, origin));
  }

  /**
   * Clients compare the URL in a document with theirs, to the letter: so there is one document for each, its URL is spelled as
   * the client's, and there is none about any other.
   */
  async answer(request: Request, url: URL, paths: LanePaths): Promise<Response | undefined> {
    const { metadata, authorizationServers, requiredScopes } = this.#resource;
    if (metadata !== undefined && url.pathname === olderPath) {
      return await answerMethod(request, () => metadata().catch(() => undefined));
    }
    if (!url.pathname.startsWith(`${prefix}/`)) return undefined;
    const path = url.pathname.slice(prefix.length);
    // A proxy that strips the public path from others may pass this on as it came.
    const { publicPath, ssePath, mcpPath } = paths;
    const stripped = path.startsWith(`${publicPath}/`) ? path.slice(publicPath.length) : path;
    const bare = (stripped.endsWith("/") ? stripped.slice(0, -1) : stripped).toLowerCase();
    if (![ssePath, mcpPath].some((lane) => lane.toLowerCase() === bare)) return undefined;
    const document = {
      resource: `${url.origin}${publicPath}${stripped}`,
      authorization_servers: authorizationServers,
      scopes_supported: requiredScopes,
      bearer_methods_supported: ["header"],
    };
    return await answerMethod(request, () => JSON.stringify(document));
  }

  complete(response: Response, metadataUrl: string): Response {
    const challenge = response.headers.get("www-authenticate");
    const isOurs = challenge !== null && /^bearer\b/i.test(challenge) && !challenge.includes("resource_metadata");
    if (!isOurs) return response;
    const completed = new Response(response.body, response);
    const separator = challenge.includes("=") ? ", " : " ";
    completed.headers.set("www-authenticate", `${challenge}${separator}resource_metadata="${metadataUrl}"`);
    return completed;
  }
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
