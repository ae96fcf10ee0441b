import { isObject } from "../protocol/json-rpc.ts";

/** A response on its way through a WebSocket. */
export interface PackedResponse {
  status: number;
  headers: [string, string][];
  body: string;
}

export async function packResponse(response: Response): Promise<PackedResponse> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

export function unpackResponse({ status, headers, body }: PackedResponse): Response {
  return new Response(body, { status, headers });
}

/** `undefined` if `value` is none. */
export function parsePackedResponse(value: unknown): PackedResponse | undefined {
  if (!isObject(value)) return undefined;
  const { status, headers, body } = value;
  const isWhole = typeof status === "number" && Array.isArray(headers) && headers.every(isPair);
  return isWhole && typeof body === "string" ? { status, headers, body } : undefined;
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}
