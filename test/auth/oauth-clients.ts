import * as v2 from "@modelcontextprotocol/client";
import { UnauthorizedError as UnauthorizedErrorV1 } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as SseTransportV1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as HttpTransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { logIn } from "../support/agreeing-user.ts";

export type SdkName = "v1" | "v2";
export type LaneName = "sse" | "mcp";

/** Each client of the SDK, on each lane. */
export const clients: [SdkName, LaneName][] = [
  ["v1", "sse"],
  ["v1", "mcp"],
  ["v2", "sse"],
  ["v2", "mcp"],
];

/** Nothing listens there: the person's browser is looked at when it is sent to it. */
export const redirectUrl = "http://localhost:3456/callback";

/** What an application keeps for the SDK: who it is, its tokens, what it has begun. */
export class TokenStore {
  readonly redirectUrl = redirectUrl;
  /** Where the application says who it is, if it need not register (Client ID Metadata Document). */
  declare clientMetadataUrl?: string;
  /** Where the SDK last sent the browser. */
  asked: URL | undefined;
  current: v2.OAuthTokens | undefined;
  /** How often the SDK was given tokens. */
  grants = 0;
  #client: v2.OAuthClientInformationMixed | undefined;
  #verifier = "";
  #discovered: v2.OAuthDiscoveryState | undefined;

  readonly clientMetadata = {
    client_name: "test <b>client</b>",
    redirect_uris: [redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };

  clientInformation = () => this.#client;
  saveClientInformation = (client: v2.OAuthClientInformationMixed): void => void (this.#client = client);
  tokens = () => this.current;
  saveTokens = (tokens: v2.OAuthTokens): void => {
    this.current = tokens;
    this.grants += 1;
  };
  redirectToAuthorization = (url: URL): void => void (this.asked = url);
  saveCodeVerifier = (verifier: string): void => void (this.#verifier = verifier);
  codeVerifier = () => this.#verifier;
  saveDiscoveryState = (state: v2.OAuthDiscoveryState): void => void (this.#discovered = state);
  discoveryState = () => this.#discovered;
}

export interface LoggedIn {
  call(name: string, args?: Record<string, unknown>): Promise<string>;
  store: TokenStore;
  close(): Promise<void>;
}

/** A client of the SDK that is refused, has its user log in, and connects. */
export async function connect(sdk: SdkName, url: string, store = new TokenStore()): Promise<LoggedIn> {
  if (store.current === undefined) {
    const attempt = await begin(sdk, url, store);
    if (store.asked === undefined) throw new Error("the client did not open a browser");
    const { back } = await logIn(store.asked);
    await attempt.finishAuth(back.searchParams);
  }
  const opened = open(sdk, url, store);
  await opened.connect();
  return { call: opened.call, store, close: opened.close };
}

/** Is refused, and has its user's browser opened at `store.asked`. */
export async function begin(sdk: SdkName, url: string, store: TokenStore): Promise<Opened> {
  const attempt = open(sdk, url, store);
  const refusal: unknown = await attempt.connect().then(
    () => new Error("it was let in without a token"),
    (error: unknown) => error,
  );
  if (!isUnauthorized(refusal)) throw refusal;
  return attempt;
}

function open(sdk: SdkName, url: string, store: TokenStore): Opened {
  const lane = new URL(url).pathname === "/sse" ? "sse" : "mcp";
  return sdk === "v1" ? openV1(url, lane, store) : openV2(url, lane, store);
}

const isUnauthorized = (error: unknown) =>
  error instanceof UnauthorizedErrorV1 || error instanceof v2.UnauthorizedError;

interface Opened {
  connect(): Promise<void>;
  finishAuth(query: URLSearchParams): Promise<void>;
  call: LoggedIn["call"];
  close(): Promise<void>;
}

const clientInfo = { name: "official", version: "1.0.0" };
/** Longer than the SDK's default: a test says when it has waited long enough. */
const timeout = 150_000;

function openV1(url: string, lane: LaneName, store: TokenStore): Opened {
  const client = new ClientV1(clientInfo);
  const options = { authProvider: store as never };
  const transport =
    lane === "sse" ? new SseTransportV1(new URL(url), options) : new HttpTransportV1(new URL(url), options);
  return {
    connect: () => client.connect(transport, { timeout }),
    finishAuth: (query) => transport.finishAuth(query.get("code") ?? ""),
    call: async (name, args = {}) => textOf(await client.callTool({ name, arguments: args }, undefined, { timeout })),
    close: () => client.close(),
  };
}

function openV2(url: string, lane: LaneName, store: TokenStore): Opened {
  const client = new v2.Client(clientInfo);
  const options = { authProvider: store };
  const transport =
    lane === "sse"
      ? new v2.SSEClientTransport(new URL(url), options)
      : new v2.StreamableHTTPClientTransport(new URL(url), options);
  return {
    connect: () => client.connect(transport, { timeout }),
    finishAuth: (query) => transport.finishAuth(query),
    call: async (name, args = {}) => textOf(await client.callTool({ name, arguments: args }, { timeout })),
    close: () => client.close(),
  };
}

function textOf(result: unknown): string {
  const { content } = result as { content?: { text?: string }[] };
  return content?.[0]?.text ?? JSON.stringify(result);
}
