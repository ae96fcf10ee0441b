import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // Each file starts a workerd of its own. More of them than cores only slows each other down.
    maxWorkers: 2,
    // A bound on hanging, not a limit on speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Likewise: what is polled for is there in milliseconds, on a machine that has time.
    expect: { poll: { timeout: 30_000 } },
    env: { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  },
});
