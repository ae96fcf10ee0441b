import { BareSession, bareWorker, type Message } from "./bare-hops.ts";

/** The physical limit: the same hops and no MCP. It answers one fixed shape, without a schema. */
export class Session extends BareSession {
  override answerTo({ id, method, params }: Message): string | undefined {
    if (id === undefined) return undefined;
    if (method === "initialize") {
      const serverInfo = { name: "limit", version: "1.0.0" };
      const result = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo };
      return JSON.stringify({ jsonrpc: "2.0", id, result });
    }
    const { a = 0, b = 0, text = String(a + b), parts = 0, bytes = 0 } = params?.arguments ?? {};
    const progressToken = params?._meta?.progressToken;
    for (let progress = 1; progress <= parts; progress++) {
      const message = "x".repeat(bytes);
      this.emit(
        JSON.stringify({
          jsonrpc: "2.0",
          method: "notifications/progress",
          params: { progressToken, progress, total: parts, message },
        }),
      );
    }
    return JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } });
  }
}

export default bareWorker;
