import {
  auth,
  discoverOAuthProtectedResourceMetadata,
  extractResourceMetadataUrl,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from "@modelcontextprotocol/client";

/** How a server that answers 401 lets people in, as far as it says. */
export interface LoginWay {
  /** Who gives out its tokens (RFC 9728, section 2); empty if it does not say. */
  issuers: readonly string[];
  /** Whether the page can go there by itself: its policy lets it ask no host but its own. */
  isOwn: boolean;
}

/** What must outlive the way to the login and back, and does not outlive the tab. No token is among it. */
const store = {
  read: (name: string): string | undefined => sessionStorage.getItem(`mcp-edge ${name}`) ?? undefined,
  write: (name: string, value: string): void => sessionStorage.setItem(`mcp-edge ${name}`, value),
  remove: (name: string): void => sessionStorage.removeItem(`mcp-edge ${name}`),
};

/** `response`: the 401. @throws {Error} if what it names is not to be had. */
export async function findLogin(response: Response, server: URL): Promise<LoginWay> {
  const resourceMetadataUrl = extractResourceMetadataUrl(response);
  if (resourceMetadataUrl === undefined) return { issuers: [], isOwn: false };
  const { authorization_servers: issuers = [] } = await discoverOAuthProtectedResourceMetadata(server, {
    resourceMetadataUrl,
  });
  return { issuers, isOwn: issuers.some((issuer) => URL.parse(issuer)?.origin === location.origin) };
}

/** Leaves the page for the login, which comes back to it. */
export async function goToLogin(server: URL): Promise<void> {
  store.write("search", location.search);
  const provider = new PageProvider();
  // The client of an earlier login may have been registered for another path of the server, or be forgotten by it.
  provider.invalidateCredentials("all");
  await auth(provider, { serverUrl: server });
}

/** Whether the page was opened by the login, on its way back. */
export interface Returned {
  /** `null`: nobody was let in. */
  code: string | null;
  /** Why, in the words of the login, if it says. */
  error: string | null;
  iss: string | undefined;
}

/** Takes what the login left in the URL, and puts back the query that the page was opened with. */
export function takeReturned(): Returned | undefined {
  const query = new URLSearchParams(location.search);
  const [code, state, expected] = [query.get("code"), query.get("state"), store.read("state")];
  if (state === null || expected === undefined || state !== expected) return undefined;
  store.remove("state");
  history.replaceState(null, "", `${location.pathname}${store.read("search") ?? ""}`);
  const error = query.get("error_description") ?? query.get("error");
  return { code, error, iss: query.get("iss") ?? undefined };
}

/** The token that the code of a login is worth. @throws {Error} in the words of the login. */
export async function redeem({ code, error, iss }: Returned, server: URL): Promise<string> {
  if (code === null) throw new Error(error ?? "it gave no code");
  const provider = new PageProvider();
  await auth(provider, { serverUrl: server, authorizationCode: code, ...(iss !== undefined && { iss }) });
  return provider.tokens()?.access_token ?? "";
}

/** A public client (OAuth 2.1, section 2.1) that registers itself, for this tab. */
class PageProvider implements OAuthClientProvider {
  readonly redirectUrl = `${location.origin}${location.pathname}`;
  readonly clientMetadata = {
    client_name: `The page of ${location.host}`,
    redirect_uris: [this.redirectUrl],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  #tokens: StoredOAuthTokens | undefined;

  state(): string {
    const state = crypto.randomUUID();
    store.write("state", state);
    return state;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    const saved = store.read("client");
    return saved === undefined ? undefined : (JSON.parse(saved) as StoredOAuthClientInformation);
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    store.write("client", JSON.stringify(client));
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }

  redirectToAuthorization(url: URL): void {
    location.assign(url);
  }

  saveCodeVerifier(verifier: string): void {
    store.write("verifier", verifier);
  }

  codeVerifier(): string {
    return store.read("verifier") ?? "";
  }

  /** On the way back the code is given to nobody but whom the way there led to. */
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    store.write("discovery", JSON.stringify(state));
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    const saved = store.read("discovery");
    return saved === undefined ? undefined : (JSON.parse(saved) as OAuthDiscoveryState);
  }

  invalidateCredentials(scope: string): void {
    for (const kind of ["client", "verifier", "discovery"]) if (scope === "all" || scope === kind) store.remove(kind);
  }
}
