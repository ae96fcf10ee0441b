import { McpServer } from "@modelcontextprotocol/server";
import { isObject } from "../protocol/json-rpc.ts";

type Convert = (options?: { target?: string; libraryOptions?: unknown }) => unknown;

/** Conversions that remember. */
const remembering = new WeakSet<Convert>();

/**
 * Has the schemas of tools converted to JSON Schema once, and not again at each `tools/list`: with 200 tools that is more
 * than all the CPU time that a free plan has for a request. Made outside of `createServer`, a schema is converted once in
 * an isolate, for all its sessions and requests.
 *
 * The SDK asks the schema itself (Standard JSON Schema, `~standard.jsonSchema`), so the schema is what remembers.
 */
export function convertSchemasOnce(): void {
  // eslint-disable-next-line typescript/unbound-method -- it is called on the server that it was called on
  const { registerTool } = McpServer.prototype;
  McpServer.prototype.registerTool = new Proxy(registerTool, {
    apply(target, server, args: unknown[]) {
      const config = isObject(args[1]) ? args[1] : {};
      for (const schema of [config["inputSchema"], config["outputSchema"]]) rememberConversions(schema);
      return Reflect.apply(target, server, args);
    },
  });
}

function rememberConversions(schema: unknown): void {
  const standard = isObject(schema) ? schema["~standard"] : undefined;
  const converters = isObject(standard) ? standard["jsonSchema"] : undefined;
  if (!isObject(converters)) return;
  for (const direction of ["input", "output"]) {
    const convert = converters[direction];
    if (typeof convert !== "function" || remembering.has(convert as Convert)) continue;
    // Of a library that froze it, or makes it anew each time, nothing is remembered.
    Reflect.set(converters, direction, remembered(convert as Convert));
  }
}

function remembered(convert: Convert): Convert {
  const byTarget = new Map<string | undefined, unknown>();
  const convertOnce: Convert = (options) => {
    // What else a library may be told can be anything.
    if (options?.libraryOptions !== undefined) return convert(options);
    const target = options?.target;
    if (!byTarget.has(target)) byTarget.set(target, convert(options));
    return byTarget.get(target);
  };
  remembering.add(convertOnce);
  return convertOnce;
}
