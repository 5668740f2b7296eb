import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { nameIn } from "../src/file.ts";
import { readFromFrame, readToFrame } from "../src/surround.ts";
import { Unread } from "../src/unread.ts";

describe("notes between launcher and frame", () => {
  it("are read when they have one of the known shapes, and only then", () => {
    assert.deepEqual(readToFrame({ desk: "hello", more: 1 }), { desk: "hello" });
    assert.deepEqual(readToFrame({ desk: "shown", shown: "yes" }), { desk: "shown", shown: false });
    assert.deepEqual(readToFrame({ desk: "vouched", token: "abc" }), { desk: "vouched", token: "abc" });
    assert.deepEqual(readFromFrame({ desk: "unread", count: 3 }), { desk: "unread", count: 3 });
    assert.deepEqual(readFromFrame({ desk: "close" }), { desk: "close" });
    assert.deepEqual(readFromFrame({ desk: "script", script: "Hant" }), { desk: "script", script: "Hant" });
    assert.equal(readFromFrame({ desk: "script", script: "en" }), null);
    const strange = [null, "hello", 7, [], {}, { desk: "other" }, { desk: "vouched" }, { desk: "vouched", token: "x".repeat(2001) }];
    for (const note of strange) assert.equal(readToFrame(note), null);
    for (const count of [-1, 1.5, "2", Number.NaN, undefined]) assert.equal(readFromFrame({ desk: "unread", count }), null);
  });
});

describe("unread messages", () => {
  const counted = (): { unread: Unread; counts: number[] } => {
    const counts: number[] = [];
    return { unread: new Unread((count) => counts.push(count)), counts };
  };

  it("count each message once, from where the borrower stopped", () => {
    const { unread, counts } = counted();
    unread.seen(4);
    for (const seq of [3, 4, 5, 6, 6, 5]) unread.came(seq);
    assert.deepEqual(counts, [1, 2]);
  });

  it("go when they are seen, also out of order, and never come back", () => {
    const { unread, counts } = counted();
    for (const seq of [1, 2, 3]) unread.came(seq);
    unread.seen(2);
    unread.seen(1);
    unread.came(2);
    unread.seen(3);
    assert.deepEqual(counts, [1, 2, 3, 1, 0]);
  });
});

describe("name of a file", () => {
  it("is the server's, where it can be read", () => {
    assert.equal(nameIn("attachment; filename*=UTF-8''%E6%98%8E%E7%BB%86.pdf"), "明细.pdf");
    assert.equal(nameIn("attachment; filename*=UTF-8''%E6%9"), null);
    assert.equal(nameIn(null), null);
  });
});
