import { createRequire } from "node:module";

/** Path of the workerd that wrangler brought for this platform. */
export function workerdBinary(): string {
  // By require, because a CommonJS module with a default export means something else to each bundler.
  const workerd = createRequire(import.meta.url)("workerd") as { default: string };
  return workerd.default;
}
