/**
 * The token of `authorization: Bearer …` (RFC 6750, section 2.1); `undefined` if there is none, or more than one. Tokens in
 * the query or in the body are not read: revisions forbid the first, and the second is the client's message.
 */
export function bearerOf({ headers }: Request): string | undefined {
  return /^bearer +([^\s,]+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
}
