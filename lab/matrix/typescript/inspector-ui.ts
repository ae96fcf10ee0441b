import type { ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../../test/support/bundle.ts";
import { freePort } from "../../../test/support/free-port.ts";
import type { Sighting } from "../sighting.ts";
import { launchChromium, type Page } from "./browser.ts";
import { makeCalls } from "./calls.ts";
import { inspector, startInspector } from "./inspector-page.ts";
import { programArguments, report, versionIn } from "./kit.ts";

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
  server = await startInspector({ url, lane, port, artifacts });
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  await page.goto(`http://127.0.0.1:${port}/`);
  report(await useInspector(page));
} finally {
  await browser.close();
  server?.kill();
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
