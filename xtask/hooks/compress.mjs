// Writes x.br and x.gz beside each file of a build that is worth it, once and as small as can be, so
// that the server compresses nothing while tills wait. The service worker does not list them: a
// browser asks for x, and checks x's hash after it has unpacked what came.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What is text or code; pictures such as PNG are compressed in themselves. */
const COMPRESSIBLE = /\.(css|html|js|json|svg|wasm|webmanifest)$/;

/** A smaller file goes in one packet either way. */
const WORTH_IT = 1024;

const BY_ENDING = { ".br": brotli, ".gz": gzip };

/**
 * Compresses what is finished in `dist`: whoever changes a file afterwards has to do it again.
 *
 * @param {string} dist the folder of a finished build
 * @returns {{ files: number, raw: number, sent: number }} how many files, and their bytes before and
 *   after brotli
 */
export function compressFiles(dist) {
  const sum = { files: 0, raw: 0, sent: 0 };
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !COMPRESSIBLE.test(entry.name)) {
      continue;
    }
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const content = readFileSync(file);
    if (content.length <= WORTH_IT) {
      continue;
    }
    for (const [ending, compress] of Object.entries(BY_ENDING)) {
      writeFileSync(file + ending, compress(content));
    }
    sum.files += 1;
    sum.raw += content.length;
    sum.sent += readFileSync(`${file}.br`).length;
  }
  return sum;
}

/** @param {Buffer} content */
export function brotli(content) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  return brotliCompressSync(content, { params });
}

/** @param {Buffer} content */
export function gzip(content) {
  return gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
}
