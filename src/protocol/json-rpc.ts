import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from "@modelcontextprotocol/server";

/** What a message may consist of; which of them, its kind decides. */
const members = new Set(["jsonrpc", "id", "method", "params", "result", "error"]);

/** Most messages one JSON-RPC batch may hold: the bound of the SDK's own transports. */
const maxBatchLength = 100;

/** What one POST says. */
export interface ParsedMessages {
  messages: JSONRPCMessage[];
  /** Those of them that expect an answer. */
  requests: JSONRPCRequest[];
  batch: boolean;
}

export type ParsedBody = ({ ok: true } & ParsedMessages) | ({ ok: false } & BodyFault);

/** Why a body is no message. `id`: of the request that it may have been meant for. */
export interface BodyFault {
  reason: "not-json" | "not-json-rpc";
  detail: string;
  id: RequestId | null;
}

/**
 * Reads one POST body as JSON-RPC 2.0: a message, or a batch of 1 to 100 (revision 2025-03-26, Messages).
 *
 * The check is of the envelope only, and the SDK's own: it drops what fails it without a word, so that nothing of the kind
 * may reach it. Each method's parameters it validates afterwards, and answers.
 */
export function parseBody(text: string): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "not-json", detail: "the body is not JSON", id: null };
  }
  const batch = Array.isArray(value);
  const messages: unknown[] = Array.isArray(value) ? value : [value];
  if (messages.length === 0) return notJsonRpc("the batch is empty");
  if (messages.length > maxBatchLength) return notJsonRpc(`a batch holds at most ${maxBatchLength} messages`);
  if (messages.every(isMessage)) return { ok: true, messages, requests: messages.filter(isRequest), batch };
  const wrong = messages.find((item) => !isMessage(item));
  return notJsonRpc(envelopeFault(wrong), batch ? null : echoableId(wrong));
}

function notJsonRpc(detail: string, id: RequestId | null = null): ParsedBody {
  return { ok: false, reason: "not-json-rpc", detail, id };
}

/** The one message that `json` is; `undefined` if it is none. */
export function parseMessage(json: string | undefined): JSONRPCMessage | undefined {
  const parsed = json === undefined ? undefined : parseBody(json);
  return parsed?.ok === true ? parsed.messages[0] : undefined;
}

/** An answer to the request `id` that says why it could not be done (JSON-RPC 2.0, Error object: Internal error). */
export function errorAnswer(id: RequestId, message: string) {
  return { jsonrpc: "2.0" as const, id, error: { code: -32_603, message } };
}

/** JSON of the request that asks for nothing but an answer (revision 2025-11-25, Ping). */
export function pingJson(id: string): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method: "ping" });
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
  return typeof value === "string" || Number.isSafeInteger(value);
}

function isMessage(value: unknown): value is JSONRPCMessage {
  if (!isObject(value)) return false;
  if (isPlainRequest(value)) return true;
  if ("method" in value) return "id" in value ? isJSONRPCRequest(value) : isJSONRPCNotification(value);
  return isJSONRPCResultResponse(value) || isJSONRPCErrorResponse(value);
}

/**
 * Whether it has the members of a request, no other, and no `_meta`, as most have: the SDK's check, which takes much longer,
 * looks for nothing else in it.
 */
function isPlainRequest(value: Record<string, unknown>): boolean {
  const { jsonrpc, id, method, params } = value;
  const isEnvelope = jsonrpc === "2.0" && isRequestId(id) && typeof method === "string";
  if (!isEnvelope || Object.keys(value).length !== (params === undefined ? 3 : 4)) return false;
  return params === undefined || (isObject(params) && !("_meta" in params));
}

/** What a sender should change, in one clause. */
function envelopeFault(value: unknown): string {
  if (!isObject(value)) return "a message must be a JSON object";
  if (value["jsonrpc"] !== "2.0") return 'a message must have "jsonrpc": "2.0"';
  if ("id" in value && !isRequestId(value["id"])) return "an id must be a string or an integer of at most 2^53 - 1";
  if ("method" in value && typeof value["method"] !== "string") return "a method must be a string";
  if ("params" in value && !isObject(value["params"])) return "params must be an object";
  if (Object.keys(value).some((member) => !members.has(member)) || ("method" in value && "result" in value)) {
    return "a message has jsonrpc, id, method and params, or jsonrpc, id and a result or an error, and no other members";
  }
  if ("method" in value)
    return "_meta must be an object, and its progressToken a string or an integer of at most 2^53 - 1";
  return "a message has a method, or an id with a result or an error";
}
