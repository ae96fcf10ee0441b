import { stripVTControlCharacters } from "node:util";
import type { MessageView, SessionView, StreamView } from "../link/inspection.ts";
import { typed } from "./commands.ts";

/** What is shown of a name, UTF-16 units. */
const maxCellLength = 80;

/** As much of an id as tells one session from the next. */
const shortLength = 12;

const lanes = { sse: "HTTP+SSE", mcp: "Streamable HTTP" };

/** What `npm run inspect` prints of one session. */
export function reportSession(view: SessionView): string {
  const { session, logged, lane, isStored, owner, nowMs, subscriptions, alarmAtMs } = view;
  const ago = (thenMs: number): string => duration(nowMs - thenMs);
  const until = (thenMs: number): string => (thenMs <= nowMs ? "now" : `in ${duration(thenMs - nowMs)}`);
  return [
    `Session ${session}`,
    ...table([[lanes[lane], clientOf(view), ...(subscriptions > 0 ? [`${subscriptions} subscriptions`] : [])]]),
    `  in the log ${logged}; ${owner === null ? "opened without a login" : `opened by the user ${owner} of the log`}`,
    `  ${isStored ? "stored" : "nothing is stored yet"}; its server is ${view.hasServer ? "" : "not "}in memory`,
    section(
      "Streams",
      view.streams.map((stream) => [stream.name, presence(stream, ago)]),
    ),
    section(
      "Messages that may not have arrived",
      view.messages.map((message) => [
        message.what,
        size(message.bytes),
        `on ${message.stream}`,
        state(message, ago),
        message.lies.join(", "),
      ]),
    ),
    section(
      "Calls in flight",
      view.calls.map(({ id, what, stream, startedAtMs, isJournaled }) => [
        `${id}`,
        what,
        `on ${stream}`,
        `for ${ago(startedAtMs)}`,
        isJournaled ? "journaled" : "in memory only",
      ]),
    ),
    section(
      "Journal",
      view.journal.map(({ key, id, what, stream, reruns, isRunning }) => [
        key,
        `${id}`,
        what,
        `on ${stream}`,
        isRunning ? "running" : "interrupted",
        ...(reruns > 0 ? [`run again ${reruns} times`] : []),
      ]),
    ),
    section(
      "Asked of the client",
      view.asked.map(({ id, what, stream, deadlineMs }) => [
        `${id}`,
        what,
        `on ${stream}`,
        deadlineMs === null ? "" : `given up ${until(deadlineMs)}`,
      ]),
    ),
    section(
      "Memory",
      view.memory.map(({ key, bytes }) => [key, size(bytes)]),
    ),
    `Next alarm: ${alarmAtMs === null ? "none" : until(alarmAtMs)}`,
  ].join("\n");
}

/** What `npm run inspect` prints without a session. `url`: the server's. */
export function reportList(views: SessionView[], url: string): string {
  if (views.length === 0) {
    return "No session has been seen since the server was started or a source was saved. Connect a client, and ask again.";
  }
  const rows = views.map((view) => {
    const here = view.streams.filter(({ is }) => is === "here").map(({ name }) => name);
    const owed = view.messages.filter(({ is }) => is !== "handed over").length;
    return [
      view.session.slice(0, shortLength),
      lanes[view.lane],
      clientOf(view),
      here.length === 0 ? "nobody is there" : `here on ${here.join(", ")}`,
      ...(view.calls.length === 0 ? [] : [`${view.calls.length} in flight`]),
      ...(owed === 0 ? [] : [`${owed} owed`]),
    ];
  });
  const first = views[0]?.session.slice(0, shortLength);
  return `${table(rows).join("\n")}\n\nMore of one: ${typed("session", `${first} ${url}`)}`;
}

function clientOf({ client }: SessionView): string {
  if (client === null) return "not initialized";
  const { name = "a client without a name", version = "", revision } = client;
  return `${[name, version].join(" ").trim()}, revision ${String(revision)}`;
}

function presence(stream: StreamView, ago: (thenMs: number) => string): string {
  if (stream.is === "here")
    return `here for ${ago(stream.sinceMs)}${stream.by === "POST" ? ", as the answer to a POST" : ""}`;
  return stream.sinceMs === null ? "away since before the object was in memory" : `away for ${ago(stream.sinceMs)}`;
}

function state({ is, atMs }: MessageView, ago: (thenMs: number) => string): string {
  switch (is) {
    case "owed":
      return "owed";
    case "waiting":
      return "waits until what is before it is read";
    case "handed over":
      return `handed over ${ago(atMs ?? 0)} ago`;
  }
}

function section(title: string, rows: string[][]): string {
  return rows.length === 0 ? `${title}: none` : [`${title}:`, ...table(rows)].join("\n");
}

/** Columns under each other. What clients and tools have named may be of any length, and hold codes for the terminal. */
function table(cells: string[][]): string[] {
  const rows = cells.map((row) => row.map((cell) => stripVTControlCharacters(cell).slice(0, maxCellLength)));
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")}`.trimEnd());
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

function size(bytes: number): string {
  return bytes < 10_000 ? `${bytes} bytes` : `${Math.round(bytes / 1_000)} kB`;
}
