/** What a project imports to publish its server. Everything else in this folder is the inside. */
export { edge, type EdgeApp, type SessionInstance } from "./edge-app.ts";
export type { Auth, Authenticate, Caller } from "./auth/auth.ts";
export type { EdgeOptions } from "./options.ts";
export type { CallHook, CallResult, HookedCall } from "./sdk/call-hooks.ts";
export type { AnyServer, ServerContext, ServerFactory, SessionMemory, User, UserMemory } from "./server-context.ts";
export {
  failure,
  type FailureResult,
  structured,
  type StructuredResult,
  text,
  type TextResult,
  tool,
  type ToolConfig,
  type ToolResult,
} from "./tools.ts";
