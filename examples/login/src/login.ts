import {
  AuthorizationError,
  authorizationErrorRedirect,
  CimdFetchError,
  type OAuthHelpers,
} from "@cloudflare/workers-oauth-provider";
import { askConsent } from "./consent-page.ts";
import { type App, type Desk, deskAt } from "./desk.ts";
import type { Provider, Registration } from "./provider.ts";

/**
 * Login in the Worker of your MCP server. It is yours: change what you like.
 *
 * A client is told by a 401 where to log in, registers, and opens /authorize in a browser. There a person allows it, logs in
 * with the provider, comes back to /callback, and the client gets a token of this Worker. The provider's own token stays here.
 */

/** What a person allows a client. Tools that need more ask for it by `requireScopes` of the SDK. */
const scopes = ["mcp"];

/** Anybody may send a form, and what is read of it lies in the memory that all streams share. */
const maxFormBytes = 64 * 1024;

export interface LoginEnv {
  /** Clients, grants and hashes of tokens. The library knows it by this name. */
  OAUTH_KV: KVNamespace;
  /** What the provider calls this Worker, and by which it knows it. */
  LOGIN_CLIENT_ID: string;
  LOGIN_CLIENT_SECRET: string;
  /** Who may come in, separated by commas: GitHub logins, or confirmed e-mail addresses. `*` is everybody with an account. */
  ALLOWED_USERS: string;
}

/** A request of the browser of whoever logs in. */
interface Visit {
  request: Request;
  oauth: OAuthHelpers;
  provider: Provider;
  registration: Registration;
}

/** Puts the login before `app`: whoever comes through has `ctx.auth` and `ctx.props`, which `fromContext` reads. */
export function login<Env extends LoginEnv>(app: App<Env>, provider: Provider): ExportedHandler<Env> {
  let desk: Desk<Env> | undefined;
  return {
    async fetch(request, env, ctx) {
      if (isTooLong(request)) return new Response("This form is too long.", { status: 413 });
      const { origin, pathname } = new URL(request.url);
      if (desk?.origin !== origin) desk = deskAt(origin, app, scopes);
      const { LOGIN_CLIENT_ID: id, LOGIN_CLIENT_SECRET: secret } = env;
      const registration = { id, secret, callback: `${origin}/callback` };
      const visit = { request, oauth: desk.oauth(env), provider, registration };
      try {
        switch (`${request.method} ${pathname}`) {
          case "GET /authorize":
            return await askConsent(request, visit.oauth);
          case "POST /authorize":
            return await decide(visit);
          case "GET /callback":
            return await finish(visit, env.ALLOWED_USERS);
          default:
            return await desk.serverOf(pathname).fetch(request, env, ctx);
        }
      } catch (error) {
        return refuse(error);
      }
    },
  };
}

/** Also if it does not say how long it is, as browsers and clients do. */
function isTooLong({ headers }: Request): boolean {
  const isForm = /form/i.test(headers.get("content-type") ?? "");
  return isForm && !(Number(headers.get("content-length") ?? Number.NaN) <= maxFormBytes);
}

/** `POST /authorize`: the person said yes, and is sent to the provider; or no, and back to the client. */
async function decide({ request, oauth, provider, registration }: Visit): Promise<Response> {
  const form = await request.formData().catch(() => new FormData());
  const handle = form.get("handle");
  if (typeof handle !== "string")
    throw new AuthorizationError("invalid_request", { description: "No page was asked." });
  if (form.get("decision") !== "allow") return redirect((await oauth.denyConsent(request, handle)).headers);
  const { request: asked, headers } = await oauth.approveConsent(request, handle);
  const verifier = crypto.randomUUID() + crypto.randomUUID();
  const begun = await oauth.beginUpstream(asked, { data: verifier, headers });
  const url = await provider.loginUrl(registration, begun.state, verifier);
  return redirect(begun.headers, url ?? authorizationErrorRedirect(asked, "server_error"));
}

/** `GET /callback`: the provider has sent the person back, and the client gets its code. */
async function finish({ request, oauth, provider, registration }: Visit, allowed: string): Promise<Response> {
  const { request: asked, data: verifier, headers } = await oauth.finishUpstream<string>(request);
  const code = new URL(request.url).searchParams.get("code");
  if (code === null) return redirect(headers, authorizationErrorRedirect(asked, "access_denied"));
  const user = await provider.userOf(registration, code, verifier);
  if (user === undefined) return redirect(headers, authorizationErrorRedirect(asked, "server_error"));
  if (allowed !== "*" && !allowed.split(/[,\s]+/).includes(user.name)) {
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

function redirect(headers: Headers, location = headers.get("location") ?? "/"): Response {
  headers.set("location", location);
  return new Response(null, { status: 302, headers });
}

/** Only a client that is known is sent something; the person reads the rest. */
function refuse(error: unknown): Response {
  if (error instanceof AuthorizationError) {
    if (error.redirectTo !== undefined) return Response.redirect(error.redirectTo, 302);
    return new Response(`${error.description} Start again.`, { status: 400 });
  }
  if (error instanceof CimdFetchError) return new Response("This client does not say who it is.", { status: 400 });
  throw error;
}
