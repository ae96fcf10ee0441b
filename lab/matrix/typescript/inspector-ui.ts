import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../../test/support/bundle.ts";
import { freePort } from "../../../test/support/free-port.ts";
import type { LaneName, Sighting } from "../sighting.ts";
import { launchChromium, type Page } from "./browser.ts";
import { makeCalls } from "./calls.ts";
import { programArguments, projectFile, report, versionIn } from "./kit.ts";

const inspector = projectFile("@modelcontextprotocol/inspector");
/** A screenshot of each result is kept there, and what the Inspector stores. */
const artifacts = join(root, ".cache", "inspector-ui");

/** In the page: notes each progress that it shows, such as "Tool progress 2 — 2 / 3 (67%)", once. */
const noteProgress = `
  window.notedProgress = [];
  new MutationObserver(() => {
    for (const alert of document.querySelectorAll("[role=alert]")) {
      const progress = Number(/(\\d+) \\/ 3 /.exec(alert.textContent)?.[1]);
      if (progress > 0 && !window.notedProgress.includes(progress)) window.notedProgress.push(progress);
    }
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
  undefined;
`;

/** What the person at the screen does when a tool asks. */
const responses: Record<string, (page: Page) => Promise<void>> = {
  async ask(page) {
    const dialog = page.getByRole("dialog", { name: "Elicitation Request" });
    await dialog.getByRole("textbox", { name: "answer", exact: true }).fill("blue");
    await dialog.getByRole("button", { name: "Submit" }).click();
  },
  async sample(page) {
    const dialog = page.getByRole("dialog", { name: "Sampling Request" });
    await dialog.getByRole("textbox", { name: "Response" }).fill("tides");
    await dialog.getByRole("button", { name: "Send Response" }).click();
  },
};

const { url, lane } = programArguments();
await mkdir(artifacts, { recursive: true });
const port = await freePort();
const browser = await launchChromium();
let server: ChildProcess | undefined;
try {
  server = await startInspector(port);
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  await page.goto(`http://127.0.0.1:${port}/`);
  report(await useInspector(page));
} finally {
  await browser.close();
  server?.kill();
}

/** Runs `mcp-inspector --transport … --server-url …`, until its page can be had. */
async function startInspector(clientPort: number): Promise<ChildProcess> {
  const launcher = join(inspector, "clients/launcher/build/index.js");
  const transport: Record<LaneName, string> = { sse: "sse", mcp: "http" };
  const child = spawn(process.execPath, [launcher, "--transport", transport[lane], "--server-url", url], {
    stdio: ["ignore", "pipe", "ignore"],
    env: {
      ...process.env,
      CLIENT_PORT: String(clientPort),
      MCP_SANDBOX_PORT: "0",
      MCP_AUTO_OPEN_ENABLED: "false",
      DANGEROUSLY_OMIT_AUTH: "true",
      MCP_STORAGE_DIR: join(artifacts, "storage"),
      HOME: join(artifacts, "home"),
    },
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the Inspector ended before its page was up")));
  const up = new Promise<void>((resolve) => lines.on("line", (line) => line.includes("up and running") && resolve()));
  await Promise.race([up, ended]);
  // From here on it ends because it is told to.
  ended.catch(() => undefined);
  return child;
}

/** What a person does: connect, open the tools, call them, and read the screen. */
async function useInspector(page: Page): Promise<Sighting> {
  // The input of the switch is covered by its drawing, which takes the click of a person.
  await page.getByRole("switch", { name: /Connect or disconnect/ }).click({ force: true });
  await page.getByText("Tools", { exact: true }).click();
  await page.getByRole("heading", { name: /^Tools \(/ }).waitFor();
  const buttons = await page.getByRole("main").getByRole("button").allInnerTexts();

  // Before any call: it sees the alerts of all of them, of which only the countdown's are progress of 3.
  await page.evaluate(noteProgress);
  const calls = await makeCalls({
    call: async (tool, args) => await call(page, tool, { ...args, ...(tool === "countdown" && { stepMs: 300 }) }),
    asks: true,
    samples: true,
  });
  const progress = await page.evaluate<number[]>("window.notedProgress");
  return { version: versionIn(inspector), tools: buttons, ...calls, progress };
}

/** Fills in and executes a tool, and reads what the page shows as its result. */
async function call(page: Page, tool: string, args: Record<string, unknown>): Promise<string> {
  await page.getByRole("button", { name: tool, exact: true }).click();
  for (const [name, value] of Object.entries(args)) {
    await page.getByRole("textbox", { name, exact: true }).fill(String(value));
  }
  await page.getByRole("button", { name: "Execute Tool" }).click();
  await responses[tool]?.(page);
  await page.getByRole("heading", { name: "Results" }).waitFor();
  await page.screenshot({ path: join(artifacts, `${lane}-${tool}.png`) });
  const shown = /Results\s+(?<result>.*?)\s+⎘/s.exec(await page.getByRole("main").innerText());
  await page.getByRole("button", { name: "Close results" }).click();
  return shown?.groups?.["result"] ?? "";
}
