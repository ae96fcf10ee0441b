/**
 * What Cloudflare charges on the Workers Paid plan, US dollars, as its documentation gave it on `pricesAsOf`
 * (developers.cloudflare.com: workers/platform/pricing, durable-objects/platform/pricing).
 */
export const pricesAsOf = "2026-11-20";

/** A metered good: `included` each month, then `dollars` for each `per`. */
export interface Price {
  included: number;
  dollars: number;
  per: number;
}

const million = 1_000_000;

export const subscriptionDollars = 5;

export const prices = {
  workerRequests: { included: 10 * million, dollars: 0.3, per: million },
  workerCpuMs: { included: 30 * million, dollars: 0.02, per: million },
  /** Fetches, WebSocket upgrades and alarms; of the WebSocket messages that come, twenty are one. Those it sends are free. */
  objectRequests: { included: million, dollars: 0.15, per: million },
  /** Charged while an object runs or could not hibernate, for 128 MB whatever it uses. */
  objectGbSeconds: { included: 400_000, dollars: 12.5, per: million },
  /** A deleted row and an alarm that is set are each one. */
  rowsWritten: { included: 50 * million, dollars: 1, per: million },
  storedGbMonths: { included: 5, dollars: 0.2, per: 1 },
} as const satisfies Record<string, Price>;

export type Good = keyof typeof prices;

/** Gigabytes that an object is charged for. */
export const objectGb = 0.128;
