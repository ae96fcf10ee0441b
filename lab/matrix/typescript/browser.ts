import { findOnPath } from "../kits.ts";
import { importFromKit } from "./kit.ts";

/** What is used of a Playwright locator: an element of the page, waited for. */
export interface Locator {
  getByRole(role: string, options?: { name?: string | RegExp; exact?: boolean }): Locator;
  getByText(text: string, options?: { exact?: boolean }): Locator;
  click(options?: { force?: boolean }): Promise<void>;
  fill(value: string): Promise<void>;
  waitFor(options?: { state: "visible" | "hidden" }): Promise<void>;
  innerText(): Promise<string>;
  allInnerTexts(): Promise<string[]>;
}

export interface Page extends Locator {
  goto(url: string): Promise<unknown>;
  screenshot(options: { path: string }): Promise<unknown>;
  evaluate<Result>(script: string): Promise<Result>;
}

interface Browser {
  newPage(options: { viewport: { width: number; height: number } }): Promise<Page>;
  close(): Promise<void>;
}

/** It is CommonJS, whose exports arrive as the default one. */
interface Playwright {
  default: { chromium: { launch(options: { executablePath: string; args: string[] }): Promise<Browser> } };
}

/** Chromium without a window, which asks nobody for anything but the page. */
export async function launchChromium(): Promise<Browser> {
  const playwright = await importFromKit<Playwright>("playwright-core");
  const executablePath = await findOnPath("chromium");
  if (executablePath === undefined) throw new Error("Chromium is not on the PATH.");
  const args = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return await playwright.default.chromium.launch({ executablePath, args });
}
