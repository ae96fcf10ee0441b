/**
 * Writes what a session can go on without, until it is evicted: the platform may refuse, for one once the rows of a free
 * plan's day are used up. False if it did; the log says why.
 */
export function attempt(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    console.error(JSON.stringify({ event: "not-stored", error: String(error) }));
    return false;
  }
}
