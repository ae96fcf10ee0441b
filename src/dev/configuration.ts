import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseEnv } from "node:util";
import type { Unstable_Config } from "wrangler";
import type { DevArguments } from "./arguments.ts";
import { root } from "./wrangler-process.ts";

const variableName = /^[A-Za-z_]\w*$/;

/** wrangler finds any of its names. */
function nameOf({ configPath }: Unstable_Config): string {
  return basename(configPath ?? "wrangler.toml");
}

/** What is missing in wrangler.toml, of which wrangler says nothing, a sentence for each. */
export async function configurationFaults({
  config: path,
  env,
}: Pick<DevArguments, "config" | "env">): Promise<string[]> {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const read = (name: string | undefined): Unstable_Config | undefined => {
    try {
      return readConfig({ config: path, env: name }, { hideWarnings: true });
    } catch {
      // wrangler says itself what is wrong.
      return undefined;
    }
  };
  const config = read(env);
  if (config === undefined) return [];
  const others = (config.definedEnvironments ?? []).filter((name) => name !== env);
  const faults = [...bindingFaults(config, env), ...migrationFaults(config), ...secretFaults(config, env)];
  for (const name of env === undefined ? others : []) faults.push(...bindingFaults(read(name), name));
  return faults;
}

/** An environment of wrangler's has the bindings that are written in it, and no other. */
function bindingFaults(config: Unstable_Config | undefined, env: string | undefined): string[] {
  if (config === undefined || config.durable_objects.bindings.length > 0) return [];
  const prefix = env === undefined ? "" : `env.${env}.`;
  const why = env === undefined ? "" : ` (an environment inherits no bindings)`;
  return [
    `${nameOf(config)} binds no Durable Object${env === undefined ? "" : ` in [env.${env}]`}, so every request fails${why}. Write ` +
      `[[${prefix}durable_objects.bindings]], and below it name = "SESSION" and class_name = "Session".`,
  ];
}

/** wrangler says that they are missing, not that without them nothing is stored. */
function migrationFaults(config: Unstable_Config): string[] {
  const { durable_objects: objects, migrations } = config;
  // Another way to say the same, of newer configurations.
  if (Object.keys(Object(Reflect.get(config, "exports"))).length > 0) return [];
  const made = new Set(
    migrations.flatMap(({ new_sqlite_classes: added = [], renamed_classes: renamed = [] }) => [
      ...added,
      ...renamed.map(({ to }) => to),
    ]),
  );
  const own = objects.bindings.filter(({ script_name: script }) => script === undefined);
  const missing = own.map(({ class_name: name }) => name).filter((name) => !made.has(name));
  return missing.map(
    (name) =>
      `${nameOf(config)} has no migration that gives ${name} a database, so its sessions store nothing. Write [[migrations]], and ` +
      `below it tag = "v1" and new_sqlite_classes = ["${name}"].`,
  );
}

/** One that is named and has no value is reported by wrangler. */
function secretFaults(config: Unstable_Config, env: string | undefined): string[] {
  const { secrets, vars } = config;
  const required = secrets?.required;
  // Without [secrets], wrangler passes on all that is in the file.
  if (required === undefined) return [];
  const named = join(root, `.dev.vars.${env ?? ""}`);
  const file = env !== undefined && existsSync(named) ? named : join(root, ".dev.vars");
  if (!existsSync(file)) return [];
  const keys = Object.keys(parseEnv(readFileSync(file, "utf8")));
  const faults = keys.filter((key) => !variableName.test(key)).map((key) => noVariable(basename(file), key));
  const unnamed = keys.filter((key) => variableName.test(key) && !required.includes(key) && !(key in vars));
  if (unnamed.length === 0) return faults;
  const list = JSON.stringify([...required, ...unnamed]).replaceAll(",", ", ");
  const section = env === undefined ? "[secrets]" : `[env.${env}.secrets]`;
  const absent = unnamed.map((key) => `env.${key}`).join(" and ");
  return [
    ...faults,
    `${basename(file)} holds ${unnamed.join(" and ")}, which ${nameOf(config)} does not name, so ${absent} is undefined. Under ` +
      `${section} there write required = ${list}, then npm run types.`,
  ];
}

function noVariable(file: string, key: string): string {
  return `${file} has a line that is no NAME=value: before its = stands ${JSON.stringify(key)}. A name has letters, digits and underscores.`;
}
