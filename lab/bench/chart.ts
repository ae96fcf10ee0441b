import { type ContestantName, titles } from "./contestants.ts";
import type { Report } from "./report.ts";

/** A bar chart of what a user waits for, as SVG: shorter is better. */
const panels = [
  { metric: "call", title: "One call" },
  { metric: "open", title: "Open a session" },
  { metric: "initialize", title: "Initialize" },
] as const;

const barHeight = 18;
const rowHeight = 24;
const labelWidth = 190;
const barsWidth = 400;
const panelGap = 44;
const width = labelWidth + barsWidth + 90;

const colors: Partial<Record<ContestantName, string>> = { limit: "#9aa5b1", "limit-sdk": "#9aa5b1", ours: "#f6821f" };
const otherColor = "#5b7083";

export function asSvg(report: Report): string {
  const parts: string[] = [];
  let top = 40;
  for (const { metric, title } of panels) {
    // Contestants in the order they were run; the keys are those of the medians.
    const bars = Object.entries(report.medians[metric] ?? {}) as [ContestantName, number][];
    const longest = Math.max(...bars.map(([, ms]) => ms));
    parts.push(`<text x="0" y="${top}" font-weight="bold">${title}, p50</text>`);
    for (const [index, [name, ms]] of bars.entries()) {
      const y = top + 10 + index * rowHeight;
      const length = Math.max(1, (ms / longest) * barsWidth).toFixed(1);
      parts.push(
        `<text x="${labelWidth - 8}" y="${y + 14}" text-anchor="end">${titles[name]}</text>`,
        `<rect x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" fill="${colors[name] ?? otherColor}"/>`,
        `<text x="${labelWidth + Number(length) + 6}" y="${y + 14}">${ms.toFixed(2)} ms</text>`,
      );
    }
    top += bars.length * rowHeight + panelGap;
  }
  const caption = `<text x="0" y="${top - 10}" fill="#666">${report.date}, ${report.machine}</text>`;
  const style = `font-family="system-ui, sans-serif" font-size="13" fill="#222"`;
  const ground = `<rect width="${width}" height="${top}" fill="#fff"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" ${style}>
${[ground, ...parts, caption].join("\n")}
</svg>
`;
}
