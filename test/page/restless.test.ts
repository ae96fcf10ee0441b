import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, openScreen, type Screen } from "../support/chromium.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";

let edge: EdgeServer;
let browser: Browser;
beforeAll(async () => {
  [edge, browser] = await Promise.all([startEdge("test/fixtures/restless.ts", { page: true }), launchChromium()]);
});
afterAll(() => Promise.all([edge.close(), browser.close()]));

async function choose(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name, exact: true }).click();
}

const run = (page: Page) => page.getByRole("button", { name: "Run" }).click();
const result = (page: Page) => page.getByRole("region", { name: "What came of it" });
const focused = (page: Page) => page.evaluate<string>("document.activeElement.textContent");

test("a tool whose arguments change is asked for with those that it has, and what was typed into the others is kept", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "edited");
  await page.getByLabel("old").fill("gone");
  await page.getByLabel("kept").fill("as it was");
  await choose(page, "edit");
  await run(page);
  await result(page).getByText("edited", { exact: true }).waitFor();
  await choose(page, "edited");
  await page.getByLabel("fresh").waitFor();
  expect(await page.getByLabel("old").count()).toBe(0);
  expect(await page.getByLabel("kept").inputValue()).toBe("as it was");
  expect(await page.getByLabel("count").inputValue()).toBe("7");
  await run(page);
  const shown = await result(page).getByLabel("text", { exact: true }).innerText();
  expect(JSON.parse(shown)).toEqual({ fresh: "", kept: "as it was", count: 7 });
  expect(screen.complaints).toEqual([]);
});

test("a tool that is renamed while it runs is said to be gone; what it asks can be answered, and its result is shown", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "renamed");
  await run(page);
  await page.getByText("The server does not offer this any more.").waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor();
  await page.getByRole("textbox", { name: "name" }).fill("new");
  await page.getByRole("button", { name: "Answer" }).click();
  await result(page).getByText("accept", { exact: true }).waitFor();
  await choose(page, "named anew");
  await page.getByRole("button", { name: "Run" }).waitFor();
  expect(screen.complaints).toEqual([]);
});

test("whoever has no mouse is where they were once a call has ended, was cancelled, or has its answer", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "steps");
  await page.getByLabel("count").fill("2");
  await page.getByRole("button", { name: "Run" }).focus();
  await page.keyboard.press("Enter");
  await result(page).getByText("done", { exact: true }).waitFor();
  expect(await focused(page)).toBe("Run");
  await page.getByLabel("count").fill("100000");
  await run(page);
  await page.getByRole("button", { name: "Cancel" }).focus();
  await page.keyboard.press("Enter");
  await result(page).getByText("Cancelled.").waitFor();
  await expect.poll(() => focused(page)).toBe("Run");
  expect(screen.complaints).toEqual([]);
});

test("steps are followed while they are looked at, and whoever looks at something else is left there", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`, { viewport: { width: 800, height: 600 } });
  const { page } = screen;
  await choose(page, "steps");
  await page.getByLabel("count").fill("400");
  await run(page);
  const isLastSeen = (): Promise<boolean> =>
    page.evaluate<boolean>(
      `(() => { const last = document.querySelector(".parts li:last-child").getBoundingClientRect();
        const held = document.querySelector(".parts").getBoundingClientRect();
        return last.bottom <= held.bottom + 1 && last.top < innerHeight; })()`,
    );
  // More than are kept: the number of those that are shown stays as it is from there on.
  await result(page).getByText("210 of 400: step 210").waitFor();
  expect(await isLastSeen()).toBe(true);
  await page.evaluate("scrollTo(0, 0)");
  await result(page).getByText("300 of 400: step 300").waitFor({ state: "attached" });
  expect(await page.evaluate<number>("scrollY")).toBe(0);
  await page.getByRole("button", { name: "Cancel" }).click();
  expect(screen.complaints).toEqual([]);
});

/** Runs `tool` until it asks, and the call was taken; then its object crashes, and is built again. */
async function crashAsIt({ page }: Screen, tool: string): Promise<void> {
  const isCall = (request: Request): boolean => request.postData()?.includes("tools/call") === true;
  const [post, taken] = [page.waitForRequest(isCall), page.waitForResponse((response) => isCall(response.request()))];
  await choose(page, tool);
  await run(page);
  await page.getByRole("heading", { name: "The server asks you" }).waitFor();
  await page.getByLabel("name").fill("typed already");
  await taken;
  await edge.abort(new URL((await post).url()).searchParams.get("sessionId") ?? "");
}

test("a call that runs again after a crash asks what it had asked: once, where the answer is being typed", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await crashAsIt(screen, "repeatable");
  await page.getByText("messages of this page").click();
  await expect.poll(() => page.locator(".wire li", { hasText: "elicitation/create" }).count()).toBe(2);
  await page.getByRole("button", { name: "Answer" }).click();
  await result(page).getByText('{"name":"typed already"}').waitFor();
  expect(await page.getByRole("heading", { name: "The server asks you" }).count()).toBe(0);
});

test("what a call has asked that is over is not asked any more", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await crashAsIt(screen, "unrepeatable");
  await result(page)
    .getByText(/^The session restarted while this call ran: /)
    .waitFor();
  await expect.poll(() => page.getByRole("heading", { name: "The server asks you" }).count()).toBe(0);
});

test("why a call was refused is said in the server's sentence", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await page.route(/sessionId=/, (route) =>
    route.request().postData()?.includes("tools/call") === true
      ? route.fulfill({
          status: 429,
          json: { jsonrpc: "2.0", error: { code: -32_603, message: "Too much." }, id: null },
        })
      : route.continue(),
  );
  await choose(page, "unrepeatable");
  await run(page);
  await result(page).getByText("Too much.").waitFor();
  expect(await result(page).innerText()).toMatch(/^Error\s+Too much\./);
});
