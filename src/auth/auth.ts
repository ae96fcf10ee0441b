import type { AuthInfo } from "@modelcontextprotocol/server";

/** Who sent a request, as the login says. */
export interface Caller {
  /** The same for all tokens of one user, different for all users: `issuer|subject`. Never the token. Not empty. */
  principal: string;
  /** What a tool finds in `ctx.http.authInfo` (SDK v2) and `extra.authInfo` (v1). */
  authInfo: AuthInfo;
}

/** What is at which path: of the options of `edge`, those that the documents about a server depend on. */
export interface LanePaths {
  /** Before the paths, as clients see them. */
  publicPath: string;
  ssePath: string;
  mcpPath: string;
}

/** Tells clients where they get a token for this server (RFC 9728): `withResource` makes one. */
export interface ProtectedResource {
  /** Where the document about the URL is to which a request came, or whose endpoint it came to. */
  metadataUrl(url: URL, paths: LanePaths): string;
  /** The answer to a request for a document; `undefined`: it is for something else. Never rejects. */
  answer(request: Request, url: URL, paths: LanePaths): Promise<Response | undefined>;
  /** A challenge that says where the document is (RFC 9728, section 5.1); any other answer as it is. */
  complete(response: Response, metadataUrl: string): Response;
}

/** What may be said of a request: who sent it, also by name and by what that may do; an answer of its own; nobody, a 401. */
export type Identified = Caller | { principal: string; scopes?: string[] } | Response | undefined;

/**
 * Says who sends a request: a function of your own may be `auth`. Called for each request to a lane, whatever it is for: no
 * session authenticates. An answer is passed on. What it throws is an incident: 500. The request waits for
 * it, so it bounds by itself what it asks of others.
 */
export type Authenticate<Env> = (
  request: Request,
  env: Env,
  ctx?: ExecutionContext,
) => Identified | Promise<Identified>;

/** Who may call. `keys`, `jwt`, `fromContext` and `withResource` make one each. */
export interface Auth<Env> {
  /** Says who sends a request. */
  authenticate: Authenticate<Env>;
  /** Absent: clients are configured with a secret, as for keys and for what stands in front of the Worker. */
  resource?: ProtectedResource;
}
