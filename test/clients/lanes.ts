import { SERVER_INFO_META_KEY } from "@modelcontextprotocol/client";
import { connectStdio, connectV1, connectV2, type OfficialClient, type User } from "../support/official-clients.ts";

/** One way from an official client to a server. */
export interface Lane {
  name: string;
  /** What the client is told of the protocol: every lane but the stateless one keeps a session. */
  revision: "2025-11-25" | "2026-07-28";
  connect(user?: User): Promise<OfficialClient>;
}

/** All lanes of a server that listens at `base` and is run on stdio by `script`. */
export function lanesOf({ base, script }: { base: string; script: string }): Lane[] {
  const sse = `${base}/sse`;
  const mcp = `${base}/mcp`;
  const session = { revision: "2025-11-25" } as const;
  const modern = { revision: "2026-07-28" } as const;
  const auto = { mode: "auto" } as const;
  return [
    { name: "stdio", ...session, connect: (user = {}) => connectStdio(script, { user }) },
    { name: "stdio, 2026-07-28", ...modern, connect: (user = {}) => connectStdio(script, { user, ...auto }) },
    { name: "/sse, SDK v1", ...session, connect: (user) => connectV1(sse, "sse", user) },
    { name: "/sse, SDK v2", ...session, connect: (user = {}) => connectV2(sse, "sse", { user }) },
    { name: "/mcp, SDK v1", ...session, connect: (user) => connectV1(mcp, "http", user) },
    { name: "/mcp, SDK v2", ...session, connect: (user = {}) => connectV2(mcp, "http", { user }) },
    { name: "POST /sse, SDK v1", ...session, connect: (user) => connectV1(sse, "http", user) },
    { name: "POST /sse, SDK v2", ...session, connect: (user = {}) => connectV2(sse, "http", { user }) },
    { name: "/mcp, stateless", ...modern, connect: (user = {}) => connectV2(mcp, "http", { user, ...auto }) },
  ];
}

/** What came back to the user of a client. */
export interface Outcome {
  result?: unknown;
  error?: { code: unknown; message: string };
}

/**
 * An outcome without what only some clients are told and no tool can influence: 2026-07-28 adds cache hints (`ttlMs`,
 * `cacheScope`) and the server's name in `_meta` to its results, and SDK v1 writes the error's code into its message.
 */
export function normalised({ result, error }: Outcome): Outcome {
  if (error !== undefined) {
    return { error: { ...error, message: error.message.replace(/^MCP error -?\d+: /, "") } };
  }
  const {
    ttlMs: _ttlMs,
    cacheScope: _cacheScope,
    _meta,
    ...rest
  } = result as { _meta?: Record<string, unknown> } & Record<string, unknown>;
  const { [SERVER_INFO_META_KEY]: _serverInfo, ...meta } = _meta ?? {};
  return { result: Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest };
}

export async function outcomeOf(answer: Promise<unknown>): Promise<Outcome> {
  try {
    return { result: await answer };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: { code: (error as { code?: unknown }).code, message: error.message } };
  }
}
