import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Unstable_Config } from "wrangler";
import type { DevArguments } from "./arguments.ts";
import { root } from "./wrangler-process.ts";

/** What is missing in wrangler.toml or .dev.vars, of which wrangler says nothing, a sentence for each. */
export async function configurationFaults({ config: path, env }: Pick<DevArguments, "config" | "env">): Promise<string[]> {
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

function secretFaults({ secrets, vars }: Unstable_Config, env: string | undefined): string[] {
  const required = secrets?.required;
  // Without [secrets], wrangler passes on all that is in the file.
  if (required === undefined) return [];
  const named = `.dev.vars.${env ?? ""}`;
  const file = env !== undefined && existsSync(join(root, named)) ? named : ".dev.vars";
  const local = existsSync(join(root, file)) ? parseEnv(readFileSync(join(root, file), "utf8")) : undefined;
  const unnamed = Object.keys(local ?? {}).filter((key) => !required.includes(key) && !(key in vars));
  const missing = required.filter((key) => local?.[key] === undefined && (local !== undefined || !isInEnvironment(key)));
  const list = JSON.stringify([...required, ...unnamed]).replaceAll(",", ", ");
  return [
    ...unnamed.map(
      (key) =>
        `${file} holds ${key}, which wrangler.toml does not name: env.${key} is undefined. Write required = ${list} under ` +
        `[secrets] there, then npm run types.`,
    ),
    ...missing.map(
      (key) => `wrangler.toml requires the secret ${key}, which ${file} lacks: env.${key} is undefined. Write a line ${key}=… there.`,
    ),
  ];
}

/** Where there is no .dev.vars, wrangler looks into .env and the environment. */
function isInEnvironment(key: string): boolean {
  const file = join(root, ".env");
  return process.env[key] !== undefined || (existsSync(file) && key in parseEnv(readFileSync(file, "utf8")));
}
