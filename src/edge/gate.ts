import {
  isJsonContentType,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { tellTerminal } from "../development.ts";
import type { Settings } from "../options.ts";
import { type Late, readBody } from "../stream/request-body.ts";
import * as refusals from "../protocol/refusals.ts";
import { headerPrefix } from "../link/link.ts";

/** What a page may read of an answer besides its body. */
const exposedHeaders = "Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After";
const localhosts = localhostAllowedHostnames();

/** wrangler writes it into the bundle: `"production"` by `wrangler deploy`, something else by all that runs on a machine. */
const isDevelopment = process.env["NODE_ENV"] !== "production";

/** Bindings by which `npm start` and `mcp-edge serve` pass on hostnames, separated by commas. */
const hostsBinding = "MCP_EDGE_ALLOWED_HOSTS";
const originsBinding = "MCP_EDGE_ALLOWED_ORIGINS";

/**
 * `settings`, with the hostnames that the bindings name. On the edge there is no such binding, and routes decide which
 * hosts arrive; whoever serves by himself has it, if only empty, and is asked for names of his own only.
 */
export function withBoundHosts(settings: Settings, env: unknown): Settings {
  const bound = (binding: string): unknown => Reflect.get(Object(env), binding);
  const hosts = namesIn(bound(hostsBinding));
  const origins = namesIn(bound(originsBinding));
  const isChecked = isDevelopment || bound(hostsBinding) !== undefined;
  return {
    ...settings,
    allowedHosts:
      isChecked && !hosts.includes("*") && settings.allowedHosts !== "*" ? [...settings.allowedHosts, ...hosts] : "*",
    allowedOrigins:
      origins.includes("*") || settings.allowedOrigins === "*" ? "*" : [...settings.allowedOrigins, ...origins],
  };
}

function namesIn(value: unknown): string[] {
  return typeof value === "string" ? value.split(",").map((name) => name.trim()) : [];
}

/** Who may come in, before anything of the request is read. `undefined`: this one may. */
export function refuseStranger(request: Request, url: URL, settings: Settings): Response | undefined {
  return refuseHost(url, settings) ?? refuseOrigin(request, url, settings);
}

/**
 * Against DNS rebinding (revision 2025-11-25, Security Warning): a server of one machine answers to names of that machine
 * only. A page that made its own name mean this machine sends whatever headers it likes, so none decides what this is. On
 * the edge, routes decide which names arrive at all.
 */
function refuseHost({ hostname }: URL, { allowedHosts }: Settings): Response | undefined {
  if (allowedHosts === "*" || isAddress(hostname)) return undefined;
  if ([...localhosts, ...allowedHosts].includes(hostname)) return undefined;
  tellTerminal({ event: "refused", header: "host", hostname });
  return refusals.unknownHost(hostname);
}

function refuseOrigin(request: Request, { hostname }: URL, { allowedOrigins }: Settings): Response | undefined {
  const origin = request.headers.get("origin");
  if (allowedOrigins === "*" || origin === null) return undefined;
  // `wrangler dev` writes a route's name over the one that a page was loaded from, so there it proves nothing.
  const own = isDevelopment && !isAddress(hostname) ? [] : [hostname];
  const allowed = [...localhostAllowedOrigins(), ...own, ...allowedOrigins];
  if (originValidationResponse(request, allowed) === undefined) return undefined;
  const { hostname: page } = URL.parse(origin) ?? { hostname: "" };
  tellTerminal({ event: "refused", header: "origin", hostname: page });
  return refusals.unknownOrigin(origin, page);
}

/** An IP address has no name that could be made to mean something else. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^[0-9.]+$/.test(hostname);
}

/** Lets the page that asked read the answer, errors included. A client that is no page sees no difference. */
export function withCors(response: Response, request: Request): Response {
  const origin = request.headers.get("origin");
  // What is public says so itself.
  if (origin === null || response.headers.has("access-control-allow-origin")) return response;
  const shared = new Response(response.body, response);
  shared.headers.set("access-control-allow-origin", origin);
  shared.headers.set("access-control-expose-headers", exposedHeaders);
  shared.headers.append("vary", "Origin");
  return shared;
}

/** `text`: what had to be read to admit it. Without, the body is still in its request. */
export type AdmittedBody = { ok: true; text: string | undefined } | { ok: false; refusal: Response };

/**
 * The body of a POST, at most `maxBodyBytes` long, to be passed on. One whose length is declared is read here only
 * `readUpTo` so many bytes: HTTP holds it to that. Any other is counted while it is read, and no byte more. `late`: see
 * {@linkcode readBody}.
 */
export function admitBody(
  request: Request,
  { maxBodyBytes }: Settings,
  { readUpTo, late }: { readUpTo: number; late?: Late } = { readUpTo: 0 },
): AdmittedBody | Promise<AdmittedBody> {
  const refusal = refuseContent(request.headers);
  if (refusal !== undefined) return { ok: false, refusal };
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared <= maxBodyBytes && declared > readUpTo) return { ok: true, text: undefined };
  return readBody(request, maxBodyBytes, late);
}

/** What is read is JSON, in UTF-8 (RFC 8259, section 8.1), as it is. */
function refuseContent(headers: Headers): Response | undefined {
  const type = headers.get("content-type");
  const charset = /;\s*charset\s*=\s*"?(?<name>[^\s";]*)/i.exec(type ?? "")?.groups?.["name"] ?? "utf-8";
  if (!isJsonContentType(type) || !/^(utf-?8|us-ascii)$/i.test(charset)) return refusals.wrongContentType();
  const encoding = headers.get("content-encoding")?.trim() ?? "";
  return /^(identity)?$/i.test(encoding) ? undefined : refusals.wrongContentEncoding(encoding);
}

/** Headers that a client sends empty which has nothing to say there: it has no session yet. */
const emptiable = /^mcp-(session-id|protocol-version)$/;

/**
 * The request without what only the Worker may say to an object, as no client is to say it, nor a tool to see it; and without
 * what says nothing. Nearly none has any, and a copy takes longer than a small tool.
 */
export function withoutOddHeaders(request: Request): Request {
  const odd: string[] = [];
  // eslint-disable-next-line unicorn/no-array-for-each -- it is no array, and its iterator costs three times as much
  request.headers.forEach((value, name) => {
    if (name.startsWith(headerPrefix) || (value === "" && emptiable.test(name))) odd.push(name);
  });
  if (odd.length === 0) return request;
  const headers = new Headers(request.headers);
  for (const name of odd) headers.delete(name);
  return new Request(request, { headers });
}
