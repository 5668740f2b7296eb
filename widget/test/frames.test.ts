import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { documentAddress, readFrame } from "../src/frames.ts";
import type { DocumentLink, Message } from "../src/frames.ts";

const ID = "0123456789abcdef0123456789abcdef";
const PLAIN = { type: "message", seq: 3, id: "m3", author: "bot", text: "协议在这里", at: "2026-11-21T04:00:00Z" };

function read(document: unknown): DocumentLink | null {
  const frame = readFrame(JSON.stringify({ ...PLAIN, document }));
  assert.equal(frame?.type, "message");
  assert.equal((frame as Message).text, PLAIN.text);
  return (frame as Message).document;
}

describe("a document on a message", () => {
  it("is read with its title and the size of a picture", () => {
    const picture = { id: ID, title: "还款日和金额（图片）", picture: true, width: 720, height: 1457 };
    assert.deepEqual(read(picture), picture);
    const file = { id: ID, title: "分期协议（PDF）", picture: false, width: null, height: null };
    assert.deepEqual(read(file), file);
  });

  it("is fetched from the page's own host, whatever the frame says", () => {
    const link = read({ id: ID, title: "分期协议（PDF）", picture: false, url: "https://example.invalid/" });
    assert.equal(link === null ? null : documentAddress(link), `/documents/${ID}`);
  });

  it("is left out where it cannot be read, and its message is not", () => {
    for (const id of ["../secret", `${ID}0`, ID.toUpperCase(), "", 7, null]) {
      assert.equal(read({ id, title: "协议", picture: false }), null, String(id));
    }
    assert.equal(read({ id: ID, picture: false }), null);
    for (const document of [undefined, null, "协议", [], 1]) assert.equal(read(document), null);
  });

  it("has no size where the size makes no sense", () => {
    for (const side of [0, -1, 1.5, "720", null, undefined]) {
      const link = read({ id: ID, title: "图片", picture: true, width: side, height: side });
      assert.deepEqual([link?.width, link?.height], [null, null], String(side));
    }
  });
});
