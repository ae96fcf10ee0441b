import { isObject } from "../protocol/json-rpc.ts";
import { textOf } from "../protocol/thrown.ts";
import type { AnyServer } from "../server-context.ts";
import { type Handler, wrapHandlers } from "./handlers.ts";

/** A tool or a prompt, as `registerTool` of either SDK returns it. */
interface Registered {
  enabled: boolean;
}

/** What the SDKs keep under names that are the same in v1 and v2, and not public. */
const listings = [
  { method: "tools/list", kind: "tool", registry: "_registeredTools" },
  { method: "prompts/list", kind: "prompt", registry: "_registeredPrompts" },
] as const;

/**
 * One schema that has no JSON Schema, and the SDK lists nothing at all. With this the log names each tool or prompt that
 * cannot be listed, and why, and clients get the others. It can still be called by who knows it. Costs nothing while all can
 * be listed.
 */
export function listOthers(server: AnyServer): void {
  // A `Server` lists by itself.
  if (!("server" in server)) return;
  const known = new Set<string>();
  wrapHandlers(server, (handler, method) => {
    const listing = listings.find((each) => each.method === method);
    return listing === undefined ? handler : listingOthers(server, handler, listing, known);
  });
}

/** `known`: the lines that the log has already. */
function listingOthers(
  server: AnyServer,
  list: Handler,
  { kind, registry }: (typeof listings)[number],
  known: Set<string>,
): Handler {
  return async (request, context) => {
    try {
      return await list(request, context);
    } catch (error) {
      const all = registeredIn(server, registry);
      // If not even nothing can be listed, it is the request that is at fault, and this throws why.
      await listOnly(
        all,
        () => false,
        () => list(request, context),
      );
      const broken = await unlistable(all, () => list(request, context));
      if (broken.size === 0) throw error;
      for (const [name, reason] of broken) {
        const line = JSON.stringify({ event: `${kind}-not-listed`, [kind]: name, error: reason });
        if (!known.has(line)) console.error(line);
        known.add(line);
      }
      return await listOnly(
        all,
        (name) => !broken.has(name),
        () => list(request, context),
      );
    }
  };
}

/** Those of which `list` fails if it lists nothing else, and why. */
async function unlistable(all: Map<string, Registered>, list: () => unknown): Promise<Map<string, string>> {
  const broken = new Map<string, string>();
  for (const [name, { enabled }] of all) {
    if (!enabled) continue;
    try {
      await listOnly(all, (other) => other === name, list);
    } catch (error) {
      broken.set(name, error instanceof Error ? error.message : textOf(error));
    }
  }
  return broken;
}

/** `list`, which reads what is enabled in the turn in which it is called, sees nothing but what is `wanted`. */
async function listOnly(all: Map<string, Registered>, wanted: (name: string) => boolean, list: () => unknown) {
  const hidden = [...all].filter(([name, { enabled }]) => enabled && !wanted(name));
  for (const [, registered] of hidden) registered.enabled = false;
  let listed: unknown;
  try {
    listed = list();
  } finally {
    for (const [, registered] of hidden) registered.enabled = true;
  }
  return await listed;
}

function registeredIn(server: AnyServer, registry: string): Map<string, Registered> {
  const registered: unknown = Reflect.get(server, registry);
  const entries = isObject(registered) ? Object.entries(registered) : [];
  return new Map(entries.filter((entry): entry is [string, Registered] => isRegistered(entry[1])));
}

function isRegistered(value: unknown): value is Registered {
  return isObject(value) && typeof value["enabled"] === "boolean";
}
