import { expect, test } from "vitest";
import { redacted } from "../../src/protocol/redacted.ts";

test("what was sent is not in the message, however deep it lay, and whether JSON wrote it or not", () => {
  const sent = { who: "Alice", list: [{ pin: 47_110_815 }, { note: 'a "quote"\nand more' }] };
  expect(redacted("No account of Alice with 47110815.", sent)).toBe("No account of … with ….");
  expect(redacted('No such note: {"note":"a \\"quote\\"\\nand more"}', sent)).toBe('No such note: {"note":"…"}');
  expect(redacted('No such note: a "quote"\nand more', sent)).toBe("No such note: …");
});

test("what is short says nothing, and is in many a message by chance", () => {
  expect(redacted("No such id: 12, or no", { id: 12, or: "no" })).toBe("No such id: 12, or no");
});

test("a part of what was sent is recognised wherever it was cut", () => {
  const text = "Dear Sir, my account has the number 4711-0815 and the password is sesame. Yours, Alice";
  for (let from = 0; from + 19 <= text.length; from++) {
    const part = text.slice(from, from + 19);
    expect(redacted(`Unexpected token: ...<${part}>... is not valid`, { text })).toBe(
      "Unexpected token: ...<…>... is not valid",
    );
  }
});

test("what is longer than what is looked through of a message is not in it either", () => {
  const long = Array.from({ length: 3_000 }, (_, at) => `${at}`).join(" ");
  expect(redacted(`No account for ${long}`, { long })).toBe("No account for …");
  expect(redacted(`No account for ${long}`, { other: "x" })).toBe(`No account for ${long}`.slice(0, 2_000));
});

test("credentials are not in it, whoever sent them", () => {
  const hex = "0123456789abcdef".repeat(6);
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
  const message = `Session ${hex}, Bearer abc.def, ${jwt} and sk_live_51H8abcdefghijklmnopqrstuvwx at https://ann:pw@example.com/a?key=1`;
  expect(redacted(message, {})).toBe("Session …, …, … and … at https://example.com/a");
  const incident = "Internal error: the server's log has it as incident 1b4e28ba-2fa1-11d2-883f-0016d3cca427.";
  expect(redacted(incident, {})).toBe(incident);
});

test("what it costs grows with what was sent, and nothing more", () => {
  const message = "a".repeat(4_000);
  let probes = 0;
  const counted = {
    get text() {
      probes += 1;
      return "a".repeat(4_000_000);
    },
  };
  expect(redacted(message, counted)).toBe("…");
  expect(probes).toBe(1);
  const values = Array.from({ length: 500_000 }, (_, at) => `v${at}`);
  expect(redacted("No account for v499999", { values })).toBe("No account for …");
  let deep: unknown = "at the bottom of it";
  for (let level = 0; level < 1_000_000; level++) deep = [deep];
  expect(redacted("It lies at the bottom of it", { deep })).toBe("It lies …");
});
