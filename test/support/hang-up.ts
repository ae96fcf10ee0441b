import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import type { WorkerdProcess } from "./workerd-process.ts";

interface Called {
  headers: Record<string, string>;
  message: unknown;
}

interface HungUp extends Called {
  /** What the tool writes once it runs. */
  began: string;
}

/** Calls a tool over `/mcp` and a socket of its own, and resets that once the tool runs. */
export async function hangUpIn(server: WorkerdProcess, { began, ...called }: HungUp): Promise<void> {
  const socket = callAlone(server.url, called);
  await expect.poll(() => server.output()).toContain(began);
  socket.resetAndDestroy();
}

/** Likewise, and closes it in order once `until` is in what comes. */
export async function closeAfter(server: WorkerdProcess, { until, ...called }: Called & { until: string }) {
  const socket = callAlone(server.url, called);
  let read = "";
  socket.on("data", (chunk: Buffer) => (read += chunk.toString()));
  await expect.poll(() => read).toContain(until);
  socket.destroy();
}

function callAlone(url: string, { headers, message }: Called): Socket {
  const { host, hostname, port } = new URL(url);
  const body = JSON.stringify(message);
  const fields = {
    host,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    accept: "application/json, text/event-stream",
    ...headers,
  };
  const head = Object.entries(fields).map(([key, value]) => `${key}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  socket.write(`POST /mcp HTTP/1.1\r\n${head.join("")}\r\n${body}`);
  return socket;
}
