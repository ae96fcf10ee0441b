import { checkBinding, checkNames } from "../option-checks.ts";
import type { CallHook } from "../sdk/call-hooks.ts";
import { whoseIs } from "../call-log.ts";
import { bindingNamed } from "./binding.ts";

/** Options of {@linkcode usage}. All may be left out. */
export interface UsageOptions {
  /** Name of the `[[analytics_engine_datasets]]` binding in wrangler.toml. Default `USAGE`. */
  binding?: string;
}

/** Of an index, UTF-8 bytes (Workers Analytics Engine, Limits). */
const maxIndexBytes = 96;

/** A blob is as long as its client likes; those of a data point are 16 KB at most. UTF-16 units. */
const maxBlobLength = 200;

/**
 * A hook of `edge` that writes a data point for each call: `index1` and `blob1` the tool, `blob2` the method, `blob3` the outcome
 * (`ok`, `failed`, `error`), `blob4` and `blob5` name and version of the client, `blob6` the lane, `blob7` the hash of the user,
 * `double1` milliseconds. Never arguments. Nothing waits for it, and no call fails by it. Without the binding nothing is written,
 * and the log says so; likewise of a data point that the binding refuses.
 * @throws {RangeError} at start-up for an option that cannot be.
 */
export function usage(options: UsageOptions = {}): CallHook {
  checkNames("usage", options, ["binding"]);
  const { binding = "USAGE" } = options;
  checkBinding("binding of usage", binding);
  return async (call, next) => {
    const dataset = bindingNamed<AnalyticsEngineDataset>(binding, "analytics_engine_datasets", "no usage is written.");
    if (dataset === undefined) return await next();
    const { user } = await whoseIs(undefined, call.user?.id);
    const startedAtMs = Date.now();
    let outcome = "error";
    try {
      const result = await next();
      outcome = result["isError"] === true ? "failed" : "ok";
      return result;
    } finally {
      // The query of a URI is an argument.
      const name = call.name.replace(/[?#].*$/s, "").slice(0, maxBlobLength);
      const { method, client, lane } = call;
      const blobs = [name, method, outcome, client.name ?? "", client.version ?? "", lane, user ?? ""];
      write(dataset, {
        indexes: [firstBytes(name, maxIndexBytes)],
        blobs: blobs.map((blob) => blob.slice(0, maxBlobLength)),
        doubles: [Date.now() - startedAtMs],
      });
    }
  };
}

let isTold = false;

function write(dataset: AnalyticsEngineDataset, point: AnalyticsEngineDataPoint): void {
  try {
    dataset.writeDataPoint(point);
  } catch (error) {
    if (!isTold) console.error(JSON.stringify({ event: "usage-not-written", error: String(error) }));
    isTold = true;
  }
}

/** As many of its characters as fit. */
function firstBytes(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
