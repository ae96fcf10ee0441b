import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import type { Auth, Caller } from "./auth.ts";
import { bearerOf } from "./bearer.ts";
import { insufficientScope, unauthorized, unavailable } from "./challenge.ts";
import { Issuer, NoAnswer } from "./issuer.ts";
import { withResource } from "./resource.ts";
import { type JwtOptions, type JwtSettings, resolveJwtOptions } from "./jwt-options.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

export type { JwtOptions } from "./jwt-options.ts";

/** Of public keys only: an HMAC with the public key as its secret could be made by everybody. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** How much the clocks of issuer and edge may differ, seconds. */
const clockTolerance = 30;

/** What is wrong with a token. No new one would help against any other error. */
const faultsOfTokens = new Set<string>(
  [
    errors.JWTExpired,
    errors.JWTClaimValidationFailed,
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    // It names no key although the issuer has several.
    errors.JWKSMultipleMatchingKeys,
  ].map(({ code }) => code),
);

type Verdict =
  | { is: "valid"; caller: Caller }
  | { is: "invalid"; why: string }
  /** Whether it is valid cannot be told now. */
  | { is: "open" };

/**
 * Lets in who brings a JWT of an identity provider: Auth0, Entra, WorkOS, Okta, Keycloak, Cloudflare Access and whoever else
 * publishes keys. The principal is `issuer|subject`, and `authInfo.extra.claims` what the token says.
 *
 * Cost: a signature is verified once a minute for each token and isolate. Answers 401 to what is no valid token for this
 * server, 403 to one without `requiredScopes`, and 503 while the issuer cannot be asked for its keys. What `subject` throws is
 * an incident: 500.
 *
 * @throws {RangeError} at start-up for an option that cannot be.
 */
export function jwt(options: JwtOptions): Auth<unknown> {
  const settings = resolveJwtOptions(options);
  const { header, requiredScopes } = settings;
  const issuer = new Issuer(settings);
  const verified = new VerifiedTokens();

  const judge = async (token: string): Promise<Verdict> => {
    const known = verified.get(token, Date.now());
    if (known !== undefined) return { is: "valid", caller: known };
    const verdict = await verify(token, issuer.key, settings).catch(judgeError);
    if (verdict.is === "valid") verified.add(token, verdict.caller, Date.now());
    return verdict;
  };

  const authenticate = async (request: Request): Promise<Caller | Response> => {
    const token = header === "authorization" ? bearerOf(request) : request.headers.get(header)?.trim();
    if (token === undefined || token === "") return unauthorized(`Missing ${header}`, requiredScopes);
    const verdict = await judge(token);
    switch (verdict.is) {
      case "invalid":
        return unauthorized(`Invalid token: ${verdict.why}`, requiredScopes);
      case "open":
        return unavailable("The identity provider cannot be asked for its keys now. Send it again later.");
      case "valid": {
        const { scopes } = verdict.caller.authInfo;
        const isAllowed = requiredScopes.every((scope) => scopes.includes(scope));
        return isAllowed ? verdict.caller : insufficientScope(requiredScopes);
      }
    }
  };
  // Behind another header stands who has asked for the login already.
  if (header !== "authorization") return { authenticate };
  const resource = { authorizationServers: [settings.issuer], requiredScopes, metadata: () => issuer.metadata() };
  return withResource(resource, authenticate);
}

async function verify(token: string, key: JWTVerifyGetKey, settings: JwtSettings): Promise<Verdict> {
  const { issuer, audience, subject } = settings;
  const expected = { issuer, algorithms, clockTolerance, requiredClaims: ["exp"] };
  const { payload } = await jwtVerify(token, key, audience === false ? expected : { ...expected, audience });
  const sub = subject(payload);
  // Whoever has no name of their own would share a principal, and with it sessions, with all others who have none.
  if (typeof sub !== "string" || sub === "") return { is: "invalid", why: "the token does not say whose it is" };
  return { is: "valid", caller: callerOf(token, `${issuer}|${sub}`, payload, settings) };
}

/** @throws what is neither the token's fault nor passes by itself: `subject` threw, or the issuer has a key that cannot be used. */
function judgeError(error: unknown): Verdict {
  if (error instanceof NoAnswer) return { is: "open" };
  if (error instanceof errors.JOSEError && faultsOfTokens.has(error.code)) return { is: "invalid", why: error.message };
  throw error;
}

function callerOf(token: string, principal: string, claims: JWTPayload, { scopeClaims }: JwtSettings): Caller {
  const { client_id: clientId, azp, appid, cid, exp } = claims;
  const client = [clientId, azp, appid, cid].find((claim) => typeof claim === "string");
  const authInfo = {
    token,
    clientId: client ?? "",
    scopes: scopeClaims.flatMap((name) => wordsIn(claims[name])),
    ...(exp !== undefined && { expiresAt: exp }),
    extra: { claims },
  };
  return { principal, authInfo };
}

/** A claim that is a list, or words with blanks between them (RFC 8693, section 4.2). */
function wordsIn(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((word) => typeof word === "string");
  return typeof claim === "string" ? claim.split(" ").filter((word) => word !== "") : [];
}
