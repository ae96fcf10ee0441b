import { type CutMode, cutOff, type Pair } from "./cut.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** Where a request of the stateless revision is cut; `stages` names those that a task goes through. */
export interface RequestCut {
  /** Of JSON-RPC, which stands in the head of the request (revision 2026-07-28, Standard Headers). */
  method: "tools/call" | "tasks/get" | "tasks/update";
  /** `unsent`: the server never sees it. `sent`: so long after it was sent, milliseconds. `answer`: so far into the answer, bytes. */
  at: { unsent: true } | { sent: number } | { answer: number };
  /** Only an answer that has this in it is cut. */
  has?: RegExp;
  mode: CutMode;
}

interface Connection extends Pair {
  /** Of the request that came last. */
  method: string;
  isAnswered: boolean;
  requests: number;
}

/** Cuts the next request that is as it was told. */
export class RequestProxy extends TcpProxy<Connection> {
  readonly #armed: { cut: RequestCut; onDone: () => void }[] = [];

  /** Resolves once it is done. A request is cut only once. */
  cutNext(cut: RequestCut): Promise<void> {
    return new Promise((onDone) => void this.#armed.push({ cut, onDone }));
  }

  protected begun(pair: Pair): Connection {
    return Object.assign(pair, { method: "", isAnswered: false, requests: 0 });
  }

  protected toServer(connection: Connection, chunk: Buffer): void {
    if (connection.isCut) return;
    // Clients send the head of a request in one piece.
    const head = chunk.toString("latin1");
    const isHead = head.startsWith("POST ");
    if (isHead) {
      connection.method = /^mcp-method: *(\S+)\r$/im.exec(head)?.[1] ?? "";
      connection.isAnswered = false;
      connection.requests += 1;
    }
    const armed = isHead ? this.#take(connection.method, ({ at }) => !("answer" in at)) : undefined;
    // What comes back is looked into.
    const sent = isHead
      ? Buffer.from(head.replace(/^accept-encoding: .*\r$/im, "accept-encoding: identity\r"), "latin1")
      : chunk;
    if (armed === undefined) return void connection.upstream.write(sent);
    const { at } = armed.cut;
    if (!("sent" in at)) return this.#cut(connection, armed);
    connection.upstream.write(sent);
    const { requests } = connection;
    setTimeout(() => {
      const isInFlight = connection.requests === requests && !connection.isAnswered && !connection.isCut;
      if (isInFlight) this.#cut(connection, armed);
      // It was too quick. The next one, then.
      else this.#armed.push(armed);
    }, at.sent);
  }

  protected toClient(connection: Connection, chunk: Buffer): void {
    if (connection.isCut) return;
    connection.isAnswered = true;
    const isMatch = ({ at, has }: RequestCut): boolean =>
      "answer" in at && (has?.test(chunk.toString("latin1")) ?? true);
    const armed = this.#take(connection.method, isMatch);
    if (armed === undefined) return void connection.client.write(chunk);
    const { at } = armed.cut;
    connection.client.write(chunk.subarray(0, "answer" in at ? Math.min(at.answer, chunk.length - 1) : 0));
    this.#cut(connection, armed);
  }

  #take(method: string, isMatch: (cut: RequestCut) => boolean) {
    const index = this.#armed.findIndex(({ cut }) => cut.method === method && isMatch(cut));
    return index === -1 ? undefined : this.#armed.splice(index, 1)[0];
  }

  #cut(connection: Connection, { cut, onDone }: { cut: RequestCut; onDone: () => void }): void {
    onDone();
    cutOff(connection, cut.mode);
  }
}
