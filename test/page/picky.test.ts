import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, openScreen } from "../support/chromium.ts";
import { type EdgeServer, startEdge } from "../support/edge-server.ts";

let edge: EdgeServer;
let bare: EdgeServer;
let browser: Browser;
beforeAll(async () => {
  [edge, bare, browser] = await Promise.all([
    startEdge("test/fixtures/picky.ts", { page: true }),
    startEdge("test/fixtures/bare-lists.ts", { page: true }),
    launchChromium(),
  ]);
});
afterAll(() => Promise.all([edge.close(), bare.close(), browser.close()]));

async function choose(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name, exact: true }).click();
}

const run = (page: Page) => page.getByRole("button", { name: "Run" }).click();
const result = (page: Page) => page.getByRole("region", { name: "What came of it" });
const invalid = (page: Page) =>
  page.evaluate<string[]>(
    "Array.from(document.querySelectorAll('form :invalid'), (field) => field.labels?.[0]?.textContent).filter(Boolean)",
  );

const invalidAreas = (page: Page) =>
  page.evaluate<string[]>("Array.from(document.querySelectorAll('form textarea:invalid'), (area) => area.ariaLabel)");

test("fields are made of what other libraries write: allOf, unions, patterns, schemas that hold themselves", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "odd");
  await page.getByLabel("size").selectOption("large");
  // A union with texts: nobody is to write quotation marks around a name.
  await page.getByLabel("either").fill("Ada");
  await page.getByLabel("code").fill("abc");
  expect(await invalid(page)).toEqual(["code"]);
  await page.getByLabel("code").fill("ABC-1");
  expect(await invalid(page)).toEqual([]);
  await page.getByLabel("due").fill("2026-11-29");
  await page.getByLabel("shape").fill('{"kind":"circle","radius":2}');
  await page.getByLabel("name", { exact: false }).first().fill("root");
  await page.getByRole("button", { name: "Add one to next" }).click();
  await page.getByLabel("name", { exact: false }).nth(1).fill("leaf");
  await run(page);
  const shown = await result(page).getByLabel("text", { exact: true }).innerText();
  expect(JSON.parse(shown)).toEqual({
    size: "large",
    either: "Ada",
    code: "ABC-1",
    maybe: null,
    due: "2026-11-29",
    shape: { kind: "circle", radius: 2 },
    tree: { name: "root", next: { name: "leaf" } },
  });
  await page.getByLabel("either").fill("12");
  await run(page);
  await expect.poll(() => result(page).innerText()).toContain('"either":12');
  expect(screen.complaints).toEqual([]);
});

test("what may be null is that where nothing is typed, and a number is sent as it was typed or not at all", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  const sent = async (): Promise<unknown> => {
    await run(page);
    return JSON.parse(await result(page).getByLabel("text", { exact: true }).innerText());
  };
  await choose(page, "rare");
  const empty = { limit: null, size: null, flag: null, place: null, words: null, extra: {} };
  expect(await sent()).toEqual(empty);
  await page.getByLabel("id").fill("9007199254740993");
  expect(await invalid(page)).toEqual([expect.stringMatching(/^id/)]);
  await page.getByLabel("id").fill("9007199254740991");
  await page.getByLabel("limit").fill("0");
  await page.getByLabel("size").selectOption("large");
  await page.getByLabel("flag").selectOption("no");
  await page.getByLabel(/^x/).fill("3");
  await page.getByLabel("extra").fill('{"deep":[1]}');
  const full = { id: 9007199254740991, limit: 0, size: "large", flag: false, place: { x: 3 }, words: null };
  await run(page);
  await result(page).getByText('"deep"').waitFor();
  expect(await sent()).toEqual({ ...full, extra: { deep: [1] } });
  await page.getByText("As JSON").click();
  await page.getByLabel("as JSON").fill(JSON.stringify(empty).replace("null", "9007199254740993"));
  expect(await invalidAreas(page)).toEqual(["Arguments of rare, as JSON"]);
  expect(screen.complaints).toEqual([]);
});

test("a tool without fields of its own, but with alternatives, is written as JSON at once", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "union");
  await page.getByLabel("as JSON").fill('{"by":"id","id":7}');
  await run(page);
  await result(page).getByText('{"by":"id","id":7}').waitFor();
  await choose(page, "ask");
  expect(await page.getByLabel("as JSON").isVisible()).toBe(false);
});

test("what was typed is there again after a look at another tool", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "long");
  await page.getByLabel("characters").fill("12");
  await choose(page, "ask");
  await choose(page, "long");
  expect(await page.getByLabel("characters").inputValue()).toBe("12");
});

test("among many tools one is found by a part of its name, and on a phone they leave room for it", async () => {
  const phone = { viewport: { width: 375, height: 740 } };
  await using screen = await openScreen(browser, `${edge.url}/`, phone);
  const { page } = screen;
  await choose(page, "tool_number_1_with_a_rather_long_name_of_its_own");
  const shape = await page.getByRole("navigation").boundingBox();
  expect(shape?.height).toBeLessThanOrEqual(370);
  await page.getByLabel("Find in what it offers").fill("NUMBER_142");
  const left = page.getByRole("navigation").getByRole("button");
  expect(await left.allInnerTexts()).toEqual(["tool_number_142_with_a_rather_long_name_of_its_own"]);
  await left.click();
  await run(page);
  await result(page).getByText("142", { exact: true }).waitFor();
  await page.getByLabel("Find in what it offers").fill("nowhere");
  await page.getByText("Nothing has that in its name.").waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
});

test("of a long result the beginning is shown, and all of it to who wants it; the wire keeps no more than it shows", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "long");
  await page.getByLabel("characters").fill("1000000");
  await run(page);
  const shown = result(page).getByLabel("text", { exact: true });
  await shown.waitFor();
  expect((await shown.textContent())?.length).toBe(20_000);
  await result(page).getByRole("button", { name: "Show all 1,000,000 characters" }).click();
  expect((await shown.textContent())?.length).toBe(1_000_000);
  await page.getByText("messages of this page").click();
  await page.getByRole("list").getByText("answer").first().click();
  await page.getByRole("button", { name: /^Show all 100,\d{3} characters$/ }).waitFor();
});

test("a question is there also for who looks at another tool meanwhile", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "ask");
  await run(page);
  await page.getByRole("heading", { name: "The server asks you" }).waitFor();
  await choose(page, "long");
  await page.getByRole("heading", { name: "The server asks you" }).waitFor();
  await page.getByRole("button", { name: "Answer" }).click();
  await choose(page, "ask");
  await result(page).getByText("accept", { exact: true }).waitFor();
  expect(screen.complaints).toEqual([]);
});

test("a question by URL shows where it leads, and is not opened unless the person does", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "visit");
  await run(page);
  await page.getByText("https://pay.example.com/1").waitFor();
  expect(await page.getByRole("link", { name: "Open it" }).getAttribute("rel")).toContain("noopener");
  await page.getByRole("button", { name: "Decline" }).click();
  await result(page).getByText("You were asked once.").waitFor();
  expect(screen.complaints).toEqual([]);
});

test("a template and a prompt are not asked for without what they need", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await choose(page, "Weather");
  await page.getByRole("button", { name: "Read" }).click();
  expect(await invalid(page)).toEqual(["country", "city"]);
  await page.getByLabel("country").fill("ch");
  await page.getByLabel("city").fill("Bern & Thun");
  await page.getByRole("button", { name: "Read" }).click();
  await result(page).getByText("weather://ch/Bern%20%26%20Thun").waitFor();
  await choose(page, "letter");
  await page.getByRole("button", { name: "Get" }).click();
  expect(await invalid(page)).toEqual(["to"]);
  await page.getByLabel("to", { exact: true }).fill("Ada");
  await page.getByRole("button", { name: "Get" }).click();
  await result(page).getByText("To Ada from me").waitFor();
  expect(screen.complaints).toEqual([]);
});

test("of a server of the plain kind all is shown that it has; what cannot be shown is that alone", async () => {
  await using screen = await openScreen(browser, `${bare.url}/`);
  const { page } = screen;
  await choose(page, "note");
  expect(await page.getByRole("alert").count()).toBe(0);
  await choose(page, "learn");
  await run(page);
  await choose(page, "unclosed");
  await page.getByText("This cannot be shown: Unclosed template expression").waitFor();
  await choose(page, "order");
  await page.getByText("As Java writes it").waitFor();
  await page.getByLabel(/^size/).fill("huge");
  await run(page);
  await result(page).getByText('{"size":"huge"}').waitFor();
  expect(screen.complaints).toEqual([]);
});

test("a result is shown as it came, also one that is not what its tool promises", async () => {
  await using screen = await openScreen(browser, `${bare.url}/`);
  const { page } = screen;
  await choose(page, "promise");
  await run(page);
  await result(page).getByText("fifty").waitFor();
  expect(screen.complaints).toEqual([]);
});
