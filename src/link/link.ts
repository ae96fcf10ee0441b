/**
 * All that a Worker and a session's object say to each other, by a name for each: callers say `link.x`. Clients never see any
 * of it.
 * - A request to the object, with what it is for in its headers: `ask.ts`, `attach-request.ts`.
 * - Over the WebSocket that attaching opens, as text: `from-relay.ts` and `from-object.ts`; as bytes: `frame.ts`.
 * - How that WebSocket, or the object, ends: `ending.ts`.
 * - Which version of all that either speaks: `version.ts`, `version-1.ts`.
 */
export * from "./afterwards.ts";
export * from "./ask.ts";
export * from "./attach-request.ts";
export * from "./caller.ts";
export * from "./claim-id.ts";
export * from "./ending.ts";
export * from "./frame.ts";
export * from "./from-object.ts";
export * from "./from-relay.ts";
export * from "./joined.ts";
export * from "./packed-response.ts";
export * from "./post.ts";
export * from "./stream-name.ts";
export * from "./unknown.ts";
export * from "./version-1.ts";
export * from "./version.ts";
