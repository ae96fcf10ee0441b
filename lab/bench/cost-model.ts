import type { Counts, SessionCounts } from "./counts.ts";
import { type Good, objectGb, prices, subscriptionDollars } from "./prices.ts";

/** How a server is used. */
export interface Usage {
  /** Sessions opened each day. */
  sessions: number;
  /** How long each stays open, hours. */
  openHours: number;
  /** Quick calls in each. */
  calls: number;
}

/** Who holds the client's stream: the Worker, so that the object hibernates, or the object itself, which it pins. */
export type Holder = "worker" | "object";

export interface Bill {
  quantities: Record<Good, number>;
  dollars: Record<Good, number>;
  totalDollars: number;
}

export const daysPerMonth = 30;

/** CPU of one keep-alive comment in the Worker, milliseconds, as it was measured on workerd. */
const keepAliveCpuMs = 0.08;
/** One every 20 s: the default of `keepAliveMs`. */
const keepAlivesPerHour = 180;
const bytesPerGb = 1_000_000_000;

export interface SessionCost {
  counts: SessionCounts;
  /** Bytes stored for a session while it lives. */
  diskBytes: number;
  /** CPU of one request in the Worker, milliseconds, at most: the whole latency of a call, of which it is a part. */
  requestCpuMs: number;
}

/** A month of `usage`, from what the benchmark counted of one session. */
export function monthlyBill(
  { sessions, openHours, calls }: Usage,
  { counts, diskBytes, requestCpuMs }: SessionCost,
  holder: Holder,
): Bill {
  const monthly = sessions * daysPerMonth;
  const total = (of: (part: Counts) => number): number =>
    of(counts.open) + calls * of(counts.call) + of(counts.idle) + of(counts.close);
  const objectRequests = total((part) => part.objectRequests);
  const workerRequests = total((part) => part.workerRequests);
  const pinnedSeconds = total((part) => part.pinnedMs) / 1_000;
  const openSeconds = openHours * 3_600;
  const seconds = holder === "object" ? Math.max(openSeconds, pinnedSeconds) : pinnedSeconds;
  const keepAliveMs = holder === "worker" ? keepAlivesPerHour * openHours * keepAliveCpuMs : 0;
  const quantities: Record<Good, number> = {
    workerRequests: monthly * workerRequests,
    workerCpuMs: monthly * (workerRequests * requestCpuMs + keepAliveMs),
    objectRequests: monthly * objectRequests,
    objectGbSeconds: monthly * seconds * objectGb,
    rowsWritten: monthly * total((part) => part.rowsWritten),
    // On average this many live at once.
    storedGbMonths: (sessions * Math.min(1, openHours / 24) * diskBytes) / bytesPerGb,
  };
  return priced(quantities);
}

function priced(quantities: Record<Good, number>): Bill {
  const dollars = { ...quantities };
  let totalDollars = subscriptionDollars;
  for (const good of Object.keys(prices) as Good[]) {
    const { included, dollars: price, per } = prices[good];
    dollars[good] = (Math.max(0, quantities[good] - included) / per) * price;
    totalDollars += dollars[good];
  }
  return { quantities, dollars, totalDollars };
}
