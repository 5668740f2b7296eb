import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { gzipSync } from "node:zlib";

it("is small enough for a cheap phone on a slow network, everything together", () => {
  const files = ["index.html", "chat.js", "chat.css", "widget.js"];
  const sizes = files.map((name) => gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length);
  assert.ok(
    sizes.reduce((sum, size) => sum + size, 0) < 150_000,
    sizes.join(" + "),
  );
});
