import { bearerAuthChallengeResponse, OAuthError, OAuthErrorCode } from "@modelcontextprotocol/server";

/**
 * What a request is told that may not come in. Where the server has an authorization server, the Worker adds to such an
 * answer where the document about that is, so nothing here knows the server's URL.
 */

/**
 * What `keys` made: its clients have a secret in their configuration, and are told of no authorization server, where they would go
 * instead of sending it.
 */
export const withKeys = new WeakSet<object>();

/** What clients are told to wait while an identity provider cannot be reached, seconds. */
const retryAfterSeconds = "5";

/** 401: no token, or one that is no good (RFC 6750, section 3.1). Clients get another, so never for what another cannot mend. */
export function unauthorized(description: string, requiredScopes: string[] = []): Response {
  return bearerAuthChallengeResponse(new OAuthError(OAuthErrorCode.InvalidToken, description), { requiredScopes });
}

/**
 * 403: the token is good, and may do too little. `scopes`: all that this request needs. `resourceMetadataUrl`: where it is
 * known already who gives out a token that may do more.
 */
export function insufficientScope(
  scopes: string[],
  description = "Insufficient scope",
  resourceMetadataUrl?: string,
): Response {
  const error = new OAuthError(OAuthErrorCode.InsufficientScope, description);
  return bearerAuthChallengeResponse(error, {
    requiredScopes: scopes,
    ...(resourceMetadataUrl && { resourceMetadataUrl }),
  });
}

/** 503: nobody can say now whether the token is good. After a 401, clients would throw it away. */
export function unavailable(description: string): Response {
  const body = { error: "temporarily_unavailable", error_description: description };
  return Response.json(body, { status: 503, headers: { "retry-after": retryAfterSeconds } });
}
