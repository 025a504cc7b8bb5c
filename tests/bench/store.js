// `cargo xtask bench store`: the store beside hand-written IndexedDB and aws-amplify, all in one
// run and by turns, in a real browser on a real disk. Ratios are what counts; times drift.
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { build } from "esbuild";

import { StaticSite } from "../e2e/harness/static_site.js";
import { REPOSITORY } from "../e2e/harness/settings.js";
import { Device } from "./harness/device.js";
import { Profiler } from "./harness/profile.js";
import { print } from "./harness/report.js";
import { measure, TABLE } from "./harness/workloads.js";

const NAMES = Object.keys(TABLE);

const HELP = `\
Usage: cargo xtask bench store [-- OPTIONS]

  --sizes N,N...    how many rows a store holds (10000)
  --rounds N        how often everything is measured (3); the median counts
  --engines A,B     of raw, amplify, ours (all)
  --only A,B        of these figures; with one come those that are measured beside it:
                    ${NAMES.slice(0, 10).join(", ")},
                    ${NAMES.slice(10).join(", ")}
  --json FILE       also writes every figure to a file
  --profile FOLDER  also keeps a profile of every piece of work, with the functions'
                    names, and prints those that took the most time
  --help            shows this

What a figure is: the page holds the clock, around the calls of the engine alone. Reading ends
when the caller holds the rows as the engine's own objects: what getAll gives, amplify's models,
our rows in Rust. Writing ends when it is durable, strictly with raw and ours; amplify asks for
what the browser does by default, which is less. "Cold" is after a restart of the browser,
"first" after a reload and one get.`;

const ENGINES = ["raw", "amplify", "ours"];

/** Where `cargo xtask bench store` has put the compiled module, and where the page goes. */
const PAGES = process.env.ESPRESSYNC_BENCH_PAGES ?? join(REPOSITORY, "target/bench-store");

/** Puts the page together. */
async function buildPage() {
  const here = import.meta.dirname;
  await mkdir(PAGES, { recursive: true });
  await build({
    entryPoints: [join(here, "page/main.js")],
    outfile: join(PAGES, "main.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    logLevel: "error",
    alias: { store_bench: join(PAGES, "store_bench.js") },
    nodePaths: [join(here, "node_modules")],
    define: { global: "globalThis", "process.env.NODE_ENV": '"production"' },
  });
  const html = '<!doctype html><title>bench</title><script type="module" src="main.js"></script>\n';
  await writeFile(join(PAGES, "index.html"), html);
}

/** With these a page's clock tells 5 µs and not only 100. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Every figure of every round, by size and engine. */
async function run({ sizes, rounds, engines, only }, profiler) {
  const site = await new StaticSite(PAGES, ISOLATED).open();
  const figures = {};
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const rows of sizes) {
        for (const engine of engines) {
          process.stderr.write(`  ·  round ${round + 1} of ${rounds}: ${engine}, ${rows} rows\n`);
          const device = await Device.unpack(site, engine, profiler);
          try {
            ((figures[rows] ??= {})[engine] ??= []).push(await measure(device, rows, only));
          } finally {
            await device.close();
          }
        }
      }
    }
  } finally {
    await site.close();
  }
  return figures;
}

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    engines: { type: "string", default: ENGINES.join(",") },
    only: { type: "string" },
    json: { type: "string" },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
} else {
  await buildPage();
  let profiler;
  if (options.profile !== undefined) {
    await mkdir(options.profile, { recursive: true });
    profiler = new Profiler(options.profile);
  }
  const wanted = {
    sizes: options.sizes.split(",").map(Number),
    rounds: Number(options.rounds),
    engines: options.engines.split(","),
    only: known(options.only),
  };
  const figures = await run(wanted, profiler);
  if (options.json !== undefined) {
    await writeFile(resolve(options.json), JSON.stringify(figures, null, 2));
  }
  print(figures);
  await profiler?.close();
}

/** The names of figures that were asked for. */
function known(names) {
  const unknown = names?.split(",").filter((name) => !(name in TABLE)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no figure is called ${unknown}; there are ${NAMES}`);
  }
  return names?.split(",");
}
