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

/** In the page: what a person who cannot see it, or has no mouse, would miss. */
const faultsScript = `(() => {
  const faults = [];
  const shown = (element) => element.tagName + " " + element.outerHTML.slice(0, 120);
  const nameOf = (element) => (element.getAttribute("aria-label") ?? "").trim()
    || (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("").trim()
    || Array.from(element.labels ?? [], (label) => label.textContent).join("").trim()
    || (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) ? "" : element.textContent.trim());
  for (const element of document.querySelectorAll("input, textarea, select, button, a, summary, progress, audio, form, section, article, nav, fieldset, [role]")) {
    if (element.tagName === "FIELDSET" ? element.querySelector("legend") === null : nameOf(element) === "" && !/^(status|none|presentation)$/.test(element.getAttribute("role") ?? ""))
      faults.push("no name: " + shown(element));
  }
  for (const picture of document.querySelectorAll("img:not([alt])")) faults.push("no alt: " + shown(picture));
  const ids = Array.from(document.querySelectorAll("[id]"), ({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("twice: " + id);
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"])
    for (const element of document.querySelectorAll("[" + attribute + "]"))
      for (const id of element.getAttribute(attribute).split(" ")) if (document.getElementById(id) === null) faults.push("nobody is " + id);
  let before = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) faults.push("a level is left out: " + shown(heading));
    before = level;
  }
  for (const element of document.querySelectorAll("[tabindex]")) if (element.tabIndex > 0) faults.push("order of its own: " + shown(element));
  for (const scroller of document.querySelectorAll("main *")) {
    const isCut = scroller.scrollWidth > scroller.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(scroller).overflowX);
    if (isCut && scroller.tabIndex < 0 && scroller.querySelector("[tabindex], button, a, input, textarea") === null) faults.push("no key scrolls it: " + shown(scroller));
  }
  if (document.documentElement.lang === "") faults.push("no language");
  if (document.querySelectorAll("main").length !== 1 || document.querySelectorAll("h1").length !== 1) faults.push("one main, one h1");
  return faults;
})()`;

async function everyPanel(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  const offered = page.getByRole("navigation").getByRole("button");
  // The last of what comes in several answers.
  await offered.filter({ hasText: "recommend" }).waitFor();
  for (const name of await offered.allInnerTexts()) {
    await offered.filter({ hasText: new RegExp(`^${name}$`) }).click();
    await look(name);
  }
}

test("everything has a name, a place in the order and its description, on every panel and with results", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  const faults: string[] = [];
  const look = async (name: string): Promise<void> => {
    for (const fault of await page.evaluate<string[]>(faultsScript)) faults.push(`${name}: ${fault}`);
  };
  await everyPanel(page, look);
  for (const name of await page.getByRole("tab").allInnerTexts()) {
    await page.getByRole("tab", { name, exact: true }).click();
    await look(name);
  }
  await page.getByRole("navigation").getByRole("button", { name: "gallery" }).click();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("<b>not bold</b>").waitFor();
  await page.getByText("messages of this page").click();
  await look("gallery, run");
  await page.getByRole("navigation").getByRole("button", { name: "Order" }).click();
  await page.getByRole("button", { name: "Add one to guests" }).click();
  await page.getByText("As JSON").click();
  await look("Order, filled in");
  await page.getByRole("navigation").getByRole("button", { name: "survey" }).click();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("heading", { name: "The server asks you" }).waitFor();
  await look("survey, asked");
  expect(faults).toEqual([]);
});

test("the tabs are gone through by arrow keys, and what has the focus is seen to have it", async () => {
  await using screen = await openScreen(browser, `${edge.url}/`);
  const { page } = screen;
  await page.getByRole("tab", { name: "Claude", exact: true }).focus();
  await page.keyboard.press("ArrowRight");
  const outline = "getComputedStyle(document.activeElement).outlineStyle + ' ' + document.activeElement.textContent";
  expect(await page.evaluate<string>(outline)).toBe("solid Claude Code");
  await page.keyboard.press("End");
  await page.getByRole("tabpanel", { name: "curl" }).waitFor();
});

/** WCAG 2.2, 1.4.3: text of usual size. */
const leastContrast = 4.5;

describe.each(["light", "dark"] as const)("in the %s", (colorScheme) => {
  test("every text can be told from what it stands on", async () => {
    await using screen = await openScreen(browser, `${edge.url}/`, { colorScheme });
    const { page } = screen;
    await page.getByRole("navigation").waitFor();
    const colours = await page.evaluate<Record<string, string>>(
      `Object.fromEntries(["ground", "raised", "sunken", "wash", "fault-wash", "ink", "soft", "accent", "on-accent", "fault"]
        .map((name) => [name, getComputedStyle(document.documentElement).getPropertyValue("--" + name)]))`,
    );
    const pairs = [
      ...["ground", "raised", "sunken", "wash"].flatMap((ground) =>
        ["ink", "soft", "accent"].map((ink) => [ink, ground]),
      ),
      ["fault", "fault-wash"],
      ["fault", "raised"],
      ["ink", "fault-wash"],
      ["on-accent", "accent"],
    ];
    const weak = pairs.flatMap(([ink = "", ground = ""]) => {
      const ratio = contrast(colours[ink] ?? "", colours[ground] ?? "");
      return ratio >= leastContrast ? [] : [`${ink} on ${ground}: ${ratio.toFixed(2)}`];
    });
    expect(weak).toEqual([]);
  });

  test.each([320, 390, 768])("nothing is wider than a screen of %i", async (width) => {
    await using screen = await openScreen(browser, `${edge.url}/`, { colorScheme, viewport: { width, height: 800 } });
    const { page } = screen;
    const wide: string[] = [];
    await everyPanel(page, async (name) => {
      const held = await page.evaluate<number>("document.documentElement.scrollWidth");
      if (held > width) wide.push(`${name}: ${held}`);
    });
    expect(wide).toEqual([]);
    expect(screen.complaints).toEqual([]);
  });
});

/** WCAG 2.2, contrast ratio of two colours `#rrggbb`. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [one, other].map(luminance).sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.trim().slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
