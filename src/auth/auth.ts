import type { AuthInfo } from "@modelcontextprotocol/server";

/** Who sent a request, as an {@linkcode Auth} says. */
export interface Caller {
  /** The same for all tokens of one user, different for all users: `issuer|subject`. Never the token. Not empty. */
  principal: string;
  /** What a tool finds in `ctx.http.authInfo` (SDK v2) and `extra.authInfo` (v1). */
  authInfo: AuthInfo;
}

/** Of which authorization servers a client gets a token for this server (RFC 9728). */
export interface Resource {
  /** Issuers, as URLs. */
  authorizationServers: string[];
  /** What a client should ask for to begin with. */
  requiredScopes: string[];
}

/** Says who sends a request. `keys`, `jwt` and `fromContext` make one each. */
export interface Auth<Env> {
  /**
   * Called for each request to a lane, whatever it is for: no session authenticates. An answer is passed on as it is, see
   * `challenge.ts`; one with `WWW-Authenticate: Bearer` is completed by where the document about `resource` is. What
   * it throws is an incident: 500. The request waits for it, so it bounds by itself what it asks of others.
   */
  authenticate(request: Request, env: Env, ctx?: ExecutionContext): Promise<Caller | Response>;
  /** Absent: clients are configured with a secret, as for keys and for what stands in front of the Worker. */
  resource?: Resource;
  /**
   * The metadata of the authorization server (RFC 8414), as JSON; rejects while that cannot be asked: 503. If there is any, a copy
   * is at `/.well-known/oauth-authorization-server`, where clients of revision 2025-03-26 look for it, and nowhere else.
   */
  metadata?(): Promise<string>;
}

/** What a function of your own may say: who it is, by name and by what a name may do; an answer of its own; nobody, a 401. */
export type Identified = Caller | { principal: string; scopes?: string[] } | Response | undefined;

/** A function of your own in the place of an {@linkcode Auth}. */
export type Authenticate<Env> = (
  request: Request,
  env: Env,
  ctx?: ExecutionContext,
) => Identified | Promise<Identified>;
