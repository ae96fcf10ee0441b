import type { MessageExtraInfo } from "@modelcontextprotocol/server";
import { callerOf } from "../../link/caller.ts";

/** What the SDK gives to a handler about the HTTP request: `request` is v2's name for it, `requestInfo` v1's. */
export function messageExtra(request: Request, more: MessageExtraInfo = {}): MessageExtraInfo {
  const caller = callerOf(request);
  return {
    ...more,
    ...(caller && { authInfo: caller.authInfo }),
    request,
    get requestInfo() {
      return { headers: Object.fromEntries(request.headers), url: new URL(request.url) };
    },
  };
}
