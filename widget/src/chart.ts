/** The payments of one offer as a row of bars, on the scale of the offers beside it. Its words stand in the message. */

import type { Extras } from "./frames.ts";
import type { Words } from "./words.ts";

type Chart = Extract<Extras, { kind: "chart" }>;

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 288;
const HEIGHT = 56;
/** Of a bar and the gap after it, so that a single payment is a bar and no block. */
const WIDEST = 18;
const LEAST_HEIGHT = 2;

export function drawChart(chart: Chart, words: Words): HTMLElement {
  const box = document.createElement("div");
  box.className = "desk-chart";
  // The words above say the same to whoever cannot see it.
  box.setAttribute("aria-hidden", "true");
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
  for (const bar of barsOf(chart)) picture.append(svg("rect", { ...bar, rx: 1 }));
  const scale = document.createElement("div");
  scale.className = "desk-scale";
  for (const day of [chart.begins, chart.ends]) {
    const mark = document.createElement("span");
    mark.textContent = words.yearMonth(Number(day.slice(0, 4)), Number(day.slice(5, 7)));
    scale.append(mark);
  }
  box.append(picture, scale);
  return box;
}

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the bars stand: a month each, as high as its payments are large against the largest of all offers. */
export function barsOf({ payments, begins, ends, mostFen }: Chart): readonly Bar[] {
  const first = monthOf(begins);
  const months = Math.max(1, monthOf(ends) - first + 1);
  const step = Math.min(WIDEST, WIDTH / months);
  const paid = new Map<number, number>();
  for (const [day, fen] of payments) {
    const month = monthOf(day) - first;
    if (month >= 0 && month < months) paid.set(month, (paid.get(month) ?? 0) + fen);
  }
  return [...paid].map(([month, fen]) => {
    const height = Math.max(LEAST_HEIGHT, Math.min(1, fen / Math.max(1, mostFen)) * HEIGHT);
    return { x: month * step, y: HEIGHT - height, width: step * 0.72, height };
  });
}

function monthOf(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}

function svg(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
