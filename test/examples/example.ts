import { join } from "node:path";
import { createTestHarness } from "wrangler";
import { root } from "../support/bundle.ts";

/** An example in a real workerd, with its own configuration, on a free port. */
export interface Example extends AsyncDisposable {
  url: string;
}

export async function startExample(name: string): Promise<Example> {
  const folder = join(root, "examples", name);
  const harness = createTestHarness({ root: folder, workers: [{ configPath: join(folder, "wrangler.toml") }] });
  const { url } = await harness.listen();
  return { url: url.origin, [Symbol.asyncDispose]: () => harness.close() };
}
