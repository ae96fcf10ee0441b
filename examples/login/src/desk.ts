import { OAuthAuthorizationServer, type OAuthHelpers, OAuthResourceServer } from "@cloudflare/workers-oauth-provider";

/** Each is the URL that a client is given, and one token is for one of them: its audience is what the client expects. */
const lanes = ["/sse", "/mcp"];

export interface App<Env> {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response>;
}

/** The OAuth server at one origin, `https://mcp.example.com`, and what it guards. */
export interface Desk<Env> {
  origin: string;
  oauth(env: Env): OAuthHelpers;
  /** Who answers for a path: of a lane and its metadata the lane, of all else the authorization server. */
  serverOf(pathname: string): App<Env>;
}

/** Has nobody come to a lane of `app` without a token of this Worker that is for that lane and has all `scopes`. */
export function deskAt<Env extends { OAUTH_KV: KVNamespace }>(
  origin: string,
  app: App<Env>,
  scopes: string[],
): Desk<Env> {
  const authorization = new OAuthAuthorizationServer<Env>({
    issuer: origin,
    resources: lanes.map((path) => origin + path),
    // For clients of 2025-03-26, which do not say what they want a token for.
    defaultResource: origin + lanes[0],
    scopesSupported: scopes,
    // Clients introduce themselves by a URL (CIMD), or register: VS Code and Cursor do.
    clientIdMetadataDocumentEnabled: true,
    clientRegistrationEndpoint: "/oauth/register",
  });
  const guards = lanes.map((path) => ({
    paths: [path, `/.well-known/oauth-protected-resource${path}`],
    guard: new OAuthResourceServer<Env>({
      resourceMetadata: { resource: origin + path, authorization_servers: [origin] },
      requiredScopes: scopes,
      validateToken: (env) => (resource, token) => authorization.validateToken(resource, token, env),
      handler: { fetch: (request, env, ctx) => app.fetch(request, env, ctx) },
    }),
  }));
  const isAt = (pathname: string, path: string) => pathname === path || pathname.startsWith(`${path}/`);
  return {
    origin,
    oauth: (env) => authorization.getOAuthApi(env),
    serverOf: (pathname) =>
      guards.find(({ paths }) => paths.some((path) => isAt(pathname, path)))?.guard ?? authorization,
  };
}
