import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { barsOf } from "../src/chart.ts";
import { readFrame } from "../src/frames.ts";
import type { Extras, Message } from "../src/frames.ts";
import { amountIn } from "../src/picker.ts";

const PLAIN = { type: "message", seq: 3, id: "m3", author: "bot", text: "方案1", at: "2026-11-21T04:00:00Z" };
const CHART = {
  kind: "chart",
  payments: [
    ["2026-12-15", 50_000],
    ["2027-01-15", 25_000],
  ],
  begins: "2026-11-22",
  ends: "2027-04-15",
  most_fen: 100_000,
};

function read(extras: unknown): Extras | null {
  const frame = readFrame(JSON.stringify({ ...PLAIN, extras }));
  assert.equal((frame as Message | null)?.text, PLAIN.text);
  return (frame as Message).extras;
}

describe("what is drawn beside a message", () => {
  it("is read in each of its kinds", () => {
    assert.equal(read(CHART)?.kind, "chart");
    assert.deepEqual(read({ kind: "amount", most_fen: null }), { kind: "amount", mostFen: null });
    const day = { kind: "day", first: "2026-11-22", last: "2027-02-20" };
    assert.deepEqual(read(day), day);
  });

  it("is left out where it cannot be read, and its message is not", () => {
    const odd = [
      { ...CHART, payments: [] },
      { ...CHART, payments: [["2026-12-15", "50000"]] },
      { ...CHART, payments: [["soon", 1]] },
      { ...CHART, ends: "<b>" },
      { ...CHART, most_fen: -1 },
      { kind: "day", first: "2027-02-20", last: "2026-11-22" },
      { kind: "day", first: "2026-13-40", last: "2027-02-20" },
      { kind: "other" },
    ];
    for (const extras of [...odd, null, undefined, "chart", [], 7]) assert.equal(read(extras), null);
  });
});

describe("the bars of an offer", () => {
  const bars = barsOf(read(CHART) as Extract<Extras, { kind: "chart" }>);

  it("stand in their months, each as high as its payment against the largest of all offers", () => {
    assert.equal(bars.length, 2);
    assert.ok(bars[0] && bars[1] && bars[0].x > 0 && bars[1].x > bars[0].x);
    assert.equal(bars[0].height, 28);
    assert.equal(bars[1].height, 14);
    for (const bar of bars) assert.equal(bar.y + bar.height, 56);
  });

  it("of one month are one bar, and one that would fall off the scale is not drawn", () => {
    const base = read(CHART) as Extract<Extras, { kind: "chart" }>;
    const drawn = barsOf({ ...base, payments: [["2026-12-01", 1000], ["2026-12-30", 1000], ["2031-01-01", 1000]] });
    assert.equal(drawn.length, 1);
  });
});

describe("an amount in the field", () => {
  it("is read as it is written on a phone", () => {
    for (const [typed, amount] of [["4500", "4500"], [" 4,500 元", "4500"], ["４５００", "4500"], ["812.4", "812.4"]] as const) {
      assert.equal(amountIn(typed), amount);
    }
  });

  it("is nothing while it is none", () => {
    for (const typed of ["", "0", "三千", "4500元左右", "1.234", "-5", "1e5", "9".repeat(10)]) assert.equal(amountIn(typed), "", typed);
  });
});
