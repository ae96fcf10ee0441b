import type { JSONRPCMessage, JSONRPCRequest } from "@modelcontextprotocol/server";
import { errorAnswer, isObject } from "./json-rpc.ts";
import { loggedName } from "./logged-name.ts";
import { utf8Bytes } from "./utf8.ts";

/**
 * They end a line in Unicode, but neither in JSON nor in an event stream. Clients that end one there all the same, such as
 * Python's with httpx-sse before 0.4.3, would take half a message for none and wait for it for ever.
 */
const unicodeBreaks = [
  ["\u0085", "\\u0085"],
  ["\u2028", "\\u2028"],
  ["\u2029", "\\u2029"],
] as const;

/** Both halves of a surrogate pair, one of them, or any other escape: so an escaped backslash begins none. */
const escapes = /\\(?:u(?<pair>d[89ab]..\\ud[c-f]..)|u(?<half>d[89a-f]..)|.)/g;

/**
 * JSON text that every client can read, in keys as well: half of a surrogate pair is U+FFFD (RFC 7493, 2.1), as in
 * `toWellFormed`, because Python's clients take a message with one for none and wait for it for ever; and no line ends in it.
 * `json` comes from `JSON.stringify`, which writes such a half as an escape.
 */
export function readableByAll(json: string): string {
  let readable = json;
  // Searched one by one, which takes a tenth of the time of a regular expression.
  if (json.includes("\\ud")) {
    readable = readable.replaceAll(escapes, (escape, _pair, half) => (half === undefined ? escape : "\uFFFD"));
  }
  for (const [character, escaped] of unicodeBreaks) {
    if (json.includes(character)) readable = readable.replaceAll(character, escaped);
  }
  return readable;
}

/** A message as JSON, see {@linkcode readableByAll}. @throws {TypeError} if it cannot be written. */
export function toJson(message: unknown): string {
  return readableByAll(JSON.stringify(message));
}

export interface Bounds {
  maxMessageBytes: number;
  /** Whether a message of so many UTF-16 units is taken beside what its client has not read yet. */
  hasRoomFor: (length: number) => boolean;
}

/**
 * `message` as JSON. An error calls it `name` and ends with `advice`.
 * @throws {Error} if no client could be sent it: whoever says it is told at once.
 */
export function writeMessage(
  message: JSONRPCMessage,
  { name, advice }: { name: string; advice: string },
  { maxMessageBytes, hasRoomFor }: Bounds,
): string {
  const json = writeNamed(message, name);
  // A UTF-16 unit takes at most three bytes, so most need no exact count.
  if (json.length * 3 > maxMessageBytes && utf8Bytes(json) > maxMessageBytes) {
    throw new RangeError(`${name} is larger than ${maxMessageBytes} bytes. ${advice}`);
  }
  if (!hasRoomFor(json.length)) {
    throw new RangeError(`${name} does not fit beside what its client has not read yet. Read that first. ${advice}`);
  }
  return json;
}

/** What an error and the log say of the request whose result cannot be written. */
export type Asked = Pick<JSONRPCRequest, "id" | "method" | "params">;

/** What is said, and its JSON. */
interface Written {
  message: JSONRPCMessage;
  json: string;
}

/** The answer to `request`, or an error in its place if no client could be sent it: of an error, itself without its `data`. */
export function writeResponse(message: JSONRPCMessage, request: Asked, bounds: Bounds): Written {
  const name = "error" in message ? `The error of ${request.method}` : nameOfResult(request);
  try {
    return {
      message,
      json: writeMessage(withResult(message, request), { name, advice: "Ask for less at once." }, bounds),
    };
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    tellNotSent(request, why);
    if ("error" in message && message.error.data !== undefined) {
      const { data: _data, ...error } = message.error;
      return writeResponse({ ...message, error }, request, bounds);
    }
    const inPlace = errorAnswer(request.id, why);
    return { message: inPlace, json: toJson(inPlace) };
  }
}

function nameOfResult({ method }: Pick<Asked, "method">): string {
  return `The result of ${method}`;
}

/** `message` as JSON. @throws {TypeError} for what cannot be written, which it calls `name`. */
export function writeNamed(message: JSONRPCMessage, name: string): string {
  try {
    return toJson(message);
  } catch {
    throw new TypeError(`${name} cannot be written as JSON.`);
  }
}

/** What a handler gave is no result of `method`. */
export function notAResult(request: Omit<Asked, "id">): TypeError {
  const fault = new TypeError(`${nameOfResult(request)} is no JSON object.`);
  tellNotSent(request, fault.message);
  return fault;
}

/** Whoever wrote the tool looks there. */
function tellNotSent({ method, params }: Omit<Asked, "id">, error: string): void {
  console.warn(JSON.stringify({ event: "result-not-sent", method, name: loggedName(params?.["name"]), error }));
}

/** `message`, if its result is an object, or an error: for any other a client waits for ever (JSON-RPC; MCP, Responses). */
function withResult(message: JSONRPCMessage, request: Asked): JSONRPCMessage {
  if ("error" in message) return message;
  if (isObject("result" in message ? asWritten(message.result) : undefined)) return message;
  throw new TypeError(`${nameOfResult(request)} is no JSON object.`);
}

/** What `JSON.stringify` writes in the place of `value`; itself if that throws, which is seen when it is written. */
function asWritten(value: unknown): unknown {
  if (!isObject(value) || typeof value["toJSON"] !== "function") return value;
  try {
    return value["toJSON"]("result");
  } catch {
    return value;
  }
}
