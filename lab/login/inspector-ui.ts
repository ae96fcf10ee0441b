import type { ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../test/support/bundle.ts";
import { freePort } from "../../test/support/free-port.ts";
import { launchChromium } from "../matrix/typescript/browser.ts";
import { startInspector } from "../matrix/typescript/inspector-page.ts";
import { programArguments } from "../matrix/typescript/kit.ts";

/** Screenshots are kept there, and what the Inspector stores. */
const artifacts = join(root, ".cache", "inspector-login", String(process.pid));

const { url, lane } = programArguments();
await mkdir(artifacts, { recursive: true });
const port = await freePort();
const browser = await launchChromium();
let server: ChildProcess | undefined;
try {
  server = await startInspector({ url, lane, port, artifacts });
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.getByRole("switch", { name: /Connect or disconnect/ }).click({ force: true });
  // The consent page of the example; its cookie is `__Host-`, and this is http://localhost.
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("Tools", { exact: true }).click();
  await page.getByRole("button", { name: "add", exact: true }).click();
  for (const name of ["a", "b"]) await page.getByRole("textbox", { name, exact: true }).fill("25");
  await page.getByRole("button", { name: "Execute Tool" }).click();
  await page.getByRole("heading", { name: "Results" }).waitFor();
  await page.screenshot({ path: join(artifacts, `${lane}.png`) });
  const shown = /Results\s+(?<result>.*?)\s+⎘/s.exec(await page.getByRole("main").innerText());
  console.log(shown?.groups?.["result"] ?? "");
} finally {
  await browser.close();
  server?.kill();
}
