import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { typed } from "../dev/commands.ts";
import { type AboutBuild, built } from "./build.ts";
import { DataFolder } from "./data-folder.ts";
import { descriptorLimit, sessionsFor } from "./descriptors.ts";
import { Fault } from "../fault.ts";
import type { ServeOptions } from "./serve-options.ts";
import { workerdBinary } from "./workerd-binary.ts";
import { hostsVariable, names } from "./workerd-config.ts";

/** By when a Worker answers, on a machine with much else to do, milliseconds. */
const lateAfterMs = 20_000;

/** A server on this machine, until it is stopped. */
export interface Serving {
  /** `http://<host>:<port>` */
  url: string;
  /** What to say of it, in one line. */
  line: string;
  /** Lets calls end, for `graceMs` at most. The port is free then. */
  stop(): Promise<void>;
  /** Resolves once workerd has ended, with its exit code or its signal. */
  ended: Promise<number | NodeJS.Signals>;
}

/**
 * Serves what `build` made, by workerd, until it is stopped.
 * @throws {Fault} for what is missing, and for a folder of data that is in use.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { folder, port, host, env } = options;
  const about = readAbout(folder);
  const missing = about.secrets.filter((name) => (env[name] ?? "") === "");
  if (missing.length > 0) {
    throw new Fault(
      `The environment lacks ${missing.join(" and ")}, which [secrets] of wrangler.toml requires: set ${missing.length > 1 ? "them" : "it"} and start again.`,
    );
  }
  const data = await DataFolder.open(options.data);
  let child: ChildProcess | undefined;
  let swept = 0;
  try {
    await refuseTakenPort(port, host);
    swept = data.sweep();
    child = start({ ...options, data: data.path });
    // Whoever ends this process before its turn leaves no workerd behind, besides a `kill -9`.
    const last = child;
    process.once("exit", () => last.kill("SIGKILL"));
    data.note(child.pid ?? 0);
    await untilAnswering(port, host, child);
  } catch (error) {
    child?.kill("SIGKILL");
    data.release();
    throw error;
  }
  const started = child;
  const ended = new Promise<number | NodeJS.Signals>((done) =>
    started.once("exit", (code, signal) => done(signal ?? code ?? 1)),
  ).finally(() => data.release());
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
  if (![path, join(folder, built.config)].every((file) => existsSync(file))) {
    throw new Fault(`There is no build in ${folder}: ${typed("build")} makes one.`);
  }
  try {
    const about = JSON.parse(readFileSync(path, "utf8")) as AboutBuild;
    if (Array.isArray(about.secrets)) return about;
  } catch {
    // It is none either.
  }
  throw new Fault(`${path} cannot be read: build again.`);
}

/** workerd says no more than a number. Looked at before, because it opens the sessions first. */
async function refuseTakenPort(port: number, host: string): Promise<void> {
  await new Promise<void>((done, refuse) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => refuse(new Fault(whyNot(error, port, host))));
    probe.listen(port, host, () => probe.close(() => done()));
  });
}

function whyNot({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} of ${host} is taken: set PORT to another.`;
    case "EACCES":
      return `Port ${port} of ${host} is not for this user: set PORT to one above 1023.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `HOST is an address of this machine, or 0.0.0.0 for all of them, not ${host}.`;
    default:
      return `Port ${port} of ${host} cannot be listened on (${message}): set PORT and HOST to others.`;
  }
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
  // Where there is no hard limit (macOS), the kernel has one all the same.
  const script =
    'for most in "$(ulimit -Hn)" 65536 10240; do ulimit -n "$most" 2>/dev/null && break; done; exec "$0" "$@"';
  return spawn("/bin/sh", ["-c", script, workerdBinary(), ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env, [hostsVariable]: allowedHosts.join(",") },
    // A group of its own: Ctrl-C is for us, who let calls end first.
    detached: true,
  });
}

/** Until the Worker answers, whatever that is: workerd accepts connections before it has loaded it, and ends if it cannot. */
async function untilAnswering(port: number, host: string, child: ChildProcess): Promise<void> {
  const target = { port, host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host };
  const late = setTimeout(
    () => console.error(`Not serving after ${lateAfterMs / 1_000} s. Does a module of the Worker loop while it loads?`),
    lateAfterMs,
  );
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Fault(
        "workerd ended before it served: what it wrote is above. If the Worker throws while it loads, mend that and build again.",
      );
    }
    const isAnswered = await new Promise<boolean>((done) => {
      const request = get({ ...target, path: "/health", agent: false }, (response) => {
        response.destroy();
        done(true);
      });
      request.once("error", () => done(false));
    });
    if (isAnswered) return clearTimeout(late);
    await new Promise((done) => setTimeout(done, 20));
  }
}

function readiness(name: string, url: string, { data, allowedHosts }: ServeOptions, swept: number): string {
  const limit = descriptorLimit();
  const room =
    limit === undefined ? "" : `; ${limit} file descriptors, enough for about ${sessionsFor(limit)} sessions at once`;
  const hosts = allowedHosts[0] === "*" ? "any host name" : ["localhost", "IP addresses", ...allowedHosts].join(", ");
  const gone = swept === 0 ? "" : `; deleted ${swept} that had ended`;
  return `${name} serves ${url}/sse and ${url}/mcp, asked as ${hosts}; sessions in ${data}${gone}${room}.`;
}

/** workerd, told to stop, ends once nothing is under way; with a stream open it would not, and new connections hang. */
async function stop(child: ChildProcess, ended: Promise<unknown>, graceMs: number): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await ended;
  clearTimeout(late);
}
