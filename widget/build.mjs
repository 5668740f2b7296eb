/** Builds `dist/`: one script, one stylesheet, one page. Needs nothing but the packages of the lock file. */

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { wordsIn } from "./src/words.ts";

/** In bytes, gzipped, all files together: a cheap phone on a slow network waits for every one of them. */
const SIZE_LIMIT = 150_000;

const FILES = ["index.html", "chat.js", "chat.css", "widget.js"];

/** What ends up inside the script; their licences ask to travel along. */
const BUNDLED = ["deep-chat", "@microsoft/fetch-event-source", "remarkable", "speech-to-element"];

await rm("dist", { recursive: true, force: true });
await mkdir("dist");

await build({
  entryPoints: { chat: "src/chat.ts" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "eof",
  banner: { js: "/*! Third-party parts and their licences: /static/licences.txt */" },
  loader: { ".css": "text" },
  logLevel: "warning",
});
await build({
  entryPoints: { widget: "src/launcher.ts" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "ascii", // The site that loads it may be written in any encoding.
  loader: { ".css": "text" },
  logLevel: "warning",
});
await build({ entryPoints: ["src/chat.css"], outdir: "dist", minify: true, charset: "utf8", logLevel: "warning" });

const words = wordsIn("Hans");
const values = { title: words.title, aiLine: words.aiLine, needsScript: words.needsScript };
for (const name of ["chat.js", "chat.css"]) {
  values[name] = createHash("sha256").update(await readFile(`dist/${name}`)).digest("hex").slice(0, 12);
}
const template = await readFile("src/index.html", "utf8");
const page = template.replaceAll(/\{\{([\w.]+)\}\}/g, (_match, name) => {
  if (!(name in values)) throw new Error(`src/index.html names an unknown value: ${name}`);
  return values[name];
});
await writeFile("dist/index.html", page);

const licences = [];
for (const name of BUNDLED) {
  const folder = `node_modules/${name}`;
  const { version, license, author } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const text = file === undefined ? "(the package carries no licence text)" : await readFile(`${folder}/${file}`, "utf8");
  licences.push(`${name} ${version}, ${license}, ${author?.name ?? author}\n\n${text}`);
}
await writeFile("dist/licences.txt", licences.join("\n\n----\n\n"));

let total = 0;
for (const name of FILES) {
  const size = gzipSync(await readFile(`dist/${name}`), { level: 9 }).length;
  total += size;
  console.log(`${name.padEnd(10)} ${String(size).padStart(7)} bytes gzipped`);
}
console.log(`${"in all".padEnd(10)} ${String(total).padStart(7)} bytes gzipped, limit ${SIZE_LIMIT}`);
if (total > SIZE_LIMIT) process.exit(1);
