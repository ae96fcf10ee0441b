import { base64url } from "jose";

/** What the provider knows this Worker by. */
export interface Registration {
  id: string;
  secret: string;
  /** To be registered with the provider: `https://mcp.example.com/callback`. */
  callback: string;
}

interface User {
  /** Never changes and is nobody else's, unlike names. */
  id: string;
  /** What `ALLOWED_USERS` says. */
  name: string;
}

/** Whom people log in with. Of both `undefined` if it does not do what it should: the log says what it did. */
export interface Provider {
  /** Where the browser is sent. */
  loginUrl(registration: Registration, state: string, verifier: string): Promise<string | undefined>;
  /** Who came back with this code. */
  userOf(registration: Registration, code: string, verifier: string): Promise<User | undefined>;
}

interface Endpoints {
  authorization: string;
  token: string;
  /** Says whose a token is. */
  user: string;
  scope: string;
  parse: (user: Record<string, unknown>) => User;
}

/** GitHub, or a GitHub Enterprise Server: `githubAt("https://github.example.com", "https://github.example.com/api/v3")`. */
export const githubAt = (web: string, api: string): Provider =>
  oauth(async () => ({
    authorization: `${web}/login/oauth/authorize`,
    token: `${web}/login/oauth/access_token`,
    user: `${api}/user`,
    // Who it is, which is public, and no access to anything.
    scope: "",
    parse: ({ id, login }) => ({ id: `${web}|${said(id)}`, name: said(login) }),
  }));

/** Register at https://github.com/settings/developers. */
export const github = githubAt("https://github.com", "https://api.github.com");

/** Google, Auth0, Entra, Okta, Keycloak and all others that speak OpenID Connect, by their issuer. */
export const openid = (issuer: string): Provider =>
  oauth(async () => {
    const metadata = await json(fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`));
    return {
      authorization: said(metadata["authorization_endpoint"]),
      token: said(metadata["token_endpoint"]),
      user: said(metadata["userinfo_endpoint"]),
      scope: "openid email",
      // An address that nobody has confirmed is a claim of its user.
      parse: ({ sub, email, email_verified: isVerified }) => ({
        id: `${issuer}|${said(sub)}`,
        name: said(isVerified === true ? email : sub),
      }),
    };
  });

/** The authorization code flow with PKCE (RFC 7636). */
function oauth(endpoints: () => Promise<Endpoints>): Provider {
  const loginUrl = async ({ id, callback }: Registration, state: string, verifier: string): Promise<string> => {
    const { authorization, scope } = await endpoints();
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    const url = new URL(authorization);
    url.search = new URLSearchParams({
      ...Object.fromEntries(url.searchParams),
      response_type: "code",
      client_id: id,
      redirect_uri: callback,
      scope,
      state,
      code_challenge: base64url.encode(new Uint8Array(hash)),
      code_challenge_method: "S256",
    }).toString();
    return url.href;
  };

  const userOf = async ({ id, secret, callback }: Registration, code: string, verifier: string): Promise<User> => {
    const { token, user, parse } = await endpoints();
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: id,
      client_secret: secret,
      redirect_uri: callback,
      code,
      code_verifier: verifier,
    });
    const granted = await json(fetch(token, { method: "POST", body, headers }));
    const authorization = `Bearer ${said(granted["access_token"])}`;
    return parse(await json(fetch(user, { headers: { ...headers, authorization } })));
  };

  return {
    loginUrl: (...asked) => loginUrl(...asked).catch(logged),
    userOf: (...asked) => userOf(...asked).catch(logged),
  };
}

/** What the provider did is for you; the client is told that it cannot go on. */
function logged(error: unknown): undefined {
  console.error(JSON.stringify({ event: "login-failed", error: String(error) }));
}

/** GitHub refuses requests of nobody, and answers forms with forms if it is not asked for JSON. */
const headers = { accept: "application/json", "user-agent": "mcp-edge-login" };

/** @throws {Error} if the provider refuses, which GitHub does with status 200. */
async function json(answer: Promise<Response>): Promise<Record<string, unknown>> {
  const response = await answer;
  const body = (await response.json()) as Record<string, unknown>;
  if (response.ok && body["error"] === undefined) return body;
  throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(body["error"])}`);
}

/** Of which there must be something: people without an id would be one and the same. */
function said(value: unknown): string {
  if (typeof value === "number" || (typeof value === "string" && value !== "")) return String(value);
  throw new Error("The provider does not say what it should.");
}
