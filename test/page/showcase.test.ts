import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, openScreen } from "../support/chromium.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";

let edge: EdgeServer;
let browser: Browser;
beforeAll(async () => {
  [edge, browser] = await Promise.all([startEdge("test/fixtures/showcase.ts", { page: true }), launchChromium()]);
});
afterAll(() => Promise.all([edge.close(), browser.close()]));

async function choose(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name, exact: true }).click();
}

const result = (page: Page) => page.getByRole("region", { name: "What came of it" });

describe("what the server says of itself", () => {
  test("is its title, version and instructions, and all that it offers", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await page.getByRole("heading", { level: 1, name: "The Showcase 2.1.0" }).waitFor();
    await page.getByText("Order first, then look around.").waitFor();
    await page.getByRole("navigation").getByRole("button", { name: "recommend" }).waitFor();
    const offered = await page.getByRole("navigation").getByRole("button").allInnerTexts();
    expect(offered).toEqual(["Order", "gallery", "fail", "survey", "learn", "Today's menu", "recommend"]);
  });

  test("a tool that comes later is shown without a reload", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "learn");
    await page.getByRole("button", { name: "Run" }).click();
    await choose(page, "learnt");
    await page.getByRole("button", { name: "Run" }).click();
    await result(page).getByText("learnt works").waitFor();
    expect(screen.complaints).toEqual([]);
  });
});

describe("a form", () => {
  test("has a labelled field for each kind of argument, and sends what was filled in", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "Order");
    await page.getByLabel("dish").fill("soup");
    await page.getByLabel("size").selectOption("large");
    await page.getByLabel("isHot").check();
    await page.getByLabel("isGift").selectOption("no");
    await page.getByLabel("note").fill("two\nlines");
    await page.getByLabel("olives").check();
    await page.getByRole("button", { name: "Add one to guests" }).click();
    await page.getByRole("button", { name: "Add another to guests" }).click();
    const names = page.getByLabel("name", { exact: true });
    await names.nth(0).fill("Ada");
    await names.nth(1).fill("Grace");
    await page.getByRole("button", { name: "Remove guests 1" }).click();
    await page.getByLabel("street").fill("Gerechtigkeitsgasse");
    await page.getByLabel(/^labels/).fill('{"table": "4"}');
    await page.getByRole("button", { name: "Run" }).click();
    const shown = await result(page).getByLabel("structured content", { exact: true }).innerText();
    expect(JSON.parse(shown)).toEqual({
      dish: "soup",
      size: "large",
      portions: 2,
      isHot: true,
      isGift: false,
      note: "two\nlines",
      toppings: ["olives"],
      guests: [{ name: "Grace" }],
      address: { street: "Gerechtigkeitsgasse", city: "Bern" },
      labels: { table: "4" },
    });
    expect(screen.complaints).toEqual([]);
  });

  test("sends nothing that is not complete, and says where", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "Order");
    await page.getByLabel("portions").fill("12");
    await page.getByRole("button", { name: "Run" }).click();
    const invalid = await page.evaluate<string[]>(
      "Array.from(document.querySelectorAll('form :invalid'), (field) => field.labels?.[0]?.textContent).filter(Boolean)",
    );
    expect(invalid).toEqual(["dish", "size", expect.stringContaining("portions")]);
    expect(await result(page).innerText()).toBe("");
  });

  test("takes the same as JSON, and shows it in its fields", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "Order");
    await page.getByText("As JSON").click();
    const order = {
      dish: "rice",
      size: "small",
      isHot: false,
      address: { street: "a", city: "b" },
      guests: [{ name: "Al" }],
    };
    await page.getByLabel("as JSON").fill(JSON.stringify(order));
    await page.getByLabel("as JSON").blur();
    expect(await page.getByLabel("dish").inputValue()).toBe("rice");
    expect(await page.getByLabel("name", { exact: true }).inputValue()).toBe("Al");
    await page.getByLabel("dish").fill("noodles");
    expect(JSON.parse(await page.getByLabel("as JSON").inputValue())).toMatchObject({ dish: "noodles", size: "small" });
    await page.getByRole("button", { name: "Run" }).click();
    const shown = await result(page).getByLabel("structured content", { exact: true }).innerText();
    expect(JSON.parse(shown)).toEqual({ ...order, dish: "noodles", portions: 2 });
  });
});

describe("a result", () => {
  test("is shown in its kinds: text, picture, sound, link, resource, file", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "gallery");
    await page.getByRole("button", { name: "Run" }).click();
    await result(page).getByText("<b>not bold</b>").waitFor();
    const picture = result(page).getByRole("img");
    await expect
      .poll(() => picture.evaluate((shown) => (shown as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(1);
    expect(await result(page).getByLabel("Sound, audio/wav").count()).toBe(1);
    await result(page).getByText("Yesterday's soup").waitFor();
    await result(page).getByText("application/pdf, 3 bytes").waitFor();
    await result(page).getByRole("button", { name: "Read it" }).click();
    await page.getByRole("heading", { level: 3, name: "Today's menu" }).waitFor();
    await result(page).getByText("Soup", { exact: true }).waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("that says the tool failed is shown as that", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "fail");
    await page.getByRole("button", { name: "Run" }).click();
    await result(page).getByRole("heading", { name: "The tool failed" }).waitFor();
    await result(page).getByText("There is no soup.").waitFor();
    expect(screen.complaints).toEqual([]);
  });

  test("of a prompt is its messages", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`);
    const { page } = screen;
    await choose(page, "recommend");
    await page.getByLabel("taste").fill("sweet");
    await page.getByLabel("taste").press("Enter");
    await result(page).getByText("Something sweet, please.").waitFor();
    expect(screen.complaints).toEqual([]);
  });
});

test("a question with several fields is answered as its schema says", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "survey");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByLabel("Your e-mail").fill("a@example.com");
  await page.getByLabel("colour").selectOption("Blue");
  await page.getByRole("button", { name: "Answer" }).click();
  const shown = await result(page).getByLabel("text", { exact: true }).innerText();
  expect(JSON.parse(shown)).toMatchObject({
    action: "accept",
    content: { email: "a@example.com", colour: "b", agreed: true },
  });
});
