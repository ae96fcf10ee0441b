import { readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "../fault.ts";
import { makeFolder } from "../make-folder.ts";

/** `SQLITE_BUSY`. */
const sqliteBusy = 5;

/** Of the databases that workerd makes. */
const pageBytes = 4_096;

/**
 * The folder of a server's sessions, which one server at a time may use: workerd locks nothing, and two of them on one
 * disk would both serve the same session.
 *
 * The lock is a transaction of SQLite's: the system ends it with this process, however that dies.
 */
export class DataFolder {
  readonly path: string;
  readonly #lock: DatabaseSync;

  private constructor(path: string, lock: DatabaseSync) {
    this.path = path;
    this.#lock = lock;
  }

  /** @throws {Fault} if another server uses it, or it cannot be written. */
  static async open(path: string): Promise<DataFolder> {
    const lock = locked(path);
    // An orphan is known by the folder's name, which a link would change.
    const folder = new DataFolder(realpathSync(path), lock);
    await folder.#endOrphan();
    return folder;
  }

  /**
   * Notes the workerd that uses it, which outlives a `kill -9` of this process.
   * @throws {Fault} if the disk is full, before a session finds out.
   */
  note(pid: number): void {
    try {
      writeFileSync(join(this.path, "workerd.pid"), String(pid));
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /**
   * Deletes the databases of sessions that have ended, and of streams that never became one: workerd leaves an empty one
   * of each. Before workerd has them open. How many there were.
   */
  sweep(): number {
    let swept = 0;
    for (const folder of readdirSync(this.path, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      const inside = join(this.path, folder.name);
      for (const file of readdirSync(inside)) {
        // Its alarms are in a database of the same folder, by another name.
        if (!/^[0-9a-f]{64}\.sqlite$/.test(file) || !isEmpty(join(inside, file))) continue;
        for (const end of ["", "-wal", "-shm"]) rmSync(join(inside, file + end), { force: true });
        swept += 1;
      }
    }
    return swept;
  }

  release(): void {
    try {
      rmSync(join(this.path, "workerd.pid"), { force: true });
    } catch {
      // The disk has become read-only. The next start finds that this process is gone.
    }
    this.#lock.close();
  }

  /** One whose parent was killed still has the databases and the port. */
  async #endOrphan(): Promise<void> {
    let pid: number;
    try {
      pid = Number(readFileSync(join(this.path, "workerd.pid"), "utf8"));
    } catch {
      return;
    }
    if (!Number.isSafeInteger(pid) || pid <= 1 || !servesFrom(pid, this.path)) return;
    const orphan = statOf(pid);
    process.kill(pid, "SIGKILL");
    while (isAlive(pid, orphan?.startedAt)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function locked(path: string): DatabaseSync {
  let lock: DatabaseSync;
  try {
    // What sessions keep is nobody's but theirs: other users of the machine are kept out.
    makeFolder(path, 0o700);
    lock = new DatabaseSync(join(path, "lock"));
    // Waits for nobody, and writes, so that a folder that cannot be written is found now.
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    if (Reflect.get(Object(error), "errcode") === sqliteBusy) {
      throw new Fault(
        `Another mcp-edge serves from ${path}. Two would both serve the same sessions: stop that one, or set DATA to another folder.`,
      );
    }
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): Fault {
  const why = error instanceof Error ? error.message : String(error);
  return new Fault(
    `${path} cannot be written, and sessions are kept there: make room, or set DATA to a folder that can be. (${why})`,
  );
}

/** Whether that process is a workerd of this folder, and not another that got its number since. */
function servesFrom(pid: number, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`=${folder}\0`);
  } catch {
    // It is gone; or this system has no /proc, where it has to be ended by hand.
    return false;
  }
}

interface Stat {
  state: string;
  threads: number;
  /** Another process of the same number has another one. */
  startedAt: string;
}

/** `undefined` if there is no such process. See proc_pid_stat(5). */
function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in front may have spaces and brackets of its own. The first field behind it is the third.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", threads: Number(fields[17]), startedAt: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/**
 * Whether it may have files and ports still: its command line is gone before them, and its first thread before the others. What
 * is left then waits for its parent only.
 */
function isAlive(pid: number, startedAt: string | undefined): boolean {
  const stat = statOf(pid);
  if (stat === undefined || stat.startedAt !== startedAt) return false;
  return !(/[ZX]/.test(stat.state) && stat.threads <= 1);
}

/**
 * Whether nothing is stored in it: a table has a page of its own beside the first, in the file or in the log before it. Not
 * by opening it, which takes milliseconds of each session before the server is there again.
 */
function isEmpty(path: string): boolean {
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return sizeOf(path) <= pageBytes && sizeOf(`${path}-wal`) === 0;
}
