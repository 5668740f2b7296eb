import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { nameForHeader } from "../src/file.ts";

describe("the name of a file", () => {
  it("can always be sent, wherever it is cut", () => {
    assert.equal(decodeURIComponent(nameForHeader("还款凭证.png")), "还款凭证.png");
    assert.equal(decodeURIComponent(nameForHeader(`${"长".repeat(119)}😀😀.png`)), `${"长".repeat(119)}😀`);
    assert.equal(decodeURIComponent(nameForHeader("半\ud83d个.png")), "半个.png");
    assert.ok(nameForHeader("😀".repeat(500)).length < 2000, "as long as the desk reads it");
  });
});
