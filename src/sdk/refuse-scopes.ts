import {
  type AuthInfo,
  getOAuthProtectedResourceMetadataUrl,
  type JSONRPCRequest,
  type ScopeChallengeHandler,
} from "@modelcontextprotocol/server";
import { insufficientScope } from "../auth/challenge.ts";

/**
 * The answer to a POST whose caller may do too little for one of its requests: 403 with the scopes that are missing (revision
 * 2025-11-25, Scope Challenge Handling), for which a client can log in again. The SDK's own transports, of which the stateless
 * revision has one, do the same. Rejects with what a challenge of the user's threw.
 */
export async function refuseScopes(
  requests: JSONRPCRequest[],
  authInfo: AuthInfo | undefined,
  challenge: ScopeChallengeHandler,
): Promise<Response | undefined> {
  for (const request of requests) {
    const missing = await challenge({ request, ...(authInfo && { authInfo }) });
    if (missing === undefined) continue;
    return insufficientScope([...missing.scopes], missing.errorDescription, metadataUrlIn(authInfo));
  }
  return undefined;
}

function metadataUrlIn(authInfo: AuthInfo | undefined): string | undefined {
  const { resourceMetadataUrl, resource } = authInfo ?? {};
  return resourceMetadataUrl ?? (resource && getOAuthProtectedResourceMetadataUrl(resource));
}
