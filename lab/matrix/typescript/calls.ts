import { type Sighting, stateless } from "../sighting.ts";

/** What the server says after its answer to `later`. */
const news = "one more thing";
/** How long to wait for it, milliseconds: far longer than it takes, on any machine. */
const newsPatienceMs = 10_000;

interface Client {
  /** Text of a tool's result; an error that the tool gives may be thrown. */
  call(name: string, args: Record<string, unknown>): Promise<string>;
  /** The client has a user, and a model. */
  asks?: boolean;
  samples?: boolean;
  /** What the log messages that it was sent so far say, if the client shows them. */
  heard?: () => string[];
}

/** The calls that each client makes, and what came of them. */
export async function makeCalls(client: Client): Promise<Omit<Sighting, "version" | "tools" | "progress">> {
  const { call, asks = false, samples = false, heard } = client;
  const revision = await call("revision", {});
  const sum = await call("add", { a: 25, b: 25 });
  const countdown = await call("countdown", { from: 3, stepMs: 50 });
  const later = await call("later", {});
  if (heard !== undefined && revision !== stateless) await untilHeard(heard);
  await refusable(call("remember", { key: "colour", value: "green" }));
  const recalled = await refusable(call("recall", { key: "colour" }));
  return {
    revision,
    sum,
    countdown,
    later,
    ...(heard && { heard: heard() }),
    recalled,
    ...(asks && { answer: await call("ask", { question: "Which colour?" }) }),
    ...(samples && { sampled: await call("sample", { prompt: "What moves the sea?" }) }),
  };
}

/** Where nothing can be remembered the tool says so by an error, which some clients throw. */
function refusable(call: Promise<string>): Promise<string> {
  return call.catch((error: unknown) => String(error));
}

async function untilHeard(heard: () => string[]): Promise<void> {
  const giveUpAtMs = Date.now() + newsPatienceMs;
  while (!heard().includes(news) && Date.now() < giveUpAtMs) await new Promise((resolve) => setTimeout(resolve, 20));
}
