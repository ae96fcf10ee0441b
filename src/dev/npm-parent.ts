import { execFileSync } from "node:child_process";
import { parentCheckMs } from "./wrangler-process.ts";

/**
 * npm runs this in a shell that dies of SIGTERM without passing it on, and that outlives an npm which was killed: either
 * way nobody would end the server. Calls `then` once; never without npm, or if its script is to outlive it.
 */
export function whenNpmIsGone(then: () => void): void {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = "" } = process.env;
  if (event === undefined || script.trimEnd().endsWith("&")) return;
  const parent = process.ppid;
  const npm = aboveShell(parent, script);
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(npm)) return;
    clearInterval(timer);
    then();
  }, parentCheckMs).unref();
}

/** The parent of `pid` if that is a shell which runs `script`, else itself: some shells become what they run. */
function aboveShell(pid: number, script: string): number {
  try {
    const line = execFileSync("ps", ["-ww", "-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
    return script !== "" && line.includes(script) ? Number.parseInt(line, 10) : pid;
  } catch {
    // Without `ps`, Windows for one, the parent itself has to do.
    return pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One of another user is not ours to signal.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
