import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { ServerContext } from "mcp-edge";
import * as z from "zod";
import type { Reminders } from "./worker.ts";

export interface Env {
  SESSION: DurableObjectNamespace;
  REMINDERS: DurableObjectNamespace<Reminders>;
}

/** `this.props` of the agent. */
interface Props {
  name: string;
}

/** `initialState` of the agent. */
interface State {
  counter: number;
}

const initialState: State = { counter: 0 };

/**
 * What was `init` of a class that extends `McpAgent`. State is in `memory`, props come with each call in `authInfo`, and what
 * was `this.schedule` is an object with an alarm, which outlives the session.
 */
export function createServer({ env, memory, user }: ServerContext<Env>): McpServer {
  const server = new McpServer({ name: "from-mcp-agent", version: "1.0.0" });
  const reminders = env.REMINDERS.getByName(user?.id ?? "nobody");

  const state = (): State => (memory?.get("state") as State | undefined) ?? initialState;
  const setState = (next: State): void => {
    memory?.set("state", next);
    // What `onStateUpdate` did.
    server.server.sendResourceUpdated({ uri: "counter://state" }).catch(() => undefined);
  };

  server.registerTool("increment", { inputSchema: { by: z.number().default(1) } }, ({ by }, { authInfo }) => {
    setState({ counter: state().counter + by });
    const props = authInfo?.extra?.["props"] as Props | undefined;
    return { content: [{ type: "text", text: `${props?.name ?? "nobody"}: ${state().counter}` }] };
  });

  server.registerTool("remind", { inputSchema: { text: z.string(), afterMs: z.number().int() } }, async (args) => {
    await reminders.remindIn(args.afterMs, args.text);
    return { content: [{ type: "text", text: `I will remind ${user?.id ?? "nobody"}.` }] };
  });

  server.registerTool("reminders", {}, async () => ({
    content: [{ type: "text", text: JSON.stringify(await reminders.due()) }],
  }));

  server.registerResource("counter", "counter://state", {}, ({ href }) => ({
    contents: [{ uri: href, text: JSON.stringify(state()) }],
  }));

  return server;
}
