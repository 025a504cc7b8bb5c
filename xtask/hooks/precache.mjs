// Trunk's post_build hook: writes the list of files into the service worker of the build, and then
// compresses them all. It is one hook, because Trunk runs the hooks of a stage side by side.
//
// The list goes into service-worker.js itself, because a browser looks for an update by comparing
// that file byte for byte. By hand: node xtask/hooks/precache.mjs DIST [PUBLIC_URL]
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";

import { compressFiles } from "./compress.mjs";

const SERVICE_WORKER = "service-worker.js";
const EMPTY_LIST = "const SHELL = [];";
const EMPTY_BUILD = 'const BUILD = "unbuilt";';

/**
 * Fills in the service worker found in `dist` with the path and hash of every other file there.
 *
 * @param {string} dist the folder of a finished build
 * @param {string} publicUrl the URL path under which it is served
 * @returns {{ files: number, bytes: number, build: string }} what the shell is made of
 */
export function fillServiceWorker(dist, publicUrl = "/") {
  const files = shellFiles(dist).map((file) => describe(dist, file, publicUrl));
  const shell = files.map(({ path, integrity }) => [path, integrity]);
  const build = createHash("sha256").update(JSON.stringify(shell)).digest("hex").slice(0, 16);

  const target = join(dist, SERVICE_WORKER);
  const lines = shell.map((entry) => `  ${JSON.stringify(entry)},\n`).join("");
  const source = readFileSync(target, "utf8");
  const filled = replaceOnce(
    replaceOnce(source, EMPTY_LIST, `const SHELL = [\n${lines}];`),
    EMPTY_BUILD,
    `const BUILD = "${build}";`,
  );
  writeFileSync(target, filled);

  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { files: files.length, bytes, build };
}

/** What browsers show of the app before it is installed; the app itself never does. */
const ADVERTISEMENT = "screenshots/";

/** Lists what belongs to the shell: all but the worker itself, hidden files, copies and extras. */
function shellFiles(dist) {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|\.map$|\.d\.ts$|\.br$|\.gz$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dist.length + 1))
    .map((file) => file.split(sep).join("/"))
    .filter((file) => file !== SERVICE_WORKER && !file.startsWith(ADVERTISEMENT))
    .sort();
}

function describe(dist, file, publicUrl) {
  const content = readFileSync(join(dist, file));
  const digest = createHash("sha256").update(content).digest("base64");
  // The start page is asked for by its folder: a server may redirect its full name there.
  const path = file === "index.html" ? "" : file.split("/").map(encodeURIComponent).join("/");
  return { path: publicUrl + path, integrity: `sha256-${digest}`, bytes: content.length };
}

function replaceOnce(source, from, to) {
  if (source.split(from).length !== 2) {
    throw new Error(`${SERVICE_WORKER} must hold exactly one line: ${from}`);
  }
  return source.replace(from, () => to);
}

function main() {
  const dist = process.env.TRUNK_STAGING_DIR ?? process.argv[2];
  if (dist === undefined) {
    throw new Error("run by Trunk, or with the folder of a finished build as the argument");
  }
  const publicUrl = process.env.TRUNK_PUBLIC_URL ?? process.argv[3] ?? "/";
  const folder = dist.replace(/[/\\]+$/, "");
  const { files, bytes, build } = fillServiceWorker(folder, publicUrl);
  console.log(`app shell ${build}: ${files} files, ${kib(bytes)}`);
  const compressed = compressFiles(folder);
  console.log(`${compressed.files} files compressed: ${kib(compressed.raw)} to ${kib(compressed.sent)}`);
}

function kib(bytes) {
  return `${Math.ceil(bytes / 1024)} KiB`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main();
}
