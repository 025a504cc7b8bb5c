// Prints three numbers for a file: its bytes as they are, by gzip -9 and by brotli -q 11.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const content = readFileSync(process.argv[2]);
const gzip = gzipSync(content, { level: 9 });
const brotli = brotliCompressSync(content, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  },
});
console.log(content.length, gzip.length, brotli.length);
