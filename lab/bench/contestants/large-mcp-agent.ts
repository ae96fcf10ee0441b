import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { McpAgent } from "agents/mcp";
import { largeTools } from "./large-server.ts";

/** `McpAgent` with a server of real size. */
export class Session extends McpAgent {
  server = new McpServer({ name: "large", version: "1.0.0" });

  override async init(): Promise<void> {
    for (const { name, description, members } of largeTools) {
      this.server.registerTool(name, { description, inputSchema: members }, () => ({ content: [] }));
    }
  }
}

export default Session.serveSSE("/sse", { binding: "SESSION" });
