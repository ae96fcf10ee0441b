import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, openScreen } from "../support/chromium.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";

const run = promisify(execFile);

let edge: EdgeServer;
/** Whose calls come as far as the test says. */
let stepwise: EdgeServer;
let browser: Browser;
beforeAll(async () => {
  [edge, stepwise, browser] = await Promise.all([
    startEdge("test/fixtures/example.ts", { page: true }),
    startEdge("test/fixtures/stepwise.ts", { page: true }),
    launchChromium(),
  ]);
});
afterAll(() => Promise.all([edge.close(), stepwise.close(), browser.close()]));

async function choose(page: Page, tool: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name: tool, exact: true }).click();
}

const steps = [1, 2, 3, 4, 5, 6];

/** Calls are told so many steps, and are answered after the sixth. */
async function goTo(step: number): Promise<void> {
  await fetch(`${stepwise.url}/test/steps?upTo=${step}`);
}

/** Of a last part that comes in one chunk with the answer, the SDK tells nobody. */
async function goToEnd(page: Page): Promise<void> {
  await goTo(6);
  await page.getByRole("log").getByText("6 of 6: step 6").waitFor();
  await goTo(7);
}

async function go(page: Page): Promise<void> {
  await goTo(1);
  await choose(page, "go");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("log").getByText("1 of 6: step 1").waitFor();
}

const focusedId = (page: Page) => page.evaluate<string>("document.activeElement?.id");
const result = (page: Page) => page.getByRole("region", { name: "What came of it" });
const parts = async (page: Page, kind: string): Promise<string[]> =>
  await page.getByRole("log").locator(`.${kind} span:last-child`).allInnerTexts();

describe("a person who opens the URL", () => {
  test.each(["/", "/sse", "/mcp", "/sse/"])("%s: sees the server, and 25 + 25 is 50", async (path) => {
    await using screen = await openScreen(browser, edge.url + path);
    const { page } = screen;
    await page.getByRole("heading", { level: 1, name: "mcp-edge" }).waitFor();
    expect(await page.title()).toBe("mcp-edge");
    await choose(page, "add");
    await page.getByLabel("a", { exact: true }).fill("25");
    await page.getByLabel("b", { exact: true }).fill("25");
    await page.getByRole("button", { name: "Run" }).click();
    await result(page).getByText("50", { exact: true }).waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("does all of it by the keyboard", async () => {
    await using screen = await openScreen(browser, `${edge.url}/sse`);
    const { page } = screen;
    await page.getByRole("navigation").waitFor();
    const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''");
    for (let presses = 0; (await focused()) !== "add" && presses < 40; presses++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const field = page.getByLabel("a", { exact: true });
    const id = await field.getAttribute("id");
    for (let presses = 0; (await focusedId(page)) !== id && presses < 40; presses++) await page.keyboard.press("Tab");
    await page.keyboard.type("25");
    await page.keyboard.press("Tab");
    await page.keyboard.type("25");
    await page.keyboard.press("Enter");
    await result(page).getByText("50", { exact: true }).waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("sees each step of a call as it happens", async () => {
    await using screen = await openScreen(browser, `${stepwise.url}/sse`);
    const { page } = screen;
    await go(page);
    expect(await parts(page, "progress")).toEqual(["1 of 6: step 1"]);
    await goTo(2);
    await page.getByRole("log").getByText("2 of 6: step 2").waitFor();
    expect(await page.getByRole("heading", { name: "Result" }).count()).toBe(0);
    await goToEnd(page);
    await result(page).getByText("It went all the way.").waitFor();
    expect(await parts(page, "progress")).toEqual(steps.map((step) => `${step} of 6: step ${step}`));
    expect(await parts(page, "log")).toEqual(steps.map((step) => expect.stringContaining(`log ${step}`)));
    expect(screen.complaints).toEqual([]);
  });

  test("pulls the plug in a call: it comes back in the same session, misses nothing and hears nothing twice", async () => {
    await using screen = await openScreen(browser, `${stepwise.url}/sse`);
    const { page } = screen;
    const session = page.locator(".session code");
    const before = await session.innerText();
    await go(page);
    // It is shown for as long as the plug is out: who looks only afterwards may miss it.
    const isGone = page.getByRole("status").getByText("The connection is gone; the session is not").waitFor();
    await Promise.all([isGone, page.getByRole("button", { name: "Pull the plug" }).click()]);
    await goTo(3);
    await page.getByRole("status").getByText("Back in the same session").waitFor();
    await goToEnd(page);
    await result(page).getByText("It went all the way.").waitFor();
    expect(await session.innerText()).toBe(before);
    expect(await parts(page, "progress")).toEqual(steps.map((step) => `${step} of 6: step ${step}`));
    expect(await parts(page, "log")).toEqual(steps.map((step) => expect.stringContaining(`log ${step}`)));
    expect(await parts(page, "connection")).toEqual([
      "The connection is gone. The call runs on.",
      "Back in the same session.",
    ]);
    expect(screen.complaints).toEqual([]);
  });

  test("cancels a call", async () => {
    await using screen = await openScreen(browser, `${edge.url}/sse`);
    const { page } = screen;
    await choose(page, "countdown");
    await page.getByLabel("from", { exact: true }).fill("500");
    await page.getByLabel("stepMs", { exact: true }).fill("1000");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("log").getByText("1 of 500").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await result(page).getByText("Cancelled.").waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("answers what a tool asks, and declines it", async () => {
    await using screen = await openScreen(browser, `${edge.url}/sse`);
    const { page } = screen;
    await choose(page, "ask");
    await page.getByLabel("question").fill("Which colour?");
    await page.getByRole("button", { name: "Run" }).click();
    const question = page.getByRole("heading", { name: "The server asks you" });
    await question.waitFor();
    await expect.poll(() => focusedId(page)).toBe(await question.getAttribute("id"));
    await page.getByLabel("answer", { exact: true }).fill("blue");
    await page.getByRole("button", { name: "Answer" }).click();
    await result(page).getByText("blue", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("button", { name: "Decline" }).click();
    await result(page).getByText("The user did not answer.").waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("is asked once, though the plug is pulled while the question stands", async () => {
    await using screen = await openScreen(browser, `${edge.url}/sse`);
    const { page } = screen;
    await choose(page, "ask");
    await page.getByLabel("question").fill("Which colour?");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("heading", { name: "The server asks you" }).waitFor();
    await page.getByRole("button", { name: "Pull the plug" }).click();
    await page.getByRole("status").getByText("Back in the same session").waitFor();
    await page.getByLabel("answer", { exact: true }).fill("green");
    await page.getByRole("button", { name: "Answer" }).click();
    await result(page).getByText("green", { exact: true }).waitFor();
    // The next question is the next call's.
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByLabel("answer", { exact: true }).fill("yellow");
    await page.getByRole("button", { name: "Answer" }).click();
    await result(page).getByText("yellow", { exact: true }).waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("answers by hand for a model, and refuses to", async () => {
    await using screen = await openScreen(browser, `${edge.url}/sse`);
    const { page } = screen;
    await choose(page, "sample");
    await page.getByLabel("prompt").fill("What moves the sea?");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("heading", { name: "The server asks your model" }).waitFor();
    await page.getByLabel(/in the place of a model/).fill("tides");
    await page.getByRole("button", { name: "Answer" }).click();
    await result(page).getByText("tides", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("button", { name: "Refuse" }).click();
    await result(page)
      .getByText(/refused/)
      .waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("looks at the messages on the wire", async () => {
    await using screen = await openScreen(browser, `${edge.url}/sse`);
    const { page } = screen;
    await page.getByText("messages of this page").click();
    const initialize = page.locator("li.sent", { hasText: "initialize" }).last();
    await initialize.getByText("initialize", { exact: false }).first().click();
    expect(JSON.parse(await initialize.locator("pre").innerText())).toMatchObject({ method: "initialize" });
  });

  test("copies by one click what their client needs, with the real URL and its query", async () => {
    const permissions = ["clipboard-read", "clipboard-write"];
    await using screen = await openScreen(browser, `${edge.url}/sse?tenant=t1&x=2`, { permissions });
    const { page } = screen;
    const url = `${edge.url}/sse?tenant=t1&x=2`;
    await page.getByRole("navigation").waitFor();
    const copied: Record<string, string> = {};
    for (const name of ["Claude Code", "Cursor", "VS Code", "Inspector", "Python", "curl"]) {
      await page.getByRole("tab", { name, exact: true }).click();
      // It is said for two seconds: who looks only afterwards may miss it.
      const isCopied = page.getByRole("tabpanel").getByText("Copied").waitFor();
      await Promise.all([isCopied, page.getByRole("tabpanel").getByRole("button", { name: /^Copy/ }).click()]);
      copied[name] = await page.evaluate<string>("navigator.clipboard.readText()");
    }
    expect(copied["Claude Code"]).toBe(`claude mcp add --transport sse mcp-edge '${url}'`);
    expect(copied["Inspector"]).toContain(`--transport sse --server-url '${url}'`);
    expect(JSON.parse(copied["Cursor"] ?? "")).toEqual({ mcpServers: { "mcp-edge": { url } } });
    expect(JSON.parse(copied["VS Code"] ?? "")).toEqual({ servers: { "mcp-edge": { type: "sse", url } } });
    expect(copied["Python"]).toContain(`sse_client("${url}")`);
    const { stdout } = await run("sh", ["-c", copied["curl"] ?? ""]);
    expect(stdout).toContain('"countdown"');
    await page.getByRole("tab", { name: "VS Code" }).click();
    const link = await page.getByRole("link", { name: "Install in VS Code" }).getAttribute("href");
    expect(JSON.parse(decodeURIComponent(link?.replace("vscode:mcp/install?", "") ?? ""))).toEqual({
      name: "mcp-edge",
      type: "sse",
      url,
    });
    await page.getByRole("tab", { name: "Cursor" }).click();
    const cursor = new URL((await page.getByRole("link", { name: "Add to Cursor" }).getAttribute("href")) ?? "");
    expect(JSON.parse(atob(cursor.searchParams.get("config") ?? ""))).toEqual({ url });
    expect(screen.complaints).toEqual([]);
  });
});
