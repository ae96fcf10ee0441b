import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchChromium, openScreen } from "../support/chromium.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";
import { SwitchedServer } from "../support/switched-server.ts";

let edge: EdgeServer;
let guarded: EdgeServer;
let withLogin: EdgeServer;
let browser: Browser;
beforeAll(async () => {
  [edge, guarded, withLogin, browser] = await Promise.all([
    startEdge("test/fixtures/example.ts", { page: true }),
    startEdge("test/fixtures/token-door.ts", { page: true }),
    startEdge("test/fixtures/oauth-door.ts", { page: true }),
    launchChromium(),
  ]);
});
afterAll(() => Promise.all([edge.close(), guarded.close(), withLogin.close(), browser.close()]));

/** What Chromium itself says of an answer that the page expects. */
const unauthorized = "error: Failed to load resource: the server responded with a status of 401 (Unauthorized)";

test("before the login nothing is shown of the server; a wrong token is told from none, the right one opens it", async () => {
  await using screen = await openScreen(browser, `${guarded.url}/`);
  const { page } = screen;
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByText("mcp:read").waitFor();
  expect(await page.getByRole("main").innerText()).not.toMatch(/mcp-edge|countdown|Connect/);
  await page.getByLabel("Token", { exact: true }).fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("The server did not take this token.").waitFor();
  await page.getByLabel("Token", { exact: true }).fill("sesame");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { level: 1, name: "mcp-edge" }).waitFor();
  await page.getByRole("navigation").getByRole("button", { name: "add", exact: true }).click();
  await page.getByLabel("a", { exact: true }).fill("25");
  await page.getByLabel("b", { exact: true }).fill("25");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("50", { exact: true }).waitFor();
  await page.getByText("Connectors send no token of yours").waitFor();
  await page.getByRole("tab", { name: "Claude Code" }).click();
  await page.getByText("Authorization: Bearer YOUR_TOKEN").waitFor();
  expect(await page.content()).not.toContain("sesame");
  expect(screen.complaints.filter((complaint) => complaint !== unauthorized)).toEqual([]);
});

test("an OAuth login of the same Worker is gone to and come back from, and the page keeps its query", async () => {
  await using screen = await openScreen(browser, `${withLogin.url}/sse?tenant=t1`);
  const { page } = screen;
  await page.getByRole("button", { name: "Go to the login" }).click();
  await page.getByRole("heading", { level: 1, name: "mcp-edge" }).waitFor();
  expect(page.url()).toBe(`${withLogin.url}/sse?tenant=t1`);
  await page.getByText(`${withLogin.url}/sse?tenant=t1`, { exact: true }).waitFor();
  // Its clients go to that login themselves.
  expect(await page.getByText("Connectors send no token of yours").count()).toBe(0);
  await page.getByRole("tab", { name: "Claude Code" }).click();
  const command = page.getByLabel("the command for Claude Code", { exact: true });
  expect(await command.innerText()).toMatch(/^claude mcp add --transport sse mcp-edge \S+$/);
  const stored = await page.evaluate<string>("JSON.stringify([sessionStorage, localStorage, document.cookie])");
  expect(stored).not.toContain('token":');
  expect(screen.complaints.filter((complaint) => complaint !== unauthorized)).toEqual([]);
});

test("whoever the login does not let in is told so, and may go there again from another path of the server", async () => {
  await using screen = await openScreen(browser, `${withLogin.url}/`);
  const { page } = screen;
  await fetch(`${withLogin.url}/deny`);
  await page.getByRole("button", { name: "Go to the login" }).click();
  await page.getByText("The login failed: This account may not come in.").waitFor();
  expect(page.url()).toBe(`${withLogin.url}/`);
  await page.goto(`${withLogin.url}/sse`);
  await page.getByRole("button", { name: "Go to the login" }).click();
  await page.getByRole("heading", { level: 1, name: "mcp-edge" }).waitFor();
  expect(screen.complaints.filter((complaint) => complaint !== unauthorized)).toEqual([]);
});

test("a way back from a login that nobody went to is none", async () => {
  await using screen = await openScreen(browser, `${withLogin.url}/?code=1&state=2`);
  await screen.page.getByRole("button", { name: "Go to the login" }).waitFor();
  expect(screen.complaints.filter((complaint) => complaint !== unauthorized)).toEqual([]);
});

test("a server that goes away is said to be, and when it is back the page is in its session again", async () => {
  await using server = await SwitchedServer.start(edge.url);
  await using screen = await openScreen(browser, `${server.url}/`);
  const { page } = screen;
  const status = page.getByRole("status");
  await status.getByText("Connected", { exact: true }).waitFor();
  const session = await page.locator(".session code").innerText();
  // For some seconds, before it is the server that is away: who looks only afterwards may miss it.
  const isGone = status.getByText("The connection is gone").waitFor();
  server.switchOff();
  await isGone;
  await page.getByRole("heading", { name: "The server is away" }).waitFor();
  await server.switchOn();
  await status.getByText("Back in the same session").waitFor();
  expect(await page.locator(".session code").innerText()).toBe(session);
  expect(await page.getByRole("heading", { name: "The server is away" }).count()).toBe(0);
});

test("a server that does not answer at first is looked for until it does", async () => {
  await using server = await SwitchedServer.start(edge.url);
  await using screen = await openScreen(browser, `${server.url}/`);
  const { page } = screen;
  await page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
  const session = await page.locator(".session code").innerText();
  server.switchOff();
  await page.getByRole("button", { name: "Look now" }).click();
  await page.getByRole("status").getByText("The server does not answer").waitFor();
  await server.switchOn();
  await page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
  // A new session, as it was asked for.
  expect(await page.locator(".session code").innerText()).not.toBe(session);
});

test("a server that takes long to list what it has is waited for in so many words", async () => {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const { promise: mayList, resolve: list } = Promise.withResolvers<void>();
  await page.route(/sessionId=/, async (route) => {
    if (route.request().postData()?.includes("tools/list") === true) await mayList;
    await route.continue();
  });
  await page.goto(`${edge.url}/`);
  const waiting = page.getByText("Reading what this server offers…");
  await waiting.waitFor();
  list();
  await page.getByRole("navigation").getByRole("button", { name: "add", exact: true }).waitFor();
  expect(await waiting.count()).toBe(0);
});

test("a page whose session has ended meanwhile is in a new one, as a client that the server knows", async () => {
  const shortLived = await startEdge("test/fixtures/short-lived.ts", { page: true });
  onTestFinished(() => shortLived.close());
  await using server = await SwitchedServer.start(shortLived.url);
  await using screen = await openScreen(browser, `${server.url}/`);
  const { page } = screen;
  await page.getByRole("navigation").waitFor();
  const session = await page.locator(".session code").innerText();
  server.switchOff();
  await expect.poll(() => shortLived.logs().join("\n")).toContain('"event":"session-ended"');
  await server.switchOn();
  await page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
  expect(await page.locator(".session code").innerText()).not.toBe(session);
  await page.getByRole("navigation").getByRole("button", { name: "ask", exact: true }).click();
  await page.getByLabel("question").fill("Well?");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("heading", { name: "The server asks you" }).waitFor();
});
