import { createHash } from "node:crypto";

/** A long value in a line, for an assertion that shows which came and does not print megabytes. Equal values are equal. */
export function digest(value: string | ArrayBuffer | undefined): string {
  if (value === undefined) return "undefined";
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
  const hash = createHash("sha256").update(bytes).digest("base64url");
  const begin = JSON.stringify(bytes.subarray(0, 20).toString("latin1"));
  return `${typeof value === "string" ? "text" : "binary"} of ${bytes.byteLength} bytes, ${begin}…, ${hash}`;
}
