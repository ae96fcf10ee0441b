import { Fault } from "../fault.ts";

const maxPort = 65_535;

/** Of `--name value`, `--name=value` or a bare `--name`; `undefined` if it is not there. */
export function valueOf(args: string[], name: string): string | undefined {
  const dashes = name.length === 1 ? "-" : "--";
  const camel = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  for (const [index, arg] of args.entries()) {
    const [flag, ...value] = arg.split("=");
    if (flag !== `${dashes}${name}` && flag !== `${dashes}${camel}`) continue;
    return value.length > 0 ? value.join("=") : (args[index + 1] ?? "");
  }
  return undefined;
}

/** Takes each `--name value` out of `args`. A value may be several, with commas between. */
export function takeAll(args: string[], name: string): string[] {
  const values: string[] = [];
  for (;;) {
    const index = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    if (index < 0) return values;
    const isWhole = args[index]?.includes("=") === true;
    const taken = args.splice(index, isWhole ? 1 : 2);
    const value = isWhole ? taken[0]?.slice(name.length + 3) : taken[1];
    values.push(...(value ?? "").split(",").map((one) => one.trim()));
  }
}

/**
 * Takes `--port` out of `args`: that of a server that runs. The last, if there are several.
 * @throws {Fault} for what is no port.
 */
export function takePort(args: string[]): number | undefined {
  const port = takeAll(args, "port").at(-1);
  if (port !== undefined) checkPort(port, 1);
  return port === undefined ? undefined : Number(port);
}

/** @throws {Fault} for what is no port from `least` on; 0 is any that is free. */
export function checkPort(port: string, least: 0 | 1): void {
  if (/^\d+$/.test(port) && Number(port) >= least && Number(port) <= maxPort) return;
  throw new Fault(`--port takes a number from ${least} to ${maxPort}, not "${port}".`);
}
