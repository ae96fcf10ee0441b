const encoder = new TextEncoder();

/** `text` as it is stored and sent. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** How long `text` is as UTF-8, bytes. */
export function utf8Bytes(text: string): number {
  return utf8(text).byteLength;
}
