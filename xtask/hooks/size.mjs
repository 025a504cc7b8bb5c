// Prints three numbers for a file: its bytes as they are, by gzip -9 and by brotli -q 11.
import { readFileSync } from "node:fs";

import { brotli, gzip } from "./compress.mjs";

const content = readFileSync(process.argv[2]);
console.log(content.length, gzip(content).length, brotli(content).length);
