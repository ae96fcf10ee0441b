import { type CutMode, cutOff, type Pair } from "./cut.ts";
import { TcpProxy } from "./tcp-proxy.ts";

interface Connection extends Pair {
  /** The last request that went through it, as far as it was seen. */
  isStream: boolean;
  /** Bytes towards the client that still pass before it is cut. */
  fuse: { bytes: number; mode: CutMode } | undefined;
}

/** Cuts connections as it is told, also in the middle of a byte stream. */
export class CuttingProxy extends TcpProxy<Connection> {
  #cuts = 0;

  /** Connections that were cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts the client's event streams after `afterBytes` more bytes, at once for 0. */
  cutStreams(mode: CutMode, afterBytes: number): void {
    for (const connection of this.connections) {
      if (!connection.isStream || connection.isCut) continue;
      if (afterBytes === 0) this.#cut(connection, mode);
      else connection.fuse ??= { bytes: afterBytes, mode };
    }
  }

  /** Takes back the cuts that were to come later. */
  disarm(): void {
    for (const connection of this.connections) connection.fuse = undefined;
  }

  /** Whether the client has a stream that a cut would hit now. */
  get hasStream(): boolean {
    for (const { isStream, isCut } of this.connections) if (isStream && !isCut) return true;
    return false;
  }

  protected begun(pair: Pair): Connection {
    return Object.assign(pair, { isStream: false, fuse: undefined });
  }

  protected toServer(connection: Connection, chunk: Buffer): void {
    // Clients send the head of a request in one piece.
    const head = chunk.subarray(0, 8).toString("latin1");
    if (/^(GET|POST|DELETE) /.test(head)) connection.isStream = head.startsWith("GET");
    if (!connection.isCut) connection.upstream.write(chunk);
  }

  protected toClient(connection: Connection, chunk: Buffer): void {
    if (connection.isCut) return;
    const { fuse } = connection;
    if (fuse === undefined || chunk.length < fuse.bytes) {
      if (fuse !== undefined) fuse.bytes -= chunk.length;
      connection.client.write(chunk);
      return;
    }
    connection.client.write(chunk.subarray(0, fuse.bytes));
    this.#cut(connection, fuse.mode);
  }

  #cut(connection: Connection, mode: CutMode): void {
    this.#cuts += 1;
    cutOff(connection, mode);
  }
}
