import { execFileSync } from "node:child_process";
import { parentCheckMs } from "./wrangler-process.ts";

/**
 * npm runs this in a shell that dies of SIGTERM without passing it on, and that outlives an npm which was killed: either
 * way nobody would end the server.
 */
export function whenNpmIsGone(then: () => void): void {
  const parent = process.ppid;
  const npm = aboveShell(parent);
  const check = (): void => {
    if (process.ppid !== parent || !isAlive(npm)) then();
  };
  setInterval(check, parentCheckMs).unref();
}

/** The parent of `pid` if that is a shell which runs this script, else itself: some shells become what they run. */
function aboveShell(pid: number): number {
  try {
    const line = execFileSync("ps", ["-ww", "-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
    return line.includes(process.env["npm_lifecycle_script"] ?? "src/dev.ts") ? Number.parseInt(line, 10) : pid;
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
