import type { RequestId } from "@modelcontextprotocol/server";
import { toJson } from "./message-json.ts";

/** What a JSON-RPC error says it is about. */
export const errorCode = {
  parseError: -32_700,
  invalidRequest: -32_600,
  internalError: -32_603,
  /** Reserved for implementations (JSON-RPC 2.0, section 5.1); what the SDK's own transports answer. */
  refused: -32_000,
  sessionNotFound: -32_001,
  unsupportedProtocolVersion: -32_022,
  missingClientCapability: -32_021,
} as const;

interface Details {
  /** Absent: `errorCode.refused`. */
  code?: number;
  /** Of the request that is refused. Absent: `null`. */
  id?: RequestId | null;
  data?: unknown;
  headers?: Record<string, string>;
}

/** An answer that is not a success: `status` of HTTP, and an error of JSON-RPC. */
export function refuse(
  status: number,
  message: string,
  { code = errorCode.refused, id = null, data, headers }: Details = {},
): Response {
  const error = data === undefined ? { code, message } : { code, message, data };
  // What a client sent comes back in some of them.
  const json = toJson({ jsonrpc: "2.0", error, id });
  // 404 and 405 a cache on the way might keep, and give to others (RFC 9110, section 15.1).
  const own = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(json, { status, headers: { ...own, ...headers } });
}
