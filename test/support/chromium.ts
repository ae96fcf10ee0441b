import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** As long as what is polled for: Playwright's own 30 s are less than a busy machine may take. */
const patienceMs = 90_000;

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A page in a real Chromium, with what nobody may see: errors in its console, and requests to anybody but the server. */
export interface Screen extends AsyncDisposable {
  page: Page;
  /** What a browser reports about a page, and each request to another host, as text. */
  complaints: string[];
}

/** Chromium without a window, which asks nobody for anything but the pages of a test. */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const all = [...args, ...quiet, ...more];
  return await chromium.launch({ executablePath: await findChromium(), args: all, timeout: patienceMs });
}

async function findChromium(): Promise<string> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const installed = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const path of [...installed, chromium.executablePath()]) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(
    `There is no Chromium on the PATH (${names.join(", ")}), and the tests of the page need one. ` +
      "Install it, or run npx playwright-core install chromium.",
  );
}

/** Opens `url` as a person does. */
export async function openScreen(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Screen> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith("http") && asked.host !== new URL(url).host) complaints.push(`asked: ${asked.href}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
