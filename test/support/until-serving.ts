import type { ChildProcess } from "node:child_process";

/**
 * Resolves once anything is answered at `url`. Polls, because servers do not say when they are ready.
 * @throws {Error} if `child` ends before, or two minutes have passed.
 */
export async function untilServing(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 6_000; attempt++) {
    if (child.exitCode !== null) throw new Error("it ended");
    // A server that has just started may take longer for its first answer, and be cut off in its middle.
    const answer = fetch(url, { signal: AbortSignal.timeout(1_000) }).then((response) => response.arrayBuffer());
    const isServing = await answer.then(
      () => true,
      () => false,
    );
    if (isServing) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it does not serve");
}
