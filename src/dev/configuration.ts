import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseEnv } from "node:util";
import type { Unstable_Config } from "wrangler";
import type { DevArguments } from "./arguments.ts";
import { root } from "./wrangler-process.ts";

/** What is missing in wrangler.toml, of which wrangler says nothing, a sentence for each. */
export async function configurationFaults({
  config: path,
  env,
}: Pick<DevArguments, "config" | "env">): Promise<string[]> {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const read = (name: string | undefined): Unstable_Config | undefined => {
    try {
      return readConfig({ config: path ?? join(root, "wrangler.toml"), env: name }, { hideWarnings: true });
    } catch {
      // wrangler says itself what is wrong.
      return undefined;
    }
  };
  const config = read(env);
  if (config === undefined) return [];
  const others = (config.definedEnvironments ?? []).filter((name) => name !== env);
  const faults = [...bindingFaults(config, env), ...secretFaults(config, env)];
  for (const name of env === undefined ? others : []) faults.push(...bindingFaults(read(name), name));
  return faults;
}

/** An environment of wrangler's has the bindings that are written in it, and no other. */
function bindingFaults(config: Unstable_Config | undefined, env: string | undefined): string[] {
  if (config === undefined || config.durable_objects.bindings.length > 0) return [];
  const prefix = env === undefined ? "" : `env.${env}.`;
  const why = env === undefined ? "" : ` (an environment inherits no bindings)`;
  return [
    `wrangler.toml binds no Durable Object${env === undefined ? "" : ` in [env.${env}]`}, so every request fails${why}. Write ` +
      `[[${prefix}durable_objects.bindings]], and below it name = "SESSION" and class_name = "Session".`,
  ];
}

/** One that is named and has no value is reported by wrangler. */
function secretFaults({ secrets, vars }: Unstable_Config, env: string | undefined): string[] {
  const required = secrets?.required;
  // Without [secrets], wrangler passes on all that is in the file.
  if (required === undefined) return [];
  const named = join(root, `.dev.vars.${env ?? ""}`);
  const file = env !== undefined && existsSync(named) ? named : join(root, ".dev.vars");
  if (!existsSync(file)) return [];
  const unnamed = Object.keys(parseEnv(readFileSync(file, "utf8"))).filter(
    (key) => !required.includes(key) && !(key in vars),
  );
  if (unnamed.length === 0) return [];
  const list = JSON.stringify([...required, ...unnamed]).replaceAll(",", ", ");
  const section = env === undefined ? "[secrets]" : `[env.${env}.secrets]`;
  const absent = unnamed.map((key) => `env.${key}`).join(" and ");
  return [
    `${basename(file)} holds ${unnamed.join(" and ")}, which wrangler.toml does not name, so ${absent} is undefined. Under ` +
      `${section} there write required = ${list}, then npm run types.`,
  ];
}
