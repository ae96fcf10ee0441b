import { join } from "node:path";
import { root } from "../../test/support/bundle.ts";
import { launchChromium } from "../../test/support/chromium.ts";
import { startEdge } from "../../test/support/edge-server.ts";

/** `node lab/page/picture.ts` takes the picture of README.md: a call whose connection was cut, and which goes on. */
const path = join(root, "docs/page.png");
/** Higher than what is shown: nothing is scrolled away. */
const viewport = { width: 1080, height: 1800 };

const edge = await startEdge("src/worker.ts", { page: true });
// As `npm start` serves it, whatever port is free.
const browser = await launchChromium([`--host-resolver-rules=MAP localhost:8000 ${new URL(edge.url).host}`]);
try {
  const page = await browser.newPage({ viewport, colorScheme: "light" });
  await page.goto("http://localhost:8000/sse");
  await page.getByRole("tab", { name: "Claude Code" }).click();
  await page.getByRole("navigation").getByRole("button", { name: "countdown" }).click();
  await page.getByLabel("from", { exact: true }).fill("5");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("log").getByText("1 of 5").waitFor();
  await page.getByRole("button", { name: "Pull the plug" }).click();
  await page.getByRole("log").getByText("Back in the same session.").waitFor();
  const box = await page.getByRole("article").boundingBox();
  const height = Math.round((box?.y ?? 0) + (box?.height ?? 0) + 40);
  await page.screenshot({ path, clip: { x: 0, y: 0, width: viewport.width, height } });
} finally {
  await browser.close();
  await edge.close();
}
