import type { CallLog } from "../../call-log.ts";
import { callerOf } from "../../link/caller.ts";
import { userIn } from "../../link/user-memory.ts";
import { type CallHook, hookCalls, namedIn } from "../../sdk/call-hooks.ts";
import { traceCalls } from "../../sdk/call-span.ts";
import { listOthers } from "../../sdk/listings.ts";
import type { AnyServer, ServerFactory, SessionMemory } from "../../server-context.ts";
import type { HandshakeRecord } from "../stored/handshake.ts";

/** What a session's server is built from. */
export interface ServerParts<Env> {
  createServer: ServerFactory<Env>;
  env: Env;
  namespace: DurableObjectNamespace;
  objectId: string;
  memory: SessionMemory;
  record: HandshakeRecord;
  hooks: readonly CallHook[];
  callLog: CallLog;
}

/** Builds the server of a session, which `request` made necessary. Rejects with what `createServer` threw. */
export async function buildServer<Env>(request: Request, parts: ServerParts<Env>): Promise<AnyServer> {
  const { createServer, env, namespace, objectId, memory, record, hooks, callLog } = parts;
  const context = {
    ...userIn(callerOf(request), namespace),
    era: "legacy",
    requestInfo: request,
    env,
    memory,
  } as const;
  const server = await createServer(context);
  listOthers(server);
  const user = namedIn(context);
  callLog.principal = user?.id;
  const caller = { lane: () => record.lane, sessionId: objectId, user };
  hookCalls(server, hooks, caller);
  traceCalls(server, caller);
  return server;
}
