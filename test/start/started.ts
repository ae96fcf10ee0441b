import { afterEach, vi } from "vitest";
import { freePort } from "../support/free-port.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { type NpmRun, npmRun } from "./npm-run.ts";

/** A test here starts wrangler up to five times, which takes ten seconds each beside others on a busy machine. A bound on hanging. */
vi.setConfig({ testTimeout: 400_000 });

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** What is printed last of the announcement: from then on it serves. */
export const announced = "npm run inspector";

/** Undone after the test, the last first. */
export function afterwards(cleanUp: () => Promise<unknown>): void {
  cleanUps.push(cleanUp);
}

/** A copy of the project, until the end of the test. */
export async function copy(): Promise<ProjectCopy> {
  const project = await copyProject();
  afterwards(async () => project[Symbol.asyncDispose]());
  return project;
}

export interface Started {
  run: NpmRun;
  project: ProjectCopy;
  /** `http://localhost:<port>` */
  url: string;
  port: number;
}

export interface StartOptions {
  /** Of `src/server.ts`; the example server if not given. */
  source?: string;
  /** Other files of the copy. */
  files?: Record<string, string>;
  /** Arguments of `npm start` besides its port. */
  args?: string[];
  env?: NodeJS.Dict<string>;
}

/** `npm start` in a copy of the project: its state and its edits are its own. It may not serve yet. */
export async function start({ source, files, args = [], env }: StartOptions = {}): Promise<Started> {
  const project = await copy();
  if (source !== undefined) await project.write("src/server.ts", source);
  for (const [path, text] of Object.entries(files ?? {})) await project.write(path, text);
  const port = await freePort();
  const run = startIn(project, ["--port", String(port), ...args], env);
  return { run, project, port, url: `http://localhost:${port}` };
}

export function startIn({ folder }: ProjectCopy, args: string[], env?: NodeJS.Dict<string>): NpmRun {
  // wrangler looks for a free port from 9229 on, and those who look at the same moment find the same.
  const run = npmRun(["start", "--", "--inspector-port", "0", ...args], folder, env);
  afterwards(() => {
    run.interrupt();
    return run.ended;
  });
  return run;
}

/** A server of SDK v2 whose first line after these is `body`: line 5. */
export function serverSource(body: string): string {
  return `import { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
export function createServer({ env }: { env: Record<string, unknown> }) {
  const server = new McpServer({ name: "started", version: "1.0.0" });
${body}
  return server;
}
console.debug(typeof z, typeof createServer);
`;
}
