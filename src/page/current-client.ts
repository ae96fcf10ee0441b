import type { Client } from "@modelcontextprotocol/client";

let current: Client | undefined;

/** Of the page's session. @throws {Error} without one. */
export function currentClient(): Client {
  if (current === undefined) throw new Error("The page is not connected.");
  return current;
}

export function isCurrent(client: Client): boolean {
  return client === current;
}

/** Returns the one before. */
export function setCurrentClient(client: Client | undefined): Client | undefined {
  const former = current;
  current = client;
  return former;
}
