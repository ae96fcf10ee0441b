import type { McpServer } from "@modelcontextprotocol/server";
import { CallLog } from "../../../src/call-log.ts";
import { edge } from "../../../src/index.ts";
import { createEchoServer } from "./echo-server.ts";

/** This project without what it does around a call to be seen: no line, no span. Hooks cost nothing where there are none. */
CallLog.prototype.add = () => undefined;
CallLog.prototype.tell = () => undefined;

/** By the time it is connected, the handlers have spans around them: it has those back that the SDK made. */
function createServer(): McpServer {
  const server = createEchoServer();
  const handlers = Reflect.get(server.server, "_requestHandlers") as Map<string, unknown>;
  const bare = new Map(handlers);
  const connect = server.connect.bind(server);
  server.connect = async (transport) => {
    for (const [method, handler] of bare) Map.prototype.set.call(handlers, method, handler);
    await connect(transport);
  };
  return server;
}

const app = edge(createServer);

export class Session extends app.Session {}

export default { fetch: app.fetch };
