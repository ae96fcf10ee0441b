import { isObject } from "../protocol/json-rpc.ts";
import { noteCaller } from "../link/caller.ts";
import type { Auth, Authenticate, Caller, Identified, Resource } from "./auth.ts";
import { unauthorized } from "./challenge.ts";
import { isTrusted } from "./trusted-url.ts";

/** What an owner's hash was computed for lately, so that not each request computes it. */
const owners = new Map<string, string>();
const maxOwners = 1_000;

/** Functions of {@linkcode Auth} that know clients which are configured with a secret, see {@linkcode withoutMetadata}. */
const secretive = new WeakSet<object>();

/**
 * Marks a way whose clients have a secret in their configuration. Told of an authorization server, they would go there
 * instead of sending it.
 */
export function withoutMetadata<Env>(authenticate: Auth<Env>["authenticate"]): Auth<Env> {
  secretive.add(authenticate);
  return { authenticate };
}

/** The option `auth`, as it is used. */
export interface CheckedAuth<Env> {
  authenticate: Authenticate<Env>;
  resource: Resource | undefined;
  metadata: Auth<Env>["metadata"];
}

/**
 * @throws {TypeError} at start-up for what is no {@linkcode Auth} and no function, or has a `resource` that cannot be: a server
 * that was meant to have a login does not start without one.
 */
export function checkedAuth<Env>(auth: unknown): CheckedAuth<Env> {
  if (typeof auth === "function")
    return { authenticate: auth as Authenticate<Env>, resource: undefined, metadata: undefined };
  if (!isObject(auth) || typeof auth["authenticate"] !== "function") {
    const what = auth === null ? "null" : typeof auth;
    throw new TypeError(`auth is a function, or what keys, jwt or fromContext returned, not ${what}.`);
  }
  const { authenticate, resource, metadata } = auth as unknown as Omit<Auth<Env>, "authenticate"> & {
    authenticate: Authenticate<Env>;
  };
  if (metadata !== undefined && typeof metadata !== "function") {
    throw new TypeError(`auth.metadata is a function, not ${typeof metadata}.`);
  }
  if (resource !== undefined) checkResource(resource, authenticate);
  return {
    authenticate: (request, env, ctx) => authenticate.call(auth, request, env, ctx),
    resource,
    metadata: metadata && (() => metadata.call(auth)),
  };
}

function checkResource(resource: unknown, authenticate: object): void {
  if (secretive.has(authenticate)) {
    throw new TypeError(
      "auth has keys, so it has no resource: clients would log in there instead of sending their key.",
    );
  }
  const { authorizationServers: issuers, requiredScopes: scopes } = isObject(resource) ? resource : {};
  const areIssuers = Array.isArray(issuers) && issuers.length > 0 && issuers.every(isTrusted);
  if (areIssuers && Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string")) return;
  throw new TypeError(
    "auth.resource is { authorizationServers, requiredScopes }, a list of URLs with https:, or of localhost, and one of " +
      `scopes, not ${JSON.stringify(resource)}.`,
  );
}

export interface Asked<Env> {
  request: Request;
  env: Env;
  ctx: ExecutionContext | undefined;
  /** Where the document about `resource` is; `undefined` without one. */
  resourceMetadataUrl: string | undefined;
  /** What the Worker may tell an object of a caller, bytes. */
  maxCallerBytes: number;
}

/**
 * Has `auth` say who sends a request, and notes it for whoever serves that. The answer, if this one may not come in.
 * Rejects with what `auth` threw, or if it said what cannot be.
 */
export async function identify<Env>(auth: CheckedAuth<Env>, asked: Asked<Env>): Promise<Response | undefined> {
  const { request, env, ctx, resourceMetadataUrl, maxCallerBytes } = asked;
  const said: Identified = await auth.authenticate(request, env, ctx);
  if (said === undefined) {
    return withMetadata(unauthorized("No valid credentials", auth.resource?.requiredScopes), resourceMetadataUrl);
  }
  if (said instanceof Response) return withMetadata(said, resourceMetadataUrl);
  const { principal, authInfo } = callerIn(said);
  const metadata = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl };
  const caller = { principal, owner: await ownerOf(principal), authInfo: { ...metadata, ...authInfo } };
  const bytes = JSON.stringify(caller).length;
  if (bytes > maxCallerBytes) {
    throw new RangeError(`auth says ${bytes} bytes of who called, more than maxCallerBytes, ${maxCallerBytes}.`);
  }
  noteCaller(request, caller);
  return undefined;
}

/** Nothing checks types of what a function says. @throws {TypeError} for what would mean another thing in each place. */
function callerIn(said: Exclude<Identified, Response | undefined>): Caller {
  const { principal, scopes = [], authInfo } = Object(said) as Partial<Caller> & { scopes?: string[] };
  if (typeof principal !== "string" || principal === "") {
    throw new TypeError("auth said no principal: return { principal: <who it is> }, or undefined for nobody.");
  }
  const known = { token: "", clientId: principal, ...authInfo, scopes: authInfo?.scopes ?? scopes };
  if (Array.isArray(known.scopes)) return { principal, authInfo: known };
  throw new TypeError(
    `auth said scopes that are no list: return ["read", "write"], not ${JSON.stringify(known.scopes)}.`,
  );
}

/** What is kept of a principal: its hash tells two apart, and nobody who reads it knows who they are. */
async function ownerOf(principal: string): Promise<string> {
  const known = owners.get(principal);
  if (known !== undefined) return known;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(principal));
  const owner = btoa(String.fromCharCode(...new Uint8Array(digest)));
  if (owners.size >= maxOwners) owners.clear();
  owners.set(principal, owner);
  return owner;
}

/** A challenge says where a client learns who gives it a token (RFC 9728, section 5.1). */
function withMetadata(response: Response, resourceMetadataUrl: string | undefined): Response {
  const challenge = response.headers.get("www-authenticate");
  const isOurs = challenge !== null && /^bearer\b/i.test(challenge) && !challenge.includes("resource_metadata");
  if (resourceMetadataUrl === undefined || !isOurs) return response;
  const completed = new Response(response.body, response);
  const separator = challenge.includes("=") ? ", " : " ";
  completed.headers.set("www-authenticate", `${challenge}${separator}resource_metadata="${resourceMetadataUrl}"`);
  return completed;
}
