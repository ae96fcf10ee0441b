import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { type AboutBuild, built } from "./build.ts";
import { DataFolder } from "./data-folder.ts";
import { workerdBinary } from "./workerd-binary.ts";
import { hostsVariable, names } from "./workerd-config.ts";

/** File descriptors that workerd takes for a session with a call under way: its database, the log of that, its sockets. */
const descriptorsPerSession = 5;

/** What workerd itself takes of them. */
const ownDescriptors = 30;

export interface ServeOptions {
  /** What `build` wrote. */
  folder: string;
  /** 8000. */
  port: number;
  /** The address it listens on. `127.0.0.1`: this machine only. */
  host: string;
  /** Where the sessions lie; it must be the same after each start. */
  data: string;
  /** How long running calls may take to end once it is told to stop, milliseconds. 3 s. */
  graceMs: number;
  /** Hostnames under which it may be reached, besides localhost and IP addresses, as `allowedHosts`. `"*"`: any. */
  allowedHosts: string;
  /** Where the secrets are. */
  env: NodeJS.ProcessEnv;
}

/** Why it cannot serve; the message says what to do. */
export class ServeFault extends Error {}

/**
 * The options in the environment: `PORT`, `HOST`, `DATA`, `GRACE` (seconds), `ALLOWED_HOSTS`.
 * @throws {ServeFault} for a value that cannot be.
 */
export function optionsIn(env: NodeJS.ProcessEnv, folder: string): ServeOptions {
  const port = Number(env["PORT"] ?? 8000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ServeFault(`PORT is a number from 1 to 65535, not ${env["PORT"]}.`);
  }
  const grace = Number(env["GRACE"] ?? 3);
  if (!(grace >= 0 && grace <= 3_600))
    throw new ServeFault(`GRACE is a number of seconds up to 3600, not ${env["GRACE"]}.`);
  return {
    folder: resolve(folder),
    port,
    host: env["HOST"] ?? "127.0.0.1",
    data: resolve(env["DATA"] ?? "data"),
    graceMs: grace * 1_000,
    allowedHosts: env["ALLOWED_HOSTS"] ?? "",
    env,
  };
}

/** A server on this machine, until it is stopped. */
export interface Serving {
  /** `http://<host>:<port>` */
  url: string;
  /** What to say of it, in one line. */
  line: string;
  /** Lets calls end, for `graceMs` at most. The port is free then. */
  stop(): Promise<void>;
  /** Resolves with the exit code of a workerd that ended by itself. */
  ended: Promise<number | null>;
}

/**
 * Serves what `build` made, by workerd, until it is stopped.
 * @throws {ServeFault} for what is missing; {DataFault} for a folder of data that is in use.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { folder, port, host, env } = options;
  const about = readAbout(folder);
  const missing = about.secrets.filter((name) => (env[name] ?? "") === "");
  if (missing.length > 0) {
    throw new ServeFault(
      `The environment lacks ${missing.join(" and ")}, which [secrets] of wrangler.toml requires: set ${missing.length > 1 ? "them" : "it"} and start again.`,
    );
  }
  const data = await DataFolder.open(options.data);
  let child: ChildProcess | undefined;
  let swept = 0;
  try {
    await refuseTakenPort(port, host);
    swept = data.sweep();
    child = start(options);
    data.note(child.pid ?? 0);
    await untilListening(port, host, child);
  } catch (error) {
    child?.kill("SIGKILL");
    data.release();
    throw error;
  }
  const started = child;
  const ended = new Promise<number | null>((done) => started.once("exit", done)).finally(() => data.release());
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    url,
    line: readiness(about.name, url, options, swept),
    ended,
    stop: () => stop(started, ended, options.graceMs),
  };
}

function readAbout(folder: string): AboutBuild {
  const path = join(folder, built.about);
  if (!existsSync(path)) throw new ServeFault(`There is no build in ${folder}: mcp-edge build makes one.`);
  const about = JSON.parse(readFileSync(path, "utf8")) as AboutBuild;
  return about;
}

/** workerd says no more than a number. Looked at before, because it opens the sessions first. */
async function refuseTakenPort(port: number, host: string): Promise<void> {
  await new Promise<void>((done, refuse) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? "is taken: set PORT to another" : `cannot be listened on (${error.message})`;
      refuse(new ServeFault(`Port ${port} of ${host} ${why}.`));
    });
    probe.listen(port, host, () => probe.close(() => done()));
  });
}

/** As many files as the system lets this user have: the soft limit of most is for an age before servers. */
function start({ folder, port, host, data, allowedHosts, env }: ServeOptions): ChildProcess {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const args = [
    "serve",
    join(folder, built.config),
    "config",
    "--socket-addr",
    `${names.socket}=${address}`,
    "--directory-path",
    `${names.disk}=${data}`,
  ];
  // A group of its own: Ctrl-C is for us, who let calls end first.
  const script = 'ulimit -n "$(ulimit -Hn)" 2>/dev/null; exec "$0" "$@"';
  return spawn("/bin/sh", ["-c", script, workerdBinary(), ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...env, [hostsVariable]: allowedHosts },
    detached: true,
  });
}

/** Until it accepts connections. */
async function untilListening(port: number, host: string, child: ChildProcess): Promise<void> {
  const target = { port, host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host };
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new ServeFault("workerd ended before it served: what it wrote is above.");
    }
    const isOpen = await new Promise<boolean>((done) => {
      const socket = connect(target, () => {
        socket.destroy();
        done(true);
      }).once("error", () => done(false));
    });
    if (isOpen) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

function readiness(name: string, url: string, { data, allowedHosts }: ServeOptions, swept: number): string {
  const limit = descriptorLimit();
  const room =
    limit === undefined
      ? ""
      : `; ${limit} file descriptors, enough for about ${Math.max(0, Math.floor((limit - ownDescriptors) / descriptorsPerSession))} sessions at once`;
  const hosts =
    allowedHosts === "*"
      ? "any host name"
      : ["localhost", "IP addresses", ...allowedHosts.split(",").filter(Boolean)].join(", ");
  const gone = swept === 0 ? "" : `; deleted ${swept} that had ended`;
  return `${name} serves ${url}/sse and ${url}/mcp, asked as ${hosts}; sessions in ${data}${gone}${room}.`;
}

/** That of this process's hard limit, which workerd gets as its soft one; `undefined` where the system does not say. */
function descriptorLimit(): number | undefined {
  try {
    const line = /^Max open files\s+\S+\s+(?<hard>\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line?.groups === undefined ? undefined : Number(line.groups["hard"]);
  } catch {
    return undefined;
  }
}

/** workerd, told to stop, ends once nothing is under way; with a stream open it would not, and new connections hang. */
async function stop(child: ChildProcess, ended: Promise<unknown>, graceMs: number): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await ended;
  clearTimeout(late);
}
