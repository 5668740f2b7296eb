import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Speech, clockTime, pickScript, wordsIn } from "../src/words.ts";

describe("script", () => {
  it("is Traditional where the browser's first Chinese is", () => {
    for (const tag of ["zh-TW", "zh-HK", "zh-MO", "zh-Hant", "zh-hant-CN", "zh-Hant-HK"]) {
      assert.equal(pickScript(["en-US", tag, "zh-CN"]), "Hant", tag);
    }
  });

  it("is Simplified otherwise", () => {
    for (const tags of [["zh-CN", "zh-TW"], ["zh"], ["zh-Hans-HK"], ["en-US"], []]) {
      assert.equal(pickScript(tags), "Hans", tags.join());
    }
  });

  it("never names a debt in the title of the tab", () => {
    for (const script of ["Hans", "Hant"] as const) {
      assert.doesNotMatch(wordsIn(script).title, /[债債贷貸欠逾还還催]/);
    }
  });
});

describe("speech", () => {
  it("tells who follows it once for each change of script", () => {
    const speech = new Speech("Hans");
    const heard: string[] = [];
    speech.follow((words) => heard.push(words.send));
    for (const script of ["Hans", "Hant", "Hant", "Hans"] as const) speech.use(script);
    assert.deepEqual(heard, ["发送", "傳送", "发送"]);
  });
});

describe("time of a message", () => {
  const now = new Date(2026, 10, 21, 18, 0);

  it("is the clock alone today", () => {
    assert.equal(clockTime(new Date(2026, 10, 21, 2, 5), now, wordsIn("Hans")), "2:05");
  });

  it("carries the day before today, and the year before this year", () => {
    assert.equal(clockTime(new Date(2026, 10, 20, 23, 59), now, wordsIn("Hans")), "11月20日 23:59");
    assert.equal(clockTime(new Date(2025, 11, 31, 9, 0), now, wordsIn("Hant")), "2025年12月31日 9:00");
  });
});
