import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "./free-port.ts";

/** A server that can be switched off, and on again at the same address: a TCP proxy before one that goes on. */
export class SwitchedServer implements AsyncDisposable {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  #server: Server;

  private constructor(target: string, port: number) {
    this.#target = new URL(target);
    this.#port = port;
    this.#server = this.#listening();
  }

  static async start(target: string): Promise<SwitchedServer> {
    // Of those that nobody is given while it is switched off.
    const made = new SwitchedServer(target, await freePort());
    await once(made.#server, "listening");
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resets all connections, and refuses new ones. */
  switchOff(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async switchOn(): Promise<void> {
    this.#server = this.#listening();
    await once(this.#server, "listening");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.switchOff();
  }

  #listening(): Server {
    const server = createServer((client) => {
      const upstream = connect(Number(this.#target.port), this.#target.hostname);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => this.#sockets.delete(socket));
        socket.pipe(other);
      }
    });
    return server.listen(this.#port, "127.0.0.1");
  }
}
