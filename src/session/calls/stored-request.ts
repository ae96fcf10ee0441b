import { callerOf, noteCaller, packCaller, unpackCaller } from "../../link/caller.ts";
import { sealed } from "../../protocol/sealed-request.ts";

/** The HTTP request that brought a call, as it is written down: what a tool may read of it, and no credential. */
export interface StoredRequest {
  url: string;
  headers: [string, string][];
  /** Who sent it, as `packCaller` has it. Absent without a login. */
  caller?: string;
}

/**
 * What the name of a header, of a parameter of the query, or of a member of `authInfo` has in it if the value is likely to be a
 * key to something. Cautious: a rerun lacks what was no secret, a disk keeps what was.
 */
const secretName =
  /auth(?!info)|cookie|jwt|key|secret|token|passw|passphrase|credential|signature|assertion|bearer|session|^sig$|^code$|^mcp-edge-|^last-event-id$/i;
/** A value that is a token whatever it is called: a JWT, or a whole credential of HTTP. */
const secretValue = /\beyJ[\w-]{5,}\.[\w-]+\.|^(bearer|basic|digest|dpop|negotiate) /i;

/**
 * Headers that say an argument again (revision 2026-07-28, Custom Headers from Tool Parameters): it is written down with the call,
 * which is refused without them when it runs again.
 */
const argument = "mcp-param-";

/** What is written down of `request`. */
export function storedRequest(request: Request): StoredRequest {
  const caller = callerOf(request);
  const headers = [...request.headers].filter(([name, value]) => name.startsWith(argument) || !isSecret(name, value));
  const stored = { url: withoutSecrets(request.url), headers };
  if (caller === undefined) return stored;
  const known: unknown = JSON.parse(packCaller(caller), (name, value: unknown) =>
    isSecret(name, value) ? undefined : value,
  );
  return { ...stored, caller: JSON.stringify(known) };
}

function isSecret(name: string, value: unknown): boolean {
  return secretName.test(name) || (typeof value === "string" && secretValue.test(value));
}

/** Whether {@linkcode requestOf} can make a request of it. */
export function isStoredRequest(stored: object): stored is StoredRequest {
  const { url, headers } = stored as Partial<StoredRequest>;
  if (typeof url !== "string" || !Array.isArray(headers)) return false;
  try {
    requestOf(stored as StoredRequest);
    return true;
  } catch {
    return false;
  }
}

/** The request again, of which a tool that runs once more is told. */
export function requestOf({ url, headers, caller }: StoredRequest): Request {
  const request = sealed(new Request(url, { method: "POST", headers }));
  if (caller !== undefined) noteCaller(request, unpackCaller(caller));
  return request;
}

function withoutSecrets(from: string): string {
  const url = new URL(from);
  const pairs = [...url.searchParams];
  const kept = pairs.filter(([name, value]) => !isSecret(name, value));
  if (kept.length < pairs.length) url.search = new URLSearchParams(kept).toString();
  url.username = "";
  url.password = "";
  return url.href;
}
