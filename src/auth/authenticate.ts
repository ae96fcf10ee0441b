import { noteCaller } from "../link/caller.ts";
import type { Auth, Authenticate, Caller, Identified, LanePaths } from "./auth.ts";
import { unauthorized } from "./challenge.ts";

/** What an owner's hash was computed for lately, so that not each request computes it. */
const owners = new Map<string, string>();
const maxOwners = 1_000;

/**
 * The option `auth`, as it is used.
 *
 * @throws {TypeError} at start-up for what is none: a server that was meant to have a login does not start without one.
 */
export function checkedAuth<Env>(auth: unknown): Auth<Env> {
  if (typeof auth === "function") return { authenticate: auth as Authenticate<Env> };
  const { authenticate, resource } = Object(auth) as Partial<Auth<Env>>;
  if (typeof authenticate !== "function") {
    const what = auth === null ? "null" : typeof auth;
    throw new TypeError(`auth is a function, or what keys, jwt, fromContext or withResource returned, not ${what}.`);
  }
  if (resource !== undefined && typeof resource?.answer !== "function") {
    throw new TypeError("auth has a resource of its own: withResource(resource, authenticate) makes an auth with one.");
  }
  return auth as Auth<Env>;
}

export interface Asked<Env> {
  auth: Auth<Env>;
  env: Env;
  ctx: ExecutionContext | undefined;
  /** Where the client came to. */
  url: URL;
  settings: LanePaths & {
    /** What the Worker may tell an object of a caller, bytes. */
    maxCallerBytes: number;
  };
}

/**
 * Has `auth` say who sends a request, and notes it for whoever serves that. The answer, if this one may not come in.
 * Rejects with what `auth` threw, or if it said what cannot be.
 */
export async function identify<Env>(
  request: Request,
  { auth, env, ctx, url, settings }: Asked<Env>,
): Promise<Response | undefined> {
  const said = (await auth.authenticate(request, env, ctx)) ?? unauthorized("No valid credentials");
  const { resource } = auth;
  const metadata = resource && { resourceMetadataUrl: resource.metadataUrl(url, settings) };
  if (said instanceof Response) return metadata ? resource.complete(said, metadata.resourceMetadataUrl) : said;
  const { principal, authInfo } = callerIn(said);
  const caller = { principal, owner: await ownerOf(principal), authInfo: { ...metadata, ...authInfo } };
  const bytes = JSON.stringify(caller).length;
  if (bytes > settings.maxCallerBytes) {
    throw new RangeError(
      `auth says ${bytes} bytes of who called, more than maxCallerBytes, ${settings.maxCallerBytes}.`,
    );
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
