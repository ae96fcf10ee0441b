import type { JSONRPCMessage, McpServer, Server, ServerNotifier } from "@modelcontextprotocol/server";

/**
 * Tells those who listen (revision 2026-07-28, Subscriptions) what `server` says of its lists and resources.
 *
 * A server of the stateless revision has one request and no stream beside it, and the SDK drops what it says unasked.
 * This way `sendToolListChanged`, or a tool added at run time, means the same in every lane. It reaches the listeners
 * of this isolate: those elsewhere on the edge have their lists' `ttlMs` to go by.
 */
export function publishChanges(server: McpServer | Server, notifier: ServerNotifier): void {
  const connect = server.connect.bind(server);
  server.connect = async (transport) => {
    const send = transport.send.bind(transport);
    transport.send = async (message, options) => {
      publish(message, notifier);
      await send(message, options);
    };
    await connect(transport);
  };
}

function publish(message: JSONRPCMessage, notifier: ServerNotifier): void {
  if (!("method" in message)) return;
  switch (message.method) {
    case "notifications/tools/list_changed":
      return notifier.toolsChanged();
    case "notifications/prompts/list_changed":
      return notifier.promptsChanged();
    case "notifications/resources/list_changed":
      return notifier.resourcesChanged();
    case "notifications/resources/updated":
      if (typeof message.params?.["uri"] === "string") notifier.resourceUpdated(message.params["uri"]);
  }
}
