import { utf8 } from "./utf8.ts";

/** SHA-256 of `text`, 64 hexadecimal digits. */
export async function hashOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What the log calls a session or a user: the first 8 digits of {@linkcode hashOf}. Enough to tell apart whom one looks for,
 * and nobody can enter by it.
 */
export async function shortHash(text: string): Promise<string> {
  return (await hashOf(text)).slice(0, 8);
}
