import type { Unstable_Config } from "wrangler";
import { Fault } from "../fault.ts";

/** What is served here too, and what names bindings without making any. */
const notRefused = new Set(["assets", "version_metadata", "durable_objects", "vars", "define", "previews"]);

/** What only Cloudflare has and is not named by a `binding` of its own, by the names of wrangler.toml. */
const withoutBinding = new Set([
  "queues",
  "send_email",
  "ratelimits",
  "containers",
  "logfwdr",
  "unsafe",
  "tail_consumers",
  "streaming_tail_consumers",
  "triggers",
  "site",
  "wasm_modules",
  "text_blobs",
  "data_blobs",
]);

/**
 * Whatever has a `binding` is refused, so also what a later wrangler knows: it would be missing when a tool needs it.
 * @throws {Fault} that names all of them.
 */
export function refuseBindings(config: Unstable_Config): void {
  const bound = (Object.entries(config) as [string, unknown][]).flatMap(([kind, value]) => {
    if (notRefused.has(kind)) return [];
    const names = withoutBinding.has(kind) ? namesIn(value) : bindingsIn(value);
    return names.length > 0 ? [`${kind} (${names.join(", ")})`] : [];
  });
  if (bound.length > 0) {
    throw new Fault(
      `wrangler.toml binds ${bound.join(", ")}, which only Cloudflare has. Take them out, or write an environment ` +
        "without them, and build with --env <name>.",
    );
  }
  if (config.assets?.directory !== undefined && config.assets.binding === undefined) {
    throw new Fault(
      `The files of [assets] (${config.assets.directory}) have no binding, and without one only Cloudflare serves them: add ` +
        'binding = "PAGE" to the block, or take it out.',
    );
  }
  const { bindings: objects } = config.durable_objects;
  const foreign = objects.filter(({ script_name: script }) => script !== undefined);
  if (foreign.length > 0) {
    throw new Fault(
      `${foreign.map(({ name }) => name).join(", ")} binds an object of another Worker, which is not here.`,
    );
  }
  if (objects.length === 0) {
    throw new Fault(
      "wrangler.toml binds no Durable Object, so there would be no sessions: see its [[durable_objects.bindings]].",
    );
  }
}

function bindingsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { binding } = value as { binding?: unknown };
  return typeof binding === "string" ? [binding] : Object.values(value).flatMap(bindingsIn);
}

/** Whatever names it. */
function namesIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  const { binding, name, queue, service, class_name: className } = value as Record<string, unknown>;
  const named = [binding, name, queue, service, className].find((one) => typeof one === "string");
  return typeof named === "string" ? [named] : Object.values(value).flatMap(namesIn);
}
