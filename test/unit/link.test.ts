import { describe, expect, test } from "vitest";
import * as link from "../../src/link/link.ts";

const key: link.PostKey = { epoch: "e", sequence: 3 };
const refusal = { status: 409, headers: [["a", "b"] as [string, string]], body: "no" };

describe("what a relay says, and what an object says", () => {
  test("is read as it was written", () => {
    const fromRelay: link.FromRelay[] = [
      { is: "post", post: { key, head: "http://localhost/\na:b: c", text: '{"a":"\\n\\n"}\n\n' } },
      { is: "confirmation", sequence: 1_800_000_000_000_000 },
      { is: "no-room" },
    ];
    expect(fromRelay.map((said) => link.parseFromRelay(link.formatFromRelay(said)))).toEqual(fromRelay);
    const fromObject: link.FromObject[] = [
      { is: "attach", sessionId: "0".repeat(64) },
      { is: "kept", sequence: 7 },
      { is: "receipt", sequence: 7, isAnswered: true },
      { is: "receipt", sequence: 7, refusal, isAnswered: false },
    ];
    expect(fromObject.map((said) => link.parseFromObject(link.formatFromObject(said)))).toEqual(fromObject);
  });

  test("is not taken for anything else if it is no word of this version", () => {
    const toObject = [
      "",
      "carried",
      "carried e.3",
      "carried e.3\nhead",
      "carried e.x\nh\n\n{}",
      "-1",
      "1e3",
      "later",
      "{}",
    ];
    expect(toObject.map(link.parseFromRelay).filter((said) => said !== undefined)).toEqual([]);
    expect(link.parseFromRelay(new ArrayBuffer(8))).toBeUndefined();
    const toRelay = [
      "",
      "kept 7",
      "null",
      "7",
      "[]",
      "{}",
      '{"kept":"7"}',
      '{"attach":7}',
      '{"receipt":7}',
      '{"receipt":7,"isAnswered":true,"refusal":{"status":409}}',
      '{"receipt":7,"isAnswered":true,"refusal":{"status":409,"headers":[["a"]],"body":""}}',
    ];
    expect(toRelay.map(link.parseFromObject).filter((said) => said !== undefined)).toEqual([]);
  });

  test("is read as version 1 writes it", () => {
    expect(link.parseFromRelay("not kept")).toEqual({ is: "no-room" });
    const sequence = 5 * 2 ** 32 + 2;
    const post = { key: { epoch: "v1 5", sequence }, head: "http://localhost/", text: "{}" };
    expect(link.parseFromRelay(`post ${sequence}\nhttp://localhost/\n\n{}`)).toEqual({ is: "post", post });
  });
});

describe("what a request to an object asks for", () => {
  const holder = { secret: "a".repeat(32), owner: "the hash of somebody" };
  const end = { stream: "p1", openedAtMs: 1_800_000_000_000, holder };
  const attach = { ...end, lastPost: key };
  const asks: link.Ask[] = [
    { verb: "attach", attach: { ...attach, session: "new", position: undefined } },
    { verb: "attach", attach: { ...attach, session: "unstored", position: { after: 0, saidBy: "relay" } } },
    { verb: "attach", attach: { ...attach, session: "stored", position: { after: 7, saidBy: "relay" } } },
    { verb: "attach", attach: { ...attach, session: "stored", position: { after: 7, saidBy: "client" } } },
    { verb: "attach", attach: { ...attach, session: "stored", position: undefined, lastPost: undefined } },
    { verb: "release", sessionId: "0".repeat(64), holder },
    { verb: "return", ...end },
    { verb: "sse-again", key },
    { verb: "mcp-initialize", secret: "b".repeat(32) },
    { verb: "mcp-end" },
    { verb: "changes-tell" },
    { verb: "user-memory" },
  ];

  test("is read as it was written, with the version of who wrote it", () => {
    const { version } = link;
    const read = asks.map((ask) => link.parseAsk(new Headers(link.askHeaders(ask))));
    const meant = asks.map((ask) => (ask.verb === "attach" ? { ...ask, attach: { ...ask.attach, version } } : ask));
    expect(read).toEqual(meant);
  });

  test("is a message, if a client's request came as it is", () => {
    expect(link.parseAsk(new Headers())).toEqual({ verb: "sse-message" });
    expect(link.parseAsk(new Headers({ "mcp-session-id": "0" }))).toEqual({ verb: "mcp-message" });
  });

  test("is nothing, if it is no word of this version", () => {
    const unknown = [
      { "mcp-edge-verb": "detach" },
      { "mcp-edge-verb": "toString" },
      { "mcp-edge-verb": "attach" },
      { "mcp-edge-verb": "attach", "mcp-edge-attach": "renewed" },
      { "mcp-edge-verb": "attach", "mcp-edge-attach": "constructor" },
      { "mcp-edge-verb": "sse-again" },
    ];
    expect(unknown.map((headers) => link.parseAsk(new Headers(headers))).filter((ask) => ask !== undefined)).toEqual(
      [],
    );
  });
});
