import { rm } from "node:fs/promises";
import { bundleDirectory, runVariable } from "./bundle.ts";

/** Names the folder in which all files of this run share their bundles. Other runs may be going on beside it. */
export function setup(): void {
  process.env[runVariable] = String(process.pid);
}

export async function teardown(): Promise<void> {
  await rm(bundleDirectory(), { recursive: true, force: true });
}
