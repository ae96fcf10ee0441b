import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { patient } from "../support/patient.ts";
import { initialize, postJson, RawSseClient, textOf } from "../support/raw-client.ts";

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge("test/fixtures/small-bounds.ts", { options: patient });
});
afterAll(() => edge.close());

const forged = "0123456789abcdef".repeat(4);
const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

interface ErrorBody {
  jsonrpc: string;
  id: unknown;
  error: { code: number; message: string };
}

/** Each refusal: its status, its JSON-RPC code, a word of what it says to do, nothing internal, and for nobody else. */
async function expectRefusal(response: Response, status: number, code: number, says: RegExp): Promise<ErrorBody> {
  const text = await response.text();
  expect([response.status, response.headers.get("cache-control"), text]).toEqual([status, "no-store", text]);
  const body = JSON.parse(text) as ErrorBody;
  expect(body.jsonrpc).toBe("2.0");
  expect(body.error.code).toBe(code);
  expect(body.error.message).toMatch(says);
  expect(text).not.toMatch(/\bat \w+ \(|\.ts:|\.js:|node_modules/);
  return body;
}

/** Runs `attempt` in a living session, and shows that the session survives it. */
async function inSession(attempt: (client: RawSseClient) => Promise<void>): Promise<void> {
  const client = await RawSseClient.open(edge.url);
  await attempt(client);
  expect(textOf(await client.call("echo", { text: "alive" }))).toBe("alive");
  client.close();
}

/** By an error of the protocol, or by a result that is one. */
function expectFailed(answer: Record<string, unknown>): void {
  expect(answer["error"] === undefined ? answer["result"] : { isError: true }).toMatchObject({ isError: true });
}

describe("what a client sends wrong over HTTP+SSE", () => {
  test("a body that is not JSON is refused with 400 and -32700", () =>
    inSession(async (client) => {
      await expectRefusal(await client.post("{ not json"), 400, -32_700, /Send one JSON-RPC/);
    }));

  test.each([
    ["a number", 42, /JSON object/],
    ["no jsonrpc member", { id: 1, method: "ping" }, /"jsonrpc": "2.0"/],
    ["an id that is an object", { jsonrpc: "2.0", id: {}, method: "ping" }, /string or an integer/],
    ["params that are a list", { jsonrpc: "2.0", id: 1, method: "ping", params: [] }, /params must be an object/],
    ["neither method nor result", { jsonrpc: "2.0", id: 1 }, /a method, or an id/],
    ["an empty batch", [], /empty/],
    ["a batch of 101", Array.from({ length: 101 }, (_, id) => ({ ...ping, id })), /at most 100/],
  ])("%s is refused with 400 and -32600", (_name, body, says) =>
    inSession(async (client) => {
      await expectRefusal(await client.post(body), 400, -32_600, says);
    }),
  );

  test("a wrong content type is refused with 415", () =>
    inSession(async (client) => {
      const response = await client.post(ping, { "content-type": "text/plain" });
      await expectRefusal(response, 415, -32_000, /application\/json/);
    }));

  test("a body over maxBodyBytes is refused with 413", () =>
    inSession(async (client) => {
      const body = { ...ping, params: { filler: "x".repeat(70_000) } };
      await expectRefusal(await client.post(body), 413, -32_000, /at most 65536 bytes/);
    }));

  test("a chunked body is counted while it is read, and refused before it ends", () =>
    inSession(async (client) => {
      const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
        const request = httpRequest(client.endpoint, {
          method: "POST",
          headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
        });
        request.on("response", (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        });
        request.on("error", reject);
        // Never ended, and not a byte more than the one too many: the answer must come all the same.
        for (let sent = 0; sent < 64; sent++) request.write(" ".repeat(1_024));
        request.write(" ");
      });
      expect(answer.status).toBe(413);
      expect(answer.text).toContain("at most 65536 bytes");
    }));

  test("an unknown method is answered -32601 on the stream", () =>
    inSession(async (client) => {
      expect((await client.request("no/such"))["error"]).toMatchObject({ code: -32_601 });
    }));

  test("server/discover is answered -32601, so that no client goes stateless over SSE", () =>
    inSession(async (client) => {
      expect((await client.request("server/discover"))["error"]).toMatchObject({ code: -32_601 });
    }));

  test("an unknown tool is answered -32602 and named", () =>
    inSession(async (client) => {
      const { error } = await client.call("no_such_tool");
      expect(error).toMatchObject({ code: -32_602, message: expect.stringContaining("no_such_tool") });
    }));

  test("arguments that do not match are an error the model can read, naming the argument", () =>
    inSession(async (client) => {
      const { result } = await client.call("echo", { text: 5 });
      expect(result).toMatchObject({ isError: true });
      expect(JSON.stringify(result)).toContain("text");
    }));

  test("a tool that throws says its message and no stack", () =>
    inSession(async (client) => {
      const answer = await client.call("throws");
      expect(answer["result"]).toMatchObject({ isError: true });
      expect(textOf(answer)).toBe("the database is on fire");
    }));

  test.each(["nonsense", "cyclic"])("a tool that returns something %s is answered with an error", (tool) =>
    inSession(async (client) => {
      const answer = await client.call(tool);
      expectFailed(answer);
      expect(JSON.stringify(answer)).not.toMatch(/\.ts:|\.js:/);
    }),
  );

  test.each([
    ["result", /The result of tools\/call is larger than 131072 bytes\. Ask for less/],
    ["notification", /notifications\/message is larger than 131072 bytes\. Send less/],
    ["request", /ping is larger than 131072 bytes\. Send less/],
  ])("a %s above maxMessageBytes becomes an error that says so", (way, words) =>
    inSession(async (client) => {
      const answer = await client.call("say", { way, bytes: 131_072 });
      expectFailed(answer);
      expect(JSON.stringify(answer)).toMatch(words);
      expect(textOf(await client.call("say", { way: "notification", bytes: 130_000 }))).toBe("said");
    }),
  );

  test("a request id that is still being answered is refused with 400", () =>
    inSession(async (client) => {
      const call = { jsonrpc: "2.0", id: "same", method: "tools/call", params: { name: "hold", arguments: {} } };
      expect((await client.post(call)).status).toBe(202);
      await expectRefusal(await client.post(call), 400, -32_600, /Use a new id/);
      await client.release();
      expect(textOf(await client.stream.answerTo("same"))).toBe("released");
    }));

  test("more calls at once than maxCallsInFlight are refused with 429, and the others are answered", () =>
    inSession(async (client) => {
      const ids = await Promise.all([1, 2, 3, 4].map(() => client.hold()));
      await expectRefusal(await client.post({ ...ping, id: "fifth" }), 429, -32_000, /Wait for one/);
      await client.release();
      for (const id of ids) expect(textOf(await client.stream.answerTo(id))).toBe("released");
    }));

  test("longer calls at once than twice maxBodyBytes are refused with 429, and the others are answered", () =>
    inSession(async (client) => {
      const waiting = {
        method: "tools/call",
        params: { name: "hold", arguments: { filler: "x".repeat(60_000) } },
      };
      const half = { ...waiting, params: { name: "hold", arguments: { filler: "x".repeat(30_000) } } };
      const batch = ["b1", "b2"].map((id) => ({ jsonrpc: "2.0", id, ...half }));
      const accepted = await Promise.all([client.post(batch), client.send(waiting.method, waiting.params)]);
      expect(accepted[0].status).toBe(202);
      const third = { jsonrpc: "2.0", id: "third", ...waiting };
      await expectRefusal(await client.post(third), 429, -32_000, /131072 bytes .* Wait for one/);
      expect(await client.request("ping")).toMatchObject({ result: {} });
      await client.release();
      for (const id of ["b1", "b2", accepted[1]]) expect(textOf(await client.stream.answerTo(id))).toBe("released");
      expect((await client.post(third)).status).toBe(202);
      expect(textOf(await client.stream.answerTo("third"))).toBe("released");
    }));

  test("a POST without sessionId is refused with 400", async () => {
    await expectRefusal(await postJson(`${edge.url}/sse/message`, ping), 400, -32_000, /endpoint event/);
  });

  test("a forged session is refused with 404, and no object is touched", async () => {
    const before = await edge.worker.listDurableObjectIds("Session");
    const response = await postJson(`${edge.url}/sse/message?sessionId=${forged}`, ping);
    await expectRefusal(response, 404, -32_001, /Connect again/);
    expect(await edge.worker.listDurableObjectIds("Session")).toEqual(before);
  });

  test("a session that has ended is refused with 404", async () => {
    const brief = await startEdge("test/fixtures/small-bounds.ts");
    onTestFinished(() => brief.close());
    const client = await RawSseClient.open(brief.url);
    client.close();
    await expect.poll(async () => (await brief.inspect(client.sessionId)).rows).toEqual([]);
    await expectRefusal(await client.post(ping), 404, -32_001, /Connect again/);
  });
});

describe("what a client sends wrong over Streamable HTTP", () => {
  async function openMcp(): Promise<Record<string, string>> {
    const response = await postJson(`${edge.url}/mcp`, initialize());
    return { "mcp-session-id": response.headers.get("mcp-session-id") ?? "" };
  }

  test("a call without a session is refused with 400", async () => {
    await expectRefusal(await postJson(`${edge.url}/mcp`, ping), 400, -32_000, /initialize first/);
  });

  test("a forged session is refused with 404 on POST, GET and DELETE", async () => {
    const headers = { "mcp-session-id": forged, accept: "*/*" };
    await expectRefusal(await postJson(`${edge.url}/mcp`, ping, headers), 404, -32_001, /Connect again/);
    await expectRefusal(await fetch(`${edge.url}/mcp`, { headers }), 404, -32_001, /Connect again/);
    await expectRefusal(await fetch(`${edge.url}/mcp`, { method: "DELETE", headers }), 404, -32_001, /Connect again/);
  });

  test("an ended session is refused with 404, for every method", async () => {
    const headers = await openMcp();
    expect((await fetch(`${edge.url}/mcp`, { method: "DELETE", headers })).status).toBe(204);
    await expectRefusal(await postJson(`${edge.url}/mcp`, ping, headers), 404, -32_001, /Connect again/);
    const listening = await fetch(`${edge.url}/mcp`, { headers: { ...headers, accept: "text/event-stream" } });
    await expectRefusal(listening, 404, -32_001, /Connect again/);
    const again = await fetch(`${edge.url}/mcp`, { method: "DELETE", headers });
    await expectRefusal(again, 404, -32_001, /Connect again/);
  });

  test("a client that accepts no event stream is refused with 406", async () => {
    const post = await postJson(`${edge.url}/mcp`, ping, { accept: "application/json" });
    await expectRefusal(post, 406, -32_000, /text\/event-stream/);
    const get = await fetch(`${edge.url}/mcp`, { headers: { ...(await openMcp()), accept: "application/json" } });
    await expectRefusal(get, 406, -32_000, /text\/event-stream/);
  });

  test("a second initialize in a session, and one in a batch, are refused with 400", async () => {
    await expectRefusal(await postJson(`${edge.url}/mcp`, initialize(), await openMcp()), 400, -32_600, /initialized/);
    await expectRefusal(await postJson(`${edge.url}/mcp`, [initialize(), ping]), 400, -32_600, /alone/);
  });

  test("a revision that sessions do not serve is refused with 400 and the ones they do", async () => {
    const headers = { ...(await openMcp()), "mcp-protocol-version": "1999-01-01" };
    await expectRefusal(await postJson(`${edge.url}/mcp`, ping, headers), 400, -32_000, /2025-11-25/);
  });

  test("a body that is not JSON is refused with 400 and the session survives", async () => {
    const headers = await openMcp();
    await expectRefusal(await postJson(`${edge.url}/mcp`, "{", headers), 400, -32_700, /Send one/);
    await expectRefusal(await postJson(`${edge.url}/mcp`, "{"), 400, -32_700, /Send one/);
    expect((await postJson(`${edge.url}/mcp`, ping, headers)).status).toBe(200);
  });

  test("a session of one transport is not spoken to by the other", async () => {
    const sse = await RawSseClient.open(edge.url);
    const asMcp = await postJson(`${edge.url}/mcp`, ping, { "mcp-session-id": sse.sessionId });
    await expectRefusal(asMcp, 400, -32_000, /endpoint URL/);
    const { "mcp-session-id": id } = await openMcp();
    await expectRefusal(await postJson(`${edge.url}/sse/message?sessionId=${id}`, ping), 400, -32_000, /endpoint URL/);
    sse.close();
  });
});

describe("where a client goes wrong", () => {
  test.each([
    ["PUT", "/sse", "GET, POST, DELETE"],
    ["PATCH", "/mcp", "GET, POST, DELETE"],
    ["GET", "/sse/message", "POST"],
  ])("%s %s is refused with 405 and the methods that are allowed", async (method, path, allow) => {
    const response = await fetch(edge.url + path, { method });
    expect(response.headers.get("allow")).toBe(allow);
    await expectRefusal(response, 405, -32_000, /Method Not Allowed/);
  });

  test("an unknown path is refused with 404 and the two URLs that exist", async () => {
    await expectRefusal(await fetch(`${edge.url}/nowhere`), 404, -32_000, /\/sse .*\/mcp/);
  });

  test("a web page from elsewhere is refused with 403 on every path", async () => {
    for (const path of ["/sse", "/mcp", "/sse/message?sessionId=x"]) {
      const response = await postJson(edge.url + path, ping, { origin: "https://evil.example" });
      await expectRefusal(response, 403, -32_000, /Invalid Origin: evil\.example\. .*allowedOrigins/);
    }
  });
});
