import { createTestHarness, type WorkerHandle } from "wrangler";
import type { EdgeOptions } from "../../src/index.ts";
import type { Inspection } from "../fixtures/inspectable.ts";
import { pageAssets, root, workerConfig } from "./bundle.ts";

/** A Worker of this project in a real workerd, on a free port. */
export interface EdgeServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  url: string;
  worker: WorkerHandle;
  /** Lines of `console.*` of the Worker and its objects that have arrived so far: a line may come after the answer that it is of. */
  logs(): string[];
  /** Ends the object's time in memory. Its streams stay open, as in an eviction on the edge. */
  evict(sessionId: string): Promise<void>;
  /** What the session's object has stored and done. Wakes it. */
  inspect(sessionId: string): Promise<Inspection>;
  /** Crashes the session's object: what it has in memory is lost. */
  abort(sessionId: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts `main` (a path from the root; the example server if not given) with the configuration of a fresh clone, and these
 * changes to it. Only with `page` browsers are shown the page. `options` take the place of those of the fixture, if it reads them.
 */
export async function startEdge(
  main = "test/fixtures/example.ts",
  {
    page = false,
    options = {},
    vars = {},
    ...changes
  }: {
    page?: boolean;
    options?: EdgeOptions;
    vars?: Record<string, string>;
    kv_namespaces?: { binding: string }[];
    compatibility_flags?: string[];
  } = {},
): Promise<EdgeServer> {
  const config = {
    ...(await workerConfig(main)),
    ...(page && { assets: await pageAssets() }),
    ...changes,
    vars: { ...vars, OPTIONS: JSON.stringify(options) },
  };
  const harness = createTestHarness({ root, workers: [{ config }] });
  const { url } = await harness.listen();
  const worker = harness.getWorker();
  const inspect = async (id: string): Promise<Inspection> => {
    const response = await fetch(`${url.origin}/test/inspect?id=${id}`);
    // Crashed by the test at this very moment: the next attempt finds a new object.
    if (!response.ok) return await inspect(id);
    return (await response.json()) as Inspection;
  };
  return {
    url: url.origin,
    worker,
    logs: () => harness.getLogs().map(({ message }) => message),
    evict: (id) => worker.evictDurableObject("Session", { id: id.slice(0, 64), webSockets: "hibernate" }),
    inspect,
    abort: async (id) => {
      await fetch(`${url.origin}/test/abort?id=${id}`);
    },
    close: () => harness.close(),
  };
}
