import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Bill, daysPerMonth, type Holder, monthlyBill, type SessionCost, type Usage } from "./cost-model.ts";
import { type Good, prices, pricesAsOf, subscriptionDollars } from "./prices.ts";
import type { Report } from "./report.ts";

const { values: flags } = parseArgs({
  options: {
    sessions: { type: "string", default: "1000" },
    "open-hours": { type: "string", default: "8" },
    calls: { type: "string", default: "50" },
    readme: { type: "boolean", default: false },
  },
});

const results = join(import.meta.dirname, "results");

const goods: Record<Good, string> = {
  workerRequests: "Worker requests",
  workerCpuMs: "Worker CPU ms",
  objectRequests: "object requests",
  objectGbSeconds: "object GB-s",
  rowsWritten: "rows written",
  storedGbMonths: "GB stored",
};

/** What stops each scale first, from the platform's documented limits. */
const limits = [
  "1 session: one object answers about 1,000 requests a second (a soft limit), on one thread with 128 MB; its SQLite holds 10 GB. More calls at once need more sessions.",
  "1,000 sessions: on the free plan 100,000 requests a day, counted for the Worker and again for its objects, and 10 ms of CPU for each invocation: the keep-alives of a long stream use that up in time, and the client resumes on another. On the paid plan nothing: an isolate of 128 MB holds many streams, and Cloudflare starts more isolates as they fill.",
  "1,000,000 sessions: the number of objects is not limited, and no session waits for another. Self-hosted, one workerd process is the limit: a file descriptor for each client, three more while its object is awake, and the memory of each session in the table of the benchmark.",
];

function number(value: string, name: string): number {
  const parsed = Number(value);
  if (Number.isFinite(parsed) && parsed >= 0) return parsed;
  throw new RangeError(`--${name} is a number, not ${value}.`);
}

function money(dollars: number): string {
  return `$${dollars.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function amount(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 0 });
}

function describe(title: string, { quantities, dollars, totalDollars }: Bill): string {
  const lines = (Object.keys(prices) as Good[]).map(
    (good) => `  ${goods[good].padEnd(18)}${amount(quantities[good]).padStart(20)}${money(dollars[good]).padStart(16)}`,
  );
  const plan = `  ${"plan".padEnd(38)}${money(subscriptionDollars).padStart(16)}`;
  return [title, ...lines, plan, `  ${"a month".padEnd(38)}${money(totalDollars).padStart(16)}`].join("\n");
}

function markdown(usages: Usage[], cost: SessionCost, measuredOn: string): string {
  const bill = (usage: Usage, holder: Holder): string => money(monthlyBill(usage, cost, holder).totalDollars);
  const rows = usages.map(
    (usage) => `| ${amount(usage.sessions)} | ${bill(usage, "worker")} | ${bill(usage, "object")} |`,
  );
  const [usage] = usages;
  const shape = `Each session is open ${usage?.openHours} hours a day and makes ${usage?.calls} quick calls.`;
  const basis = `Prices of ${pricesAsOf}, counts measured ${measuredOn}; the $${subscriptionDollars} plan and what it includes are in.`;
  return `| sessions a day | a month, mcp-edge | a month, stream held by the object |
| --- | --- | --- |
${rows.join("\n")}

${shape} ${basis}
A POST that Cloudflare does not bring to the isolate of its stream is a request to the object instead of a twentieth of one.

What limits each scale:

${limits.map((limit) => `- ${limit}`).join("\n")}
`;
}

const report = JSON.parse(await readFile(join(results, "latest.json"), "utf8")) as Report;
const cost: SessionCost = {
  counts: report.counts,
  diskBytes: report.idle.ours?.diskBytes ?? Number.NaN,
  requestCpuMs: report.medians["call"]?.ours ?? Number.NaN,
};
const usage: Usage = {
  sessions: number(flags.sessions, "sessions"),
  openHours: number(flags["open-hours"], "open-hours"),
  calls: number(flags.calls, "calls"),
};
const times = `${amount(usage.sessions)} sessions a day, ${usage.openHours} h open, ${usage.calls} calls each, ${daysPerMonth} days`;
console.log(describe(`mcp-edge: ${times}`, monthlyBill(usage, cost, "worker")));
console.log(describe("the same, if the object held the stream:", monthlyBill(usage, cost, "object")));
if (flags.readme) {
  const usages = [1, 1_000, 1_000_000].map((sessions) => ({ ...usage, sessions }));
  await writeFile(join(results, "cost.md"), markdown(usages, cost, report.date));
}
