/**
 * The version of what Worker and object say to each other. A deploy replaces Workers and objects one by one, and a Worker's
 * streams live on for hours: for one release each understands the other of the version before, see `version-1.ts`. Version 2:
 * frames say whether to hold them, the object says what is kept, POSTs have an epoch.
 */
export const version = 2;

const versionHeader = "mcp-edge-link";

/** What an attach request and its answer say of whoever sent them. */
export const versionHeaders = { [versionHeader]: String(version) };

/** Of whoever sent `headers`: version 1 says nothing. */
export function versionOf(headers: Headers): number {
  return Number(headers.get(versionHeader) ?? 1);
}
