import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { isResponse } from "../../protocol/json-rpc.ts";

/** Name of the version metadata binding in wrangler.toml. Without it no version is known, and nobody is told of a new one. */
const versionBinding = "CF_VERSION_METADATA";

/** Enough of a version's id to tell it from the one before. */
const versionLength = 8;

/** The lists that a server may have and change (revision 2025-11-25, Capability Negotiation). */
const lists = ["tools", "prompts", "resources"];

/** Which version of the Worker this is: another after each deploy, and each time that `npm start` has bundled a saved source. */
export function versionIn(env: unknown): string | undefined {
  const id: unknown = Object(Object(env)[versionBinding]).id;
  return typeof id === "string" ? id.slice(0, versionLength) : undefined;
}

/** Of the answer to `initialize`: the lists of whose changes the server said it would tell. */
export function changingLists(answer: JSONRPCMessage): string[] {
  const result = Object(isResponse(answer) && "result" in answer ? answer.result : undefined);
  const capabilities = Object(result.capabilities);
  return lists.filter((list) => Object(capabilities[list]).listChanged === true);
}
