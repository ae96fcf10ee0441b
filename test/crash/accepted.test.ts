import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout as passing } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WireConnection } from "../../lab/bench/http-wire.ts";
import { RawStream } from "../support/raw-client.ts";
import { startWorkerd, type WorkerdProcess } from "../support/workerd-process.ts";

/** How long a process that keeps a core busy lives at most, milliseconds. */
const busyForMs = 600_000;

let server: WorkerdProcess;
/** Where nobody else wants the cores, what a process writes in one turn is hardly ever cut in two by a kill. */
let busy: ChildProcess[] = [];
beforeAll(async () => {
  server = await startWorkerd({ main: "test/fixtures/torture.ts" });
  const loop = `const end = Date.now() + ${busyForMs}; while (Date.now() < end);`;
  busy = Array.from({ length: availableParallelism() + 1 }, () => spawn(process.execPath, ["-e", loop]));
});
afterAll(async () => {
  for (const one of busy) one.kill("SIGKILL");
  await server.close();
});

const kills = 20;
const sessionCount = 12;
/** All sessions together have begun some thousand calls by then, milliseconds. */
const callingMs = 200;
/** A call that is not answered by then after the restart is lost, milliseconds. */
const answeredLaterMs = 90_000;

/** A session over sockets spoken to by hand: between a 202 and its reader nothing else takes time. */
class Session {
  readonly accepted: number[] = [];
  #received = "";
  readonly #stream: WireConnection;
  readonly #posts: WireConnection;
  #endpoint = "";

  private constructor(stream: WireConnection, posts: WireConnection) {
    this.#stream = stream;
    this.#posts = posts;
  }

  static async open(port: number): Promise<Session> {
    const session = new Session(await WireConnection.open(port), await WireConnection.open(port));
    const endpoint = Promise.withResolvers<string>();
    const head = "GET /sse HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n";
    await session.#stream.stream(head, (text) => {
      session.#received += text;
      const named = /data: (\S+)\n/.exec(session.#received)?.[1];
      if (named !== undefined) endpoint.resolve(named);
    });
    session.#endpoint = await endpoint.promise;
    const clientInfo = { name: "wire", version: "1" };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    await session.#post({ jsonrpc: "2.0", id: "initialize", method: "initialize", params });
    await session.#post({ jsonrpc: "2.0", method: "notifications/initialized" });
    return session;
  }

  /** Calls one tool after the other until the process is gone. `onAccepted`: a 202 is here. */
  async keepCalling(onAccepted: () => void): Promise<void> {
    const params = { name: "repeatable", arguments: { n: 0, ms: 0, bytes: 0 } };
    for (let id = 0; ; id++) {
      const status = await this.#post({ jsonrpc: "2.0", id, method: "tools/call", params }).catch(() => undefined);
      if (status === undefined) return;
      if (status !== 202) throw new Error(`a call was answered ${status}`);
      this.accepted.push(id);
      onAccepted();
    }
  }

  /**
   * The calls that were accepted, and are answered neither in anything that arrived nor after the restart: where the
   * machine was slow, a quick call became a long one, which is journaled.
   */
  async lost(url: string): Promise<number[]> {
    await this.#stream.closed;
    const unanswered = this.accepted.filter((id) => !this.#received.includes(`"id":${id}}`));
    if (unanswered.length === 0) return [];
    const lastEventId = [...this.#received.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? "";
    const stream = await RawStream.open(`${url}/sse`, { headers: { "last-event-id": lastEventId } });
    const isAnswered = (id: number): Promise<boolean> =>
      Promise.race([stream.answerTo(id).then(() => true), passing(answeredLaterMs, false)]);
    const answered = await Promise.all(unanswered.map(isAnswered));
    stream.close();
    return unanswered.filter((_, index) => !answered[index]);
  }

  async #post(message: unknown): Promise<number> {
    const head = `POST ${this.#endpoint} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    return (await this.#posts.request(head, JSON.stringify(message))).status;
  }
}

test("kill -9 at the sight of a 202: no quick call that was accepted is lost", async () => {
  for (let kill = 0; kill < kills; kill++) {
    const sessions: Session[] = [];
    for (let count = 0; count < sessionCount; count++) {
      sessions.push(await Session.open(Number(new URL(server.url).port)));
    }
    const killAfter = performance.now() + callingMs;
    const onAccepted = (): void => {
      if (performance.now() < killAfter || sessions.some(({ accepted }) => accepted.length === 0)) return;
      if (server.pid() > 0) void server.kill();
    };
    await Promise.all(sessions.map((session) => session.keepCalling(onAccepted)));
    await server.kill();
    await server.restart();
    const lost = await Promise.all(sessions.map((session) => session.lost(server.url)));
    expect(lost.flat()).toEqual([]);
    expect(Math.min(...sessions.map(({ accepted }) => accepted.length))).toBeGreaterThan(0);
  }
}, 600_000);
