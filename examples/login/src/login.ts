import {
  AuthorizationError,
  authorizationErrorRedirect,
  CimdFetchError,
  OAuthAuthorizationServer,
  type OAuthHelpers,
  OAuthResourceServer,
} from "@cloudflare/workers-oauth-provider";
import { consentPage } from "./consent-page.ts";
import type { Provider, Registration } from "./provider.ts";

/**
 * Login in the Worker of your MCP server. It is yours: change what you like.
 *
 * A client is told by a 401 where to log in, registers, and opens /authorize in a browser. There a person allows it, logs in
 * with the provider, comes back to /callback, and the client gets a token of this Worker. The provider's own token stays here.
 */

/** One token is for one of these. Each is the URL that a client is given, so that its audience is what the client expects. */
const lanes = ["/sse", "/mcp"];

/** What a person allows a client. Tools that need more ask for it by `requireScopes` of the SDK. */
const scopes = ["mcp"];

export interface LoginEnv {
  /** Clients, grants and hashes of tokens. The library knows it by this name. */
  OAUTH_KV: KVNamespace;
  /** What the provider calls this Worker, and by which it knows it. */
  LOGIN_CLIENT_ID: string;
  LOGIN_CLIENT_SECRET: string;
  /** Who may come in, separated by commas: GitHub logins, or confirmed e-mail addresses. `*` is everybody with an account. */
  ALLOWED_USERS: string;
}

interface App<Env> {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response>;
}

/** What is asked at one origin: `https://mcp.example.com`. */
interface Desk<Env> {
  origin: string;
  oauth(env: Env): OAuthHelpers;
  /** Who answers for a path: of a lane and its metadata the lane, of all else the authorization server. */
  serverOf(pathname: string): App<Env>;
}

/** With whom people log in here, and who of them may come in. */
interface Upstream {
  provider: Provider;
  registration: Registration;
  isAllowed(name: string): boolean;
}

/** Puts the login before `app`: whoever comes through has `ctx.auth` and `ctx.props`, which `fromContext` reads. */
export function login<Env extends LoginEnv>(app: App<Env>, provider: Provider): ExportedHandler<Env> {
  let desk: Desk<Env> | undefined;
  return {
    async fetch(request, env, ctx) {
      const { origin, pathname } = new URL(request.url);
      desk = desk?.origin === origin ? desk : deskAt(origin, app);
      const oauth = desk.oauth(env);
      const { LOGIN_CLIENT_ID: id, LOGIN_CLIENT_SECRET: secret, ALLOWED_USERS: allowed } = env;
      const isAllowed = (name: string) => allowed === "*" || allowed.split(/[,\s]+/).includes(name);
      const upstream = { provider, registration: { id, secret, callback: `${origin}/callback` }, isAllowed };
      try {
        switch (`${request.method} ${pathname}`) {
          case "GET /authorize":
            return await ask(request, oauth);
          case "POST /authorize":
            return await decide(request, oauth, upstream);
          case "GET /callback":
            return await finish(request, oauth, upstream);
          default:
            return await desk.serverOf(pathname).fetch(request, env, ctx);
        }
      } catch (error) {
        return refuse(error);
      }
    },
  };
}

function deskAt<Env extends LoginEnv>(origin: string, app: App<Env>): Desk<Env> {
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

/** `GET /authorize`: may this client act for you? */
async function ask(request: Request, oauth: OAuthHelpers): Promise<Response> {
  const asked = await oauth.parseAuthRequest(request);
  const details = await oauth.describeConsent(asked);
  const { handle, headers } = await oauth.beginConsent(asked);
  headers.set("content-type", "text/html; charset=utf-8");
  // No script, no frame. `form-action` would also forbid the redirects that follow the form, to the provider and the client.
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
  headers.set("content-security-policy", policy);
  return new Response(consentPage(details, handle), { headers });
}

/** `POST /authorize`: the person said yes, and is sent to the provider; or no, and back to the client. */
async function decide(request: Request, oauth: OAuthHelpers, { provider, registration }: Upstream): Promise<Response> {
  const form = await request.formData().catch(() => new FormData());
  const handle = form.get("handle");
  if (typeof handle !== "string")
    throw new AuthorizationError("invalid_request", { description: "No page was asked." });
  if (form.get("decision") !== "allow") return redirect((await oauth.denyConsent(request, handle)).headers);
  const { request: asked, headers } = await oauth.approveConsent(request, handle);
  const verifier = crypto.randomUUID() + crypto.randomUUID();
  const begun = await oauth.beginUpstream(asked, { data: verifier, headers });
  const url = await provider.loginUrl(registration, begun.state, verifier).catch(logged);
  return redirect(begun.headers, url ?? authorizationErrorRedirect(asked, "server_error"));
}

/** `GET /callback`: the provider has sent the person back, and the client gets its code. */
async function finish(request: Request, oauth: OAuthHelpers, upstream: Upstream): Promise<Response> {
  const { request: asked, data: verifier, headers } = await oauth.finishUpstream<string>(request);
  const code = new URL(request.url).searchParams.get("code");
  if (code === null) return redirect(headers, authorizationErrorRedirect(asked, "access_denied"));
  const user = await upstream.provider.userOf(upstream.registration, code, verifier).catch(logged);
  if (user === undefined) return redirect(headers, authorizationErrorRedirect(asked, "server_error"));
  if (!upstream.isAllowed(user.name)) {
    const why = "This account may not use this server.";
    return redirect(headers, authorizationErrorRedirect(asked, "access_denied", why));
  }
  const { redirectTo } = await oauth.completeAuthorization({
    request: asked,
    // The principal: the same for all tokens of one person. It may hold no colon.
    userId: encodeURIComponent(user.id),
    scope: asked.scope.length === 0 ? scopes : asked.scope.filter((scope) => scopes.includes(scope)),
    metadata: { name: user.name },
    // Encrypted in KV. A tool reads it as `ctx.http?.authInfo?.extra?.props`.
    props: user,
  });
  return redirect(headers, redirectTo);
}

/** What the provider did is for you; the client is told that it cannot go on. */
function logged(error: unknown): undefined {
  console.error(JSON.stringify({ event: "login-failed", error: String(error) }));
}

function redirect(headers: Headers, location = headers.get("location") ?? "/"): Response {
  headers.set("location", location);
  return new Response(null, { status: 302, headers });
}

/** Only a client that is known is sent something; the person reads the rest. */
function refuse(error: unknown): Response {
  if (error instanceof AuthorizationError && error.redirectTo !== undefined) {
    return Response.redirect(error.redirectTo, 302);
  }
  if (error instanceof AuthorizationError) return new Response(`${error.description} Start again.`, { status: 400 });
  if (error instanceof CimdFetchError) return new Response("This client does not say who it is.", { status: 400 });
  throw error;
}
