import type { CallLog } from "../../call-log.ts";
import { callerOf } from "../../link/caller.ts";
import { userIn } from "../../link/user-memory.ts";
import { namedIn } from "../../sdk/call-hooks.ts";
import { prepare } from "../../sdk/prepare.ts";
import { challengeScopes } from "../../sdk/scopes.ts";
import type { Settings } from "../../options.ts";
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
  settings: Settings;
  callLog: CallLog;
}

/** Builds the server of a session, which `request` made necessary. Rejects with what `createServer` threw. */
export async function buildServer<Env>(request: Request, parts: ServerParts<Env>): Promise<AnyServer> {
  const { createServer, env, namespace, objectId, memory, record, settings, callLog } = parts;
  const context = {
    ...userIn(callerOf(request), namespace),
    era: "legacy",
    requestInfo: request,
    env,
    memory,
  } as const;
  const server = await createServer(context);
  challengeScopes(server);
  const user = namedIn(context);
  callLog.principal = user?.id;
  prepare(server, settings, { lane: () => record.lane, sessionId: objectId, user });
  return server;
}
