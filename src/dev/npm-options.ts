import { Fault } from "../fault.ts";

/**
 * The arguments of a script that was run without `--` before its options: `npm start --port 8010`. npm takes an option for its
 * own, passes it on in the environment, as `true` if its value stands apart, and leaves the value among the arguments.
 * @throws {Fault} where there is no telling which value is whose.
 */
export function withNpmOptions(argv: string[], environment: NodeJS.Dict<string>, names: readonly string[]): string[] {
  const args = [...argv];
  const options: string[] = [];
  const apart: string[] = [];
  for (const name of names) {
    const value = environment[`npm_config_${name.replaceAll("-", "_")}`];
    if (value === undefined || value === "") continue;
    if (value === "true") apart.push(name);
    else options.push(`--${name}`, value);
  }
  for (const name of apart) {
    const isIts = name === "port" ? (arg: string) => /^\d+$/.test(arg) : (arg: string) => !arg.startsWith("-");
    const index = name === "port" || apart.length === 1 ? args.findIndex(isIts) : -1;
    const [value] = index < 0 ? [] : args.splice(index, 1);
    if (value === undefined) {
      throw new Fault(`npm took --${name} for its own. Write -- before the options, as in npm start -- --${name} …`);
    }
    options.push(`--${name}`, value);
  }
  return [...args, ...options];
}
