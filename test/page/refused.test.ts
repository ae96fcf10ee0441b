import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { launchChromium, openScreen } from "../support/chromium.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { SwitchedServer } from "../support/switched-server.ts";

let guarded: EdgeServer;
let browser: Browser;
beforeAll(async () => {
  [guarded, browser] = await Promise.all([startEdge("test/fixtures/token-door.ts", { page: true }), launchChromium()]);
});
afterAll(() => Promise.all([guarded.close(), browser.close()]));
beforeEach(() => takeToken("sesame"));

/** The server takes this token from now on, and no other. */
async function takeToken(token: string): Promise<void> {
  await fetch(`${guarded.url}/change?to=${token}`);
}

/** From now on all is answered by a page of whatever stands before the server. */
async function takeDown(): Promise<void> {
  await fetch(`${guarded.url}/change`);
}

async function logIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("navigation").waitFor();
}

async function run(page: Page, tool: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name: tool, exact: true }).click();
  await page.getByRole("button", { name: "Run" }).click();
}

const result = (page: Page) => page.getByRole("region", { name: "What came of it" });

test("a call that is refused fails, and nothing else: the next one is answered", async () => {
  await using screen = await openScreen(browser, `${guarded.url}/`);
  const { page } = screen;
  await logIn(page, "sesame");
  await run(page, "erase");
  await result(page).getByText("insufficient_scope").waitFor();
  expect(await page.getByRole("status").innerText()).toBe("Connected");
  await run(page, "whoami");
  await result(page).getByText("ali", { exact: true }).waitFor();
});

test("a token that ends in a session is asked for again, and the page goes on with another", async () => {
  await using screen = await openScreen(browser, `${guarded.url}/`);
  const { page } = screen;
  await logIn(page, "sesame");
  await takeToken("barley");
  await run(page, "whoami");
  await page.getByText("The server does not take this token any more.").waitFor();
  await logIn(page, "barley");
  await run(page, "whoami");
  await result(page).getByText("ali", { exact: true }).waitFor();
  expect(await page.getByRole("heading", { name: "Log in" }).count()).toBe(0);
});

test("a token that has ended when the connection is lost is asked for, for as long as nobody gives another", async () => {
  await using server = await SwitchedServer.start(guarded.url);
  await using screen = await openScreen(browser, `${server.url}/`);
  const { page } = screen;
  await page.clock.install();
  await logIn(page, "sesame");
  await takeToken("barley");
  server.switchOff();
  await server.switchOn();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.clock.runFor(30_000);
  expect(await page.getByRole("heading", { level: 2 }).allInnerTexts()).toEqual(["Log in"]);
  await logIn(page, "barley");
});

test("a server in whose place something else answers is away, and looked for until it is back", async () => {
  await using server = await SwitchedServer.start(guarded.url);
  await using screen = await openScreen(browser, `${server.url}/`);
  const { page } = screen;
  await logIn(page, "sesame");
  await takeDown();
  server.switchOff();
  await server.switchOn();
  await page.getByRole("heading", { name: "The server is away" }).waitFor();
  await takeToken("sesame");
  await page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
  expect(await page.getByRole("heading", { name: "The server is away" }).count()).toBe(0);
});
