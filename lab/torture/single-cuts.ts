import { type ClientKind, clientKinds, connectClient } from "./clients.ts";
import type { Contestant } from "./contestants.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { Random } from "./random.ts";

const rounds = 24;
/** How long the tool takes, and how long until the next call, milliseconds. */
const toolMs = 300;
const restMs = 300;

/**
 * What one cut at any moment of one call adds to it, milliseconds, for each kind of client and with nothing else going
 * on: half of the cuts by RST, half by FIN. A call that is lost counts as `lostAfterMs`.
 */
export async function measureSingleCuts(contestant: Contestant, lostAfterMs: number, seed: number) {
  const random = new Random(seed);
  const addedMs: Record<ClientKind, number[]> = { "sdk-v1": [], "sdk-v2": [], "event-source": [] };
  for (const kind of clientKinds) {
    const proxy = await new CuttingProxy(contestant.url).listen();
    const client = await connectClient(kind, proxy.url);
    for (let n = 0; n < rounds; n++) {
      const startedAt = performance.now();
      const call = client.call("repeatable", { n, ms: toolMs, bytes: 10 }, lostAfterMs).catch(() => undefined);
      await pause(random.between(20, toolMs));
      proxy.cutStreams(n % 2 === 0 ? "rst" : "fin", 0);
      await call;
      addedMs[kind].push(performance.now() - startedAt - toolMs);
      await pause(restMs);
    }
    await client.close();
    await proxy.close();
  }
  return addedMs;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
