import { isObject } from "./json-rpc.ts";

/** Version 00 with ids that are not all zero (W3C, Trace Context: traceparent). */
const shape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace, as its request's `_meta` or else its headers say it; `undefined` if neither has a valid one. */
export function traceparentIn(meta: unknown, inHeaders?: string | null): string | undefined {
  const inMeta = isObject(meta) ? meta["traceparent"] : undefined;
  if (typeof inMeta === "string" && shape.test(inMeta)) return inMeta;
  return typeof inHeaders === "string" && shape.test(inHeaders) ? inHeaders : undefined;
}
