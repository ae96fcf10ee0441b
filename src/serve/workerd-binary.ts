import { workerdIn } from "../installed.ts";

/** Path of the workerd that the project's wrangler brought for this platform. */
export function workerdBinary(): string {
  return workerdIn(process.cwd());
}
