const version = "2026-07-28";

/** A request of the stateless revision, and the headers that go with it. */
export function statelessRequest(method: string, params: Record<string, unknown> = {}) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const headers: Record<string, string> = { "mcp-protocol-version": version, "mcp-method": method };
  if (typeof params["name"] === "string") headers["mcp-name"] = params["name"];
  return { headers, message: { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } } };
}
