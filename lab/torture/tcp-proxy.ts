import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { endTogether, type Pair } from "./cut.ts";

/** A TCP proxy between one client and the server. What passes on each connection, and what is cut, its subclass says. */
export abstract class TcpProxy<Connection extends Pair> {
  protected readonly connections = new Set<Connection>();
  readonly #server = createServer((client) => this.#open(client));
  readonly #target: { host: string; port: number };

  /** `target`: the server's URL. */
  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#target = { host: hostname, port: Number(port) };
  }

  /** What is known of a connection that begins. */
  protected abstract begun(pair: Pair): Connection;
  protected abstract toServer(connection: Connection, chunk: Buffer): void;
  protected abstract toClient(connection: Connection, chunk: Buffer): void;

  /** Resolves to the proxy, once it listens. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.connections) {
      client.destroy();
      upstream.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #open(client: Socket): void {
    const upstream = connect(this.#target);
    const connection = this.begun({ client, upstream, isCut: false });
    this.connections.add(connection);
    client.on("data", (chunk: Buffer) => this.toServer(connection, chunk));
    upstream.on("data", (chunk: Buffer) => this.toClient(connection, chunk));
    endTogether(connection, () => void this.connections.delete(connection));
  }
}
