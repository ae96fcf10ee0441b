import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** How a connection is cut. A black hole swallows everything for a while before the client hears of it. */
export type CutMode = "rst" | "fin" | "black-hole";

interface Connection {
  client: Socket;
  upstream: Socket;
  /** The last request that went through it, as far as it was seen. */
  isStream: boolean;
  swallowing: boolean;
  /** Bytes towards the client that still pass before it is cut. */
  fuse: { bytes: number; mode: CutMode } | undefined;
}

/** Longer than a client waits to reconnect, shorter than a run. */
const blackHoleMs = 400;

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
      if (!connection.isStream || connection.swallowing) continue;
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
    for (const { isStream, swallowing } of this.#connections) if (isStream && !swallowing) return true;
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
    const connection: Connection = { client, upstream, isStream: false, swallowing: false, fuse: undefined };
    this.#connections.add(connection);
    client.on("data", (chunk: Buffer) => {
      // Clients send the head of a request in one piece.
      const head = chunk.subarray(0, 8).toString("latin1");
      if (/^(GET|POST|DELETE) /.test(head)) connection.isStream = head.startsWith("GET");
      if (!connection.swallowing) upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => this.#toClient(connection, chunk));
    const forget = (): void => {
      this.#connections.delete(connection);
    };
    client.on("close", () => {
      forget();
      if (!connection.swallowing) upstream.destroy();
    });
    upstream.on("close", () => {
      if (!connection.swallowing) client.end();
    });
    // Cutting makes errors; the close events that follow say all there is to say.
    client.on("error", () => undefined);
    upstream.on("error", () => client.destroy());
  }

  #toClient(connection: Connection, chunk: Buffer): void {
    if (connection.swallowing) return;
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
    connection.swallowing = true;
    const { client, upstream } = connection;
    switch (mode) {
      case "rst":
        client.resetAndDestroy();
        upstream.resetAndDestroy();
        return;
      case "fin":
        client.end();
        // As a client's own kernel would: the server hears of it at once, and notices at its next write.
        upstream.destroy();
        return;
      case "black-hole":
        setTimeout(() => client.resetAndDestroy(), blackHoleMs);
        // The server keeps on writing into nothing, long after the client came back.
        setTimeout(() => upstream.destroy(), 4 * blackHoleMs);
    }
  }
}
