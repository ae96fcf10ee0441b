/** Leaves `max` in a map or a set, those that were put there last. */
export function dropOldest<Key>(from: Map<Key, unknown> | Set<Key>, max: number): void {
  for (const key of from.keys()) {
    if (from.size <= max) return;
    from.delete(key);
  }
}
