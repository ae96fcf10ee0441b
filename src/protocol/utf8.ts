const encoder = new TextEncoder();

/** How long `text` is as UTF-8, which is how it is stored and sent, bytes. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).byteLength;
}
