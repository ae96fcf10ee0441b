import { connect } from "node:net";
import { expect } from "vitest";
import type { WorkerdProcess } from "./workerd-process.ts";

interface HungUp {
  headers: Record<string, string>;
  message: unknown;
  /** What the tool writes once it runs. */
  began: string;
}

/** Calls a tool over `/mcp` and a socket of its own, and resets that once the tool runs. */
export async function hangUpIn({ url, output }: WorkerdProcess, { headers, message, began }: HungUp): Promise<void> {
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
  await expect.poll(() => output()).toContain(began);
  socket.resetAndDestroy();
}
