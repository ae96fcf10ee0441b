import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { RawSseClient, textOf } from "../../test/support/raw-client.ts";
import { startServed } from "../../test/support/served-process.ts";

const run = promisify(execFile);

/** A disk that fills up under `mcp-edge serve`: who has to store something is told, and goes on once there is room. */
export async function checkFullDisk(): Promise<void> {
  const served = await startServed("test/fixtures/example.ts");
  const ballast = join(served.data, "ballast");
  await served.stop();
  await run("mount", ["-t", "tmpfs", "-o", "size=600k", "tmpfs", served.data]);
  try {
    await served.restart();
    const client = await RawSseClient.open(served.url);
    const remember = () => client.call("remember", { key: "colour", value: "green".repeat(600) });
    expect(textOf(await client.call("add", { a: 25, b: 25 })), "50", "a call before the disk is full");
    await fill(ballast);
    const refused = await remember().then(textOf, (error: Error) => error.message);
    expect(refused, "answered 503", "what has to be stored on a full disk");
    await rm(ballast);
    expect(textOf(await remember()), "Remembered colour.", "the same session with room again");
    client.close();
    await served.stop();
    await fill(ballast);
    const failed = await served.restart().then(
      () => "it serves",
      (error: Error) => error.message,
    );
    expect(failed, "cannot be written, and sessions are kept there", "a start on a full disk");
  } finally {
    await served.kill();
    await run("umount", ["-l", served.data]);
    await served.close();
  }
}

/** To the last byte. */
async function fill(path: string): Promise<void> {
  await writeFile(path, "");
  for (const bytes of [65_536, 4_096]) {
    for (let isRoom = true; isRoom;) {
      isRoom = await writeFile(path, "x".repeat(bytes), { flag: "a" }).then(
        () => true,
        () => false,
      );
    }
  }
}

function expect(seen: string, wanted: string, what: string): void {
  if (!seen.includes(wanted)) throw new Error(`${what}: ${seen.slice(0, 500)}, not ${wanted}`);
  console.log(`${what}: as it should be`);
}
