import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // Each file starts a workerd of its own. More of them than cores only slows each other down.
    maxWorkers: 2,
    // A bound on hanging, not a limit on speed: the machine may be doing much else.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Likewise: what is polled for is there in milliseconds, on a machine that has time.
    expect: { poll: { timeout: 90_000 } },
    env: { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  },
});
