import type { CpuProfile } from "./cpu-profile.ts";

/** How often the profiler looks, microseconds. */
const samplingUs = 200;

/** A Worker's side of Chrome's DevTools protocol, which `workerd serve --inspector-addr` speaks. */
export class Inspector {
  static async connect(port: number): Promise<Inspector> {
    const response = await fetch(`http://127.0.0.1:${port}/json`);
    const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(target?.webSocketDebuggerUrl ?? "");
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("the inspector does not answer")));
    });
    return new Inspector(socket);
  }

  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #lastId = 0;
  #snapshot = "";

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
  }

  /** What the isolate's thread does while `work` runs. */
  async profile(work: () => Promise<void>): Promise<CpuProfile> {
    await this.#ask("Profiler.enable");
    await this.#ask("Profiler.setSamplingInterval", { interval: samplingUs });
    await this.#ask("Profiler.start");
    await work();
    const { profile } = (await this.#ask("Profiler.stop")) as { profile: CpuProfile };
    return profile;
  }

  /** What lives in the isolate's heap after a garbage collection, bytes. */
  async heapBytes(): Promise<number> {
    this.#snapshot = "";
    await this.#ask("HeapProfiler.enable");
    await this.#ask("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
    const { snapshot, nodes } = JSON.parse(this.#snapshot) as {
      snapshot: { meta: { node_fields: string[] } };
      nodes: number[];
    };
    const fields = snapshot.meta.node_fields;
    const sizeAt = fields.indexOf("self_size");
    return nodes.reduce((total, value, index) => (index % fields.length === sizeAt ? total + value : total), 0);
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #hear(text: string): void {
    const { id, result, params } = JSON.parse(text) as { id?: number; result?: unknown; params?: { chunk?: string } };
    if (id === undefined) {
      this.#snapshot += params?.chunk ?? "";
      return;
    }
    this.#waiting.get(id)?.(result);
    this.#waiting.delete(id);
  }
}
