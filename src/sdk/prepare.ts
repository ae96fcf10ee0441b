import type { AuthInfo } from "@modelcontextprotocol/server";
import type { Settings } from "../options.ts";
import type { AnyServer } from "../server-context.ts";
import { type Caller, hookCalls } from "./call-hooks.ts";
import { traceCalls } from "./call-span.ts";
import { listOthers } from "./listings.ts";
import { challengeQuestions, hideOutOfScope } from "./scopes.ts";

/**
 * Puts around the handlers of `server` what all lanes of the edge have there: scopes, lists, hooks, and outermost the span of a
 * call. `builtFor`: see {@linkcode hideOutOfScope}.
 */
export function prepare(server: AnyServer, settings: Settings, caller: Caller, builtFor?: AuthInfo): void {
  challengeQuestions(server);
  if (settings.outOfScope === "hidden") hideOutOfScope(server, builtFor);
  listOthers(server);
  hookCalls(server, settings.onCall, caller);
  traceCalls(server, caller);
}
