import type { RequestId } from "@modelcontextprotocol/server";
import { incidentMessage } from "../development.ts";
import { logIncident } from "./incident.ts";
import type { Settings } from "../options.ts";
import type { BodyFault } from "./json-rpc.ts";
import { errorCode, refuse } from "./refuse.ts";

/**
 * Every answer that is not a success, by name. Each is a JSON-RPC error with one HTTP status and a sentence that says
 * what to do. None carries anything that the client did not send or the specification does not define.
 */

export function noMessage({ reason, detail, id }: BodyFault): Response {
  return reason === "not-json" ? notJson(detail) : invalidRequest(detail, id);
}

export function notJson(detail: string): Response {
  const message = `Parse error: ${detail}. Send one JSON-RPC 2.0 message.`;
  return refuse(400, message, { code: errorCode.parseError });
}

function invalidRequest(detail: string, id: RequestId | null = null): Response {
  return refuse(400, `Invalid Request: ${detail}.`, { code: errorCode.invalidRequest, id });
}

/** RFC 9112, section 3.2. On the edge the platform says it. */
export function invalidHost(): Response {
  return invalidRequest("the header Host is no host and port");
}

/**
 * On a server of one's own only, see `gate.ts`: `mcp-edge serve` runs what is built for production; all else that asks for the
 * name is `npm start`, or a deploy that was built as for that.
 */
export function unknownHost(hostname: string): Response {
  const how =
    process.env["NODE_ENV"] === "production"
      ? "give it to mcp-edge serve in ALLOWED_HOSTS."
      : "give it to npm start by --allowed-host. If this is deployed to Cloudflare, deploy it with NODE_ENV unset or " +
        '"production".';
  const add = "If it is meant to be, add it to the option allowedHosts, or";
  return refuse(403, `Invalid Host: ${hostname} is no name of this server. ${add} ${how}`);
}

export function unknownOrigin(origin: string, hostname: string): Response {
  // That of a file, or of a frame without an origin.
  const message =
    hostname === ""
      ? `Invalid Origin: ${origin} has no host that could be allowed. Serve the page by HTTP, or set allowedOrigins to "*".`
      : `Invalid Origin: ${hostname}. If its pages may connect, add that name to the option allowedOrigins.`;
  return refuse(403, message);
}

export function wrongContentType(): Response {
  const message = "Unsupported Media Type: send the message as Content-Type: application/json, in UTF-8.";
  return refuse(415, message);
}

/** What the header says is what the client may do instead (RFC 9110, section 15.5.16). */
export function wrongContentEncoding(encoding: string): Response {
  const message = `Unsupported Media Type: send the message as it is, without Content-Encoding: ${encoding}.`;
  return refuse(415, message, { headers: { "accept-encoding": "identity" } });
}

export function bodyTooSlow(): Response {
  const why = "the body did not arrive in time, or others needed the room";
  return refuse(408, `Request Timeout: ${why}. Send it again, without a pause.`);
}

export function bodyTooLarge(maxBodyBytes: number): Response {
  return refuse(413, `Payload Too Large: a body holds at most ${maxBodyBytes} bytes. Send less, or in several calls.`);
}

/** Of the messages that are being answered in one isolate, not those of one client. */
export function tooMuchAtOnce(): Response {
  const message =
    "Too Many Requests: there is no room for so large a message now. Send it again later, or less at once.";
  return refuse(429, message, { headers: { "retry-after": "1" } });
}

/** What a client says of itself stays in memory as long as its session. */
export function initializeTooLarge(id: RequestId | null): Response {
  return refuse(413, "Payload Too Large: an initialize holds some 64 KiB. Send less in it.", { id });
}

/** 404, never 400: it is the status that tells a client to open a new session (revision 2025-11-25, Session Management). */
export function unknownSession(): Response {
  const message = "Session not found: it has ended or never existed. Connect again to open a new one.";
  return refuse(404, message, { code: errorCode.sessionNotFound });
}

export function missingSessionId({ where }: { where: "query" | "header" }): Response {
  const message =
    where === "query"
      ? "Bad Request: POST to the URL that the endpoint event gave; it ends in ?sessionId=…"
      : "Bad Request: send the Mcp-Session-Id header that the answer to initialize carried, or initialize first.";
  return refuse(400, message);
}

export function notAcceptable(types: string): Response {
  const message = `Not Acceptable: this URL is for MCP clients. Connect one to it, or send Accept: ${types}`;
  return refuse(406, message);
}

export function methodNotAllowed(allow: string): Response {
  return refuse(405, `Method Not Allowed: this URL takes ${allow}.`, { headers: { allow } });
}

export function unknownPath({ ssePath, mcpPath, publicPath }: Settings): Response {
  const [sse, mcp] = [publicPath + ssePath, publicPath + mcpPath];
  const message = `Not Found: connect an MCP client to ${sse} (HTTP+SSE) or ${mcp} (Streamable HTTP).`;
  return refuse(404, message);
}

export function protocolVersionNotInSession(requested: string, supported: readonly string[]): Response {
  return refuse(
    400,
    `Bad Request: MCP-Protocol-Version ${requested} is not served in a session. Send one of ${supported.join(", ")}.`,
  );
}

/** Revision 2026-07-28, Versioning: error -32022 with the supported and the requested version. */
export function unsupportedProtocolVersion(
  { requested, supported }: { requested: string; supported: readonly string[] },
  id: RequestId | null,
): Response {
  return refuse(
    400,
    `Unsupported protocol version: ${requested}. Initialize a session with one of ${supported.join(", ")}.`,
    { code: errorCode.unsupportedProtocolVersion, data: { supported, requested }, id },
  );
}

/** Revision 2026-07-28, Missing Required Client Capability: what was asked for is of an extension. */
export function missingExtension(extension: string, id: RequestId | null): Response {
  return refuse(400, `Missing required client capability: declare the extension ${extension} in the request.`, {
    code: errorCode.missingClientCapability,
    data: { requiredCapabilities: { extensions: { [extension]: {} } } },
    id,
  });
}

/** A tool of the stateless revision closed its server, which has to carry its answer. */
export function closedByItself(id: RequestId | null): Response {
  const message = "Internal error: the server was closed before it had answered. Its tools must not call close().";
  return refuse(200, message, { code: errorCode.internalError, id });
}

export function alreadyInitialized(id: RequestId | null): Response {
  return invalidRequest("this session is initialized. Send initialize without Mcp-Session-Id to open another", id);
}

export function initializeInBatch(): Response {
  return invalidRequest("initialize is sent alone, not in a batch");
}

export function requestIdInUse(id: RequestId): Response {
  const used = `request id ${JSON.stringify(id)} is still being answered`;
  return invalidRequest(`${used}. Use a new id for each request`, id);
}

/** `most`: how many calls at once, or bytes of them. */
export function tooManyCalls(most: string, id: RequestId | null): Response {
  const message = `Too Many Requests: this session answers at most ${most} calls at once. Wait for one to end.`;
  return refuse(429, message, { id });
}

/** A hook says that this caller opens too many. */
export function tooManySessions(retryAfterSeconds: number): Response {
  return refuse(
    429,
    `Too Many Requests: too many sessions were opened. Wait ${retryAfterSeconds} seconds, then connect again.`,
    { headers: { "retry-after": String(retryAfterSeconds) } },
  );
}

export function tooMuchUnread(id: RequestId | null): Response {
  return refuse(
    429,
    "Too Many Requests: answers wait that nobody has read. Open the session's stream and read them first.",
    { id },
  );
}

/** 405 to a GET is what clients take for no stream, without an error (revision 2025-11-25, Listening for Messages). */
export function nothingToResume(): Response {
  const message = "Method Not Allowed: this stream has nothing more to carry. GET without Last-Event-ID to listen.";
  return refuse(405, message, { headers: { allow: "POST, DELETE" } });
}

/** For a relay only: its client has opened another stream since, and gets everything there. */
export function streamSuperseded(): Response {
  return refuse(409, "Conflict: this stream was opened anew since.");
}

export function wrongLane(): Response {
  return refuse(
    400,
    "Bad Request: an HTTP+SSE session is spoken to at its endpoint URL, a Streamable HTTP session by its header.",
  );
}

export function otherSessionsEvent(): Response {
  const message = "Bad Request: Last-Event-ID is of another session than Mcp-Session-Id. Send both of one session.";
  return refuse(400, message);
}

/** What the sender of a request is told of which nobody knows. It is not told to repeat it: it may have paid something. */
export const mayHaveRun = "it may or may not have taken effect. Check before you send it again.";

/** The object went away under the request, for a restart or a new version. The session itself lives. */
export function interrupted(id: RequestId | null): Response {
  const message = `The session restarted while it took this message: ${mayHaveRun}`;
  return refuse(503, message, { code: errorCode.internalError, id });
}

/** During a deploy: a Worker asked its object for what that does not know. 503, after which a relay tries again. */
export function otherRelease(): Response {
  return refuse(
    503,
    "Service Unavailable: a new release of this server is being rolled out. Nothing was done: send it again.",
    { code: errorCode.internalError },
  );
}

/** A fault of ours, or of `createServer`. What happened goes to the log, and only its number to the client of a deployed server. */
export function incident(error: unknown, id: RequestId | null = null): Response {
  const message = incidentMessage(logIncident(error), error);
  return refuse(500, message, { code: errorCode.internalError, id });
}
