import type { CallHook } from "../sdk/call-hooks.ts";
import { whoseIs } from "../call-log.ts";
import { bindingNamed } from "./binding.ts";

/** Options of {@linkcode usage}. All may be left out. */
export interface UsageOptions {
  /** Name of the `[[analytics_engine_datasets]]` binding in wrangler.toml. Default `USAGE`. */
  binding?: string;
}

/** A blob is as long as its client likes; those of a data point are 16 KB at most. UTF-16 units. */
const maxBlobLength = 200;

/**
 * A hook of `edge` that writes a data point for each call: `index1` and `blob1` the tool, `blob2` the method, `blob3` the outcome
 * (`ok`, `failed`, `error`), `blob4` and `blob5` name and version of the client, `blob6` the lane, `blob7` the hash of the user,
 * `double1` milliseconds. Never arguments. Nothing waits for it. Without the binding nothing is written, and the log says so.
 */
export function usage({ binding = "USAGE" }: UsageOptions = {}): CallHook {
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
      const name = call.name.replace(/[?#].*$/s, "").slice(0, 90);
      const { method, client, lane } = call;
      const blobs = [name, method, outcome, client.name ?? "", client.version ?? "", lane, user ?? ""];
      dataset.writeDataPoint({
        indexes: [name],
        blobs: blobs.map((blob) => blob.slice(0, maxBlobLength)),
        doubles: [Date.now() - startedAtMs],
      });
    }
  };
}
