import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from "@modelcontextprotocol/sdk/experimental/tasks";
import { registerPrompts } from "@modelcontextprotocol/server-everything/dist/prompts/index.js";
import {
  setSubscriptionHandlers,
  stopSimulatedResourceUpdates,
} from "@modelcontextprotocol/server-everything/dist/resources/subscriptions.js";
import { registerResourceTemplates } from "@modelcontextprotocol/server-everything/dist/resources/templates.js";
import { stopSimulatedLogging } from "@modelcontextprotocol/server-everything/dist/server/logging.js";
import { syncRoots } from "@modelcontextprotocol/server-everything/dist/server/roots.js";
import { registerConditionalTools, registerTools } from "@modelcontextprotocol/server-everything/dist/tools/index.js";

/** What the reference server says that it can do. */
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
  tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
};

/**
 * The official reference server, of SDK v1: its tools, prompts, templates and `oninitialized` as they are in its package. Only
 * what reads files is left out: its instructions, and the documents that it has as resources.
 */
export function createServer(): McpServer {
  const taskStore = new InMemoryTaskStore();
  const server = new McpServer(
    { name: "mcp-servers/everything", title: "Everything Reference Server", version: "2.0.0" },
    { capabilities, taskStore, taskMessageQueue: new InMemoryTaskMessageQueue() },
  );
  registerTools(server);
  registerResourceTemplates(server);
  registerPrompts(server);
  setSubscriptionHandlers(server);

  let timer: ReturnType<typeof setTimeout> | undefined;
  server.server.oninitialized = () => {
    registerConditionalTools(server);
    timer = setTimeout(() => void syncRoots(server, server.server.transport?.sessionId), 350);
  };
  // Its own transports do this when a session ends.
  server.server.onclose = () => {
    const sessionId = server.server.transport?.sessionId;
    stopSimulatedLogging(sessionId);
    stopSimulatedResourceUpdates(sessionId);
    taskStore.cleanup();
    clearTimeout(timer);
  };
  return server;
}
