import type { JSONRPCMessage, JSONRPCRequest, RequestId } from "@modelcontextprotocol/server";

/** Most messages one JSON-RPC batch may hold: the bound of the SDK's own transports. */
const maxBatchLength = 100;

export type ParsedBody =
  | { ok: true; messages: JSONRPCMessage[]; batch: boolean }
  | { ok: false; reason: "not-json" | "not-json-rpc"; detail: string; id: RequestId | null };

/**
 * Reads one POST body as JSON-RPC 2.0: a message, or a batch of 1 to 100 (revision 2025-03-26, Messages).
 *
 * The check is of the envelope only, and by hand because it runs once per call: the SDK validates each method's
 * parameters against its own schemas afterwards.
 */
export function parseBody(text: string): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "not-json", detail: "the body is not JSON", id: null };
  }
  return parseMessages(value);
}

/** {@linkcode parseBody} for a body that is JSON already. */
export function parseMessages(value: unknown): ParsedBody {
  if (!Array.isArray(value)) {
    return isMessage(value)
      ? { ok: true, messages: [value], batch: false }
      : { ok: false, reason: "not-json-rpc", detail: envelopeFault(value), id: echoableId(value) };
  }
  if (value.length === 0) return { ok: false, reason: "not-json-rpc", detail: "the batch is empty", id: null };
  if (value.length > maxBatchLength) {
    return { ok: false, reason: "not-json-rpc", detail: `a batch holds at most ${maxBatchLength} messages`, id: null };
  }
  const messages: JSONRPCMessage[] = [];
  for (const item of value) {
    if (!isMessage(item)) return { ok: false, reason: "not-json-rpc", detail: envelopeFault(item), id: null };
    messages.push(item);
  }
  return { ok: true, messages, batch: true };
}

/** A request expects an answer; a notification has no id. */
export function isRequest(message: JSONRPCMessage): message is JSONRPCRequest {
  return "method" in message && "id" in message;
}

/** The answer to a request, result or error. */
export function isResponse(message: JSONRPCMessage): message is Exclude<JSONRPCMessage, { method: string }> {
  return !("method" in message);
}

/** The id that an error about this value may carry: JSON-RPC wants `null` where it could not be read. */
export function echoableId(value: unknown): RequestId | null {
  if (!isObject(value) || typeof value["method"] !== "string") return null;
  return isRequestId(value["id"]) ? value["id"] : null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" || (typeof value === "number" && Number.isInteger(value));
}

function isMessage(value: unknown): value is JSONRPCMessage {
  if (!isObject(value) || value["jsonrpc"] !== "2.0") return false;
  if ("method" in value) {
    if (typeof value["method"] !== "string") return false;
    if ("id" in value && !isRequestId(value["id"])) return false;
    return value["params"] === undefined || isObject(value["params"]);
  }
  if (isObject(value["result"])) return isRequestId(value["id"]);
  const error = value["error"];
  return isObject(error) && typeof error["code"] === "number" && typeof error["message"] === "string";
}

/** What a sender should change, in one clause. */
function envelopeFault(value: unknown): string {
  if (!isObject(value)) return "a message is a JSON object";
  if (value["jsonrpc"] !== "2.0") return 'a message has "jsonrpc": "2.0"';
  if ("method" in value && "id" in value && !isRequestId(value["id"])) return "an id is a string or an integer";
  if ("params" in value && !isObject(value["params"])) return "params is an object";
  return "a message has a method, or an id with a result or an error";
}
