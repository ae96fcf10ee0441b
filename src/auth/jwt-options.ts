import type { JWTPayload } from "jose";
import { isTrusted } from "./trusted-url.ts";

/** Whose tokens are taken, and for what (MCP, authorization). What has no default is needed. */
export interface JwtOptions {
  /** Who issues the tokens, spelled as their claim `iss` does: `https://acme.eu.auth0.com/`, with its slash. */
  issuer: string;
  /**
   * What the claim `aud` must contain one of: usually the URL of this server. `false` takes tokens that were made for any
   * server of the issuer: only for issuers that cannot say for whom a token is.
   */
  audience: string | readonly string[] | false;
  /** Where the issuer's keys are. Default: what `<issuer>/.well-known/openid-configuration` says. */
  jwksUri?: string;
  /** Header that holds the token and nothing else, such as `cf-access-jwt-assertion`. Default `Authorization: Bearer …`. */
  header?: string;
  /** Scopes that every request needs; clients are told to ask for them. Single tools may need more. Default none. */
  requiredScopes?: readonly string[];
  /** Claims that hold scopes, as a list or as words. `permissions` is Auth0's RBAC, `roles` Entra's. Default `scope`, `scp`. */
  scopeClaims?: readonly string[];
  /** Whose token it is: the same for all tokens of one user, different for all users. Default the claim `sub`. */
  subject?: (claims: JWTPayload) => unknown;
  /** How long a request waits for an issuer that does not answer, milliseconds: then it is 503. 3 s. */
  timeoutMs?: number;
}

/** {@linkcode JwtOptions} with every default filled in. */
export interface JwtSettings {
  issuer: string;
  audience: string[] | false;
  jwksUri: URL | undefined;
  /** In lower case. */
  header: string;
  requiredScopes: string[];
  scopeClaims: string[];
  subject: (claims: JWTPayload) => unknown;
  timeoutMs: number;
}

const names = ["issuer", "audience", "jwksUri", "header", "requiredScopes", "scopeClaims", "subject", "timeoutMs"];

/** Nothing checks types before `npm start` and a deploy. @throws {RangeError} in one sentence. */
export function resolveJwtOptions(options: JwtOptions): JwtSettings {
  if (typeof options !== "object" || options === null) throw new RangeError("jwt needs options: issuer and audience.");
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RangeError(`jwt has no option ${unknown}. It has ${names.join(", ")}.`);
  const { issuer, audience, jwksUri, header = "authorization", timeoutMs = 3_000 } = options;
  const { subject = ({ sub }: JWTPayload) => sub } = options;
  checkUrl("issuer", issuer);
  if (jwksUri !== undefined) checkUrl("jwksUri", jwksUri);
  if (typeof header !== "string" || !/^[\w-]+$/.test(header)) {
    throw new RangeError(`jwt's header is the name of a header, not ${JSON.stringify(header)}.`);
  }
  if (typeof subject !== "function") throw new RangeError("jwt's subject is a function of the claims.");
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0) {
    throw new RangeError(`jwt's timeoutMs is a positive number of milliseconds, not ${timeoutMs}.`);
  }
  return {
    issuer,
    audience: audience === false ? false : audiencesOf(audience),
    jwksUri: jwksUri === undefined ? undefined : new URL(jwksUri),
    header: header.toLowerCase(),
    requiredScopes: wordsOf("requiredScopes", options.requiredScopes ?? []),
    scopeClaims: wordsOf("scopeClaims", options.scopeClaims ?? ["scope", "scp"]),
    subject,
    timeoutMs,
  };
}

/** It is never taken from a request: whoever sends one says to which host. */
function audiencesOf(audience: unknown): string[] {
  const all: unknown[] = [audience].flat();
  const named = all.filter((one) => typeof one === "string" && one !== "");
  if (named.length > 0 && named.length === all.length) return named as string[];
  throw new RangeError(
    "jwt needs an audience: what the tokens for this server have as aud, usually its URL, or false to take tokens that " +
      "were made for any server of the issuer.",
  );
}

function checkUrl(name: string, value: unknown): void {
  if (isTrusted(value)) return;
  throw new RangeError(
    `jwt's ${name} is a URL that begins with https://, not ${JSON.stringify(value) ?? typeof value}.`,
  );
}

/** RFC 6749, section 3.3: no blanks, quotes and backslashes. */
function wordsOf(name: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((word) => typeof word === "string" && /^[!#-[\]-~]+$/.test(word)))
    return value;
  throw new RangeError(
    `jwt's ${name} is an array of names without blanks, not ${JSON.stringify(value) ?? typeof value}.`,
  );
}
