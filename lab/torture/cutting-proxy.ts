import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type CutMode, cutOff, endTogether, type Pair } from "./cut.ts";

interface Connection extends Pair {
  /** The last request that went through it, as far as it was seen. */
  isStream: boolean;
  /** Bytes towards the client that still pass before it is cut. */
  fuse: { bytes: number; mode: CutMode } | undefined;
}

/** A TCP proxy between one client and the server that cuts connections as it is told, also in the middle of a byte stream. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #target: { host: string; port: number };
  #cuts = 0;

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer((client) => this.#open(client));
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(new URL(target));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that were cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts the client's event streams after `afterBytes` more bytes, at once for 0. */
  cutStreams(mode: CutMode, afterBytes: number): void {
    for (const connection of this.#connections) {
      if (!connection.isStream || connection.isCut) continue;
      if (afterBytes === 0) this.#cut(connection, mode);
      else connection.fuse ??= { bytes: afterBytes, mode };
    }
  }

  /** Takes back the cuts that were to come later. */
  disarm(): void {
    for (const connection of this.#connections) connection.fuse = undefined;
  }

  /** Whether the client has a stream that a cut would hit now. */
  get hasStream(): boolean {
    for (const { isStream, isCut } of this.#connections) if (isStream && !isCut) return true;
    return false;
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.#connections) {
      client.destroy();
      upstream.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #open(client: Socket): void {
    const upstream = connect(this.#target);
    const connection: Connection = { client, upstream, isStream: false, isCut: false, fuse: undefined };
    this.#connections.add(connection);
    client.on("data", (chunk: Buffer) => {
      // Clients send the head of a request in one piece.
      const head = chunk.subarray(0, 8).toString("latin1");
      if (/^(GET|POST|DELETE) /.test(head)) connection.isStream = head.startsWith("GET");
      if (!connection.isCut) upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => this.#toClient(connection, chunk));
    endTogether(connection, () => void this.#connections.delete(connection));
  }

  #toClient(connection: Connection, chunk: Buffer): void {
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
