import type { JSONRPCMessage, JSONRPCRequest } from "@modelcontextprotocol/server";

/** The answer to `request` as JSON, or an error in its place if no client could be sent it. */
export function writeResponse(
  message: JSONRPCMessage,
  request: JSONRPCRequest,
  { maxMessageBytes }: { maxMessageBytes: number },
): string {
  let fault: string;
  try {
    const json = JSON.stringify(message);
    // A UTF-16 unit takes at most three bytes, so most need no exact count.
    if (json.length * 3 <= maxMessageBytes || byteLength(json) <= maxMessageBytes) return json;
    fault = `is larger than ${maxMessageBytes} bytes; ask for less at once`;
  } catch {
    fault = "cannot be written as JSON";
  }
  const error = { code: -32_603, message: `The result of ${request.method} ${fault}.` };
  return JSON.stringify({ jsonrpc: "2.0", id: request.id, error });
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
