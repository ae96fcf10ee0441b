/**
 * The version of what Worker and object say to each other. A deploy replaces Workers and objects one by one, and a Worker's
 * streams live on for hours: for one release each understands the other of the version before, see `version-1.ts`. Version 2:
 * frames say whether to hold them, the object says what is kept, POSTs have an epoch. Version 3: ids of sessions have a secret.
 */
export const version = 3;

const versionHeader = "mcp-edge-link";

/** What an attach request and its answer say of whoever sent them. */
export const versionHeaders = { [versionHeader]: String(version) };

/** Of whoever sent `headers`: version 1 says nothing. */
export function versionOf(headers: Headers): number {
  return Number(headers.get(versionHeader) ?? 1);
}

/** Whether an object that speaks `spoken` knows secrets of sessions: one of version 2 takes the other half for the whole id. */
export function knowsSecrets(spoken: number): boolean {
  return spoken > 2;
}
