import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";

/** The tests of README.md are about this project's own. One with another title is its user's, and says what she likes. */
function isOwnReadme(): boolean {
  const path = join(import.meta.dirname, "README.md");
  return existsSync(path) && /^# mcp-edge\r?\n/.test(readFileSync(path, "utf8"));
}

export default defineConfig({
  test: {
    // Each file starts a workerd of its own. More of them than cores only slows each other down.
    maxWorkers: 2,
    // A bound on hanging, not a limit on speed.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Likewise: what is polled for is there in milliseconds, on a machine that has time.
    expect: { poll: { timeout: 90_000 } },
    env: { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    projects: [
      // The user's: `npm run test:mine` runs them alone. They start no Worker, and take seconds.
      { extends: true, test: { name: "mine", include: ["test/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "mcp-edge",
          include: ["test/*/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...(isOwnReadme() ? [] : ["test/readme/**"])],
          globalSetup: ["test/support/global-setup.ts"],
        },
      },
    ],
  },
});
