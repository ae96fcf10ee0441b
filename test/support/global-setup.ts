import { rm } from "node:fs/promises";
import { bundleDirectory } from "./bundle.ts";

/** Bundles of an earlier run may be of older sources. */
export async function setup(): Promise<void> {
  await rm(bundleDirectory, { recursive: true, force: true });
}
