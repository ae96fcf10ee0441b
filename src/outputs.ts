/**
 * A server goes on, and lets calls end when it is told to stop, though nobody reads what it writes any more, or the disk of its
 * log is full: of that it has nowhere to tell.
 */
export function goOnUnread(): void {
  for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
}
