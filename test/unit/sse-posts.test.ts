import { expect, test } from "vitest";
import type { Admission } from "../../src/session/in/admission.ts";
import { SsePosts } from "../../src/session/in/sse-posts.ts";

/** A session that takes everything, and what it took. */
function open() {
  const took: string[] = [];
  const toSse: Admission["toSse"] = (_request, text) => {
    took.push(text);
    return Promise.resolve({ refusal: undefined, answer: "none" });
  };
  const read: Admission["read"] = async (request) => ({ ok: true, text: await request.text() });
  const ssePosts = new SsePosts({ toSse, read, exists: () => true } as unknown as Admission);
  const again = (message: object): Promise<Response> => {
    const request = new Request("http://session/", { method: "POST", body: JSON.stringify(message) });
    return ssePosts.again({ epoch: "epoch", sequence: 7 }, request);
  };
  return { took, again };
}

test("a request that an earlier run of the object may have had does not run: its caller is told", async () => {
  const { took, again } = open();
  const response = await again({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "pay" } });
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("may or may not have taken effect");
  expect(took).toEqual([]);
});

test("an answer or a notification is taken all the same: a claim that was lost would cost the session", async () => {
  const { took, again } = open();
  const claim = { jsonrpc: "2.0", id: "claim:0123", result: {} };
  const notification = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
  expect((await again(claim)).status).toBe(202);
  expect((await again(notification)).status).toBe(202);
  expect(took).toEqual([JSON.stringify(claim), JSON.stringify(notification)]);
});
