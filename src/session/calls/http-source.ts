import type { MessageExtraInfo } from "@modelcontextprotocol/server";
import { sealed } from "../../protocol/sealed-request.ts";
import type { JournalEntry } from "./journal.ts";

/** What the SDK gives to a handler about the HTTP request: `request` is v2's name for it, `requestInfo` v1's. */
export function messageExtra(request: Request, more: MessageExtraInfo = {}): MessageExtraInfo {
  return {
    ...more,
    request,
    get requestInfo() {
      return { headers: Object.fromEntries(request.headers), url: new URL(request.url) };
    },
  };
}

/** The HTTP request that brought a journaled one. */
export function requestOf({ url, headers }: JournalEntry): Request {
  return sealed(new Request(url, { method: "POST", headers }));
}
