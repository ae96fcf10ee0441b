/** What a project imports to publish its server. Everything else in this folder is the inside. */
export { edge, type EdgeApp } from "./edge-app.ts";
export type { EdgeOptions } from "./options.ts";
export type { CallHook, CallResult, HookedCall } from "./sdk/call-hooks.ts";
export type { ServerContext, ServerFactory, SessionMemory } from "./server-context.ts";
export { failure, structured, text, tool } from "./tools.ts";
