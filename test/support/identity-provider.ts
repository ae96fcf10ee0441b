import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { freePort } from "./free-port.ts";

/** How it answers: as it should; that it cannot; never; nobody listens. */
type Health = "up" | "failing" | "hanging" | "down";

/** What a browser's user has agreed to, kept until a client fetches it. */
interface Grant {
  clientId: string;
  challenge: string;
  scope: string;
  audience: string;
  redirectUri: string;
}

/**
 * An identity provider of this machine: an OpenID provider and OAuth 2.1 authorization server, whose access tokens are
 * JWTs. Its user is signed in and agrees to everything. It registers whoever asks (RFC 7591), demands PKCE, rotates
 * refresh tokens, and also answers as GitHub does.
 */
export class IdentityProvider {
  /** `http://127.0.0.1:<port>`; what discovery calls itself. */
  issuer = "";
  /** Who is signed in. */
  user: Record<string, unknown> = { sub: "alice", preferred_username: "alice", name: "Älice ✓" };
  /** What its tokens are for. Default: what a client asks for (RFC 8707). */
  audience: string | undefined;
  /** Seconds that access tokens live, and those that come by a refresh. Negative: they come expired. */
  lifetimeSeconds = 3_600;
  refreshedSeconds = 3_600;
  /** Requests that it was asked so far, as `GET /jwks`. */
  readonly requests: string[] = [];
  /** Whether its user is not let in, or does not want to be. */
  refuses = false;
  /** What it serves besides, by path. */
  readonly documents = new Map<string, unknown>();
  /** Refreshes so far. */
  refreshes = 0;

  #port = 0;
  #server: Server | undefined;
  #health: Health = "up";
  #key: { kid: string; privateKey: CryptoKey; jwk: JWK } | undefined;
  /** Published beside the key of now. */
  #formerKeys: JWK[] = [];
  readonly #codes = new Map<string, Grant>();
  readonly #refreshTokens = new Map<string, Grant>();

  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    provider.#port = await freePort();
    provider.issuer = `http://127.0.0.1:${provider.#port}`;
    await provider.rotate();
    await provider.be("up");
    return provider;
  }

  /** Signs with another key from now on. Those before are published further only if it is said. */
  async rotate({ keepsFormer = false } = {}): Promise<void> {
    this.#formerKeys = keepsFormer ? [this.publicJwk, ...this.#formerKeys] : [];
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const kid = randomUUID();
    this.#key = { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } };
  }

  async be(health: Health): Promise<void> {
    this.#health = health;
    if (health === "down") return await this.#stop();
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
  }

  close(): Promise<void> {
    return this.#stop();
  }

  /** The key that it publishes, as everybody can have it. */
  get publicJwk(): JWK {
    return this.#signing.jwk;
  }

  /** Claims of a valid token of its user for `audience`, but for these; what is `undefined` is left out. */
  claims(audience: string, more: Record<string, unknown> = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    const { sub } = this.user;
    const exp = now + this.lifetimeSeconds;
    return Object.assign({ iss: this.issuer, sub: String(sub), aud: audience, iat: now, exp }, more);
  }

  /** A token of these claims, signed with the key of now. */
  async sign(claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
    const { kid, privateKey } = this.#signing;
    return await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid, ...header }).sign(privateKey);
  }

  get #signing() {
    if (this.#key === undefined) throw new Error("the identity provider has not started");
    return this.#key;
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.issuer);
    this.requests.push(`${request.method} ${url.pathname}`);
    if (this.#health === "hanging") return;
    if (this.#health === "failing") return void response.writeHead(500).end("out of order");
    const json = (body: unknown, status = 200): void => {
      response.writeHead(status, { "content-type": "application/json", "access-control-allow-origin": "*" });
      response.end(JSON.stringify(body));
    };
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
      case "/.well-known/oauth-authorization-server":
        return json(this.#metadata());
      case "/jwks":
        return json({ keys: [this.#signing.jwk, ...this.#formerKeys] });
      case "/register":
        return json({ ...(JSON.parse(await text(request)) as object), client_id: randomUUID() }, 201);
      case "/authorize":
      case "/login/oauth/authorize":
        return void response.writeHead(302, { location: this.#agree(url.searchParams) }).end();
      case "/token":
      case "/login/oauth/access_token": {
        const answer = await this.#exchange(new URLSearchParams(await text(request)));
        // GitHub says 200 to what it refuses.
        return json(answer, "error" in answer && url.pathname === "/token" ? 400 : 200);
      }
      case "/userinfo":
      case "/user":
        return json(this.user);
      default: {
        const document = this.documents.get(url.pathname);
        return document === undefined ? json({ error: "not found" }, 404) : json(document);
      }
    }
  }

  #metadata() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      registration_endpoint: `${this.issuer}/register`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none", "client_secret_post"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    };
  }

  /** Where the browser goes next: back to the client, with a code. */
  #agree(query: URLSearchParams): string {
    const code = randomUUID();
    const redirectUri = query.get("redirect_uri") ?? "";
    this.#codes.set(code, {
      clientId: query.get("client_id") ?? "",
      challenge: query.get("code_challenge") ?? "",
      scope: query.get("scope") ?? "",
      audience: this.audience ?? query.get("resource") ?? "userinfo",
      redirectUri,
    });
    const back = new URL(redirectUri);
    if (this.refuses) back.searchParams.set("error", "access_denied");
    else back.searchParams.set("code", code);
    back.searchParams.set("state", query.get("state") ?? "");
    return back.href;
  }

  async #exchange(form: URLSearchParams): Promise<Record<string, unknown>> {
    const isRefresh = form.get("grant_type") === "refresh_token";
    const secret = form.get(isRefresh ? "refresh_token" : "code") ?? "";
    const kept = isRefresh ? this.#refreshTokens : this.#codes;
    const grant = kept.get(secret);
    kept.delete(secret);
    const verified = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (grant === undefined) return { error: "invalid_grant" };
    if (!isRefresh && (verified !== grant.challenge || form.get("redirect_uri") !== grant.redirectUri)) {
      return { error: "invalid_grant", error_description: "PKCE or redirect_uri do not match" };
    }
    if (isRefresh) this.refreshes += 1;
    const refreshToken = randomUUID();
    this.#refreshTokens.set(refreshToken, grant);
    const { audience, clientId, scope } = grant;
    const seconds = isRefresh ? this.refreshedSeconds : this.lifetimeSeconds;
    const exp = Math.floor(Date.now() / 1000) + seconds;
    return {
      access_token: await this.sign(this.claims(audience, { client_id: clientId, scope, exp })),
      token_type: "bearer",
      expires_in: Math.max(1, seconds),
      refresh_token: refreshToken,
      scope,
    };
  }
}
