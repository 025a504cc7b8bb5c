// The page of one engine. The harness names a piece of work; the page does it by the clock.
import { Amplify } from "./amplify.js";
import { Ours } from "./ours.js";
import { Raw } from "./raw.js";

const ENGINES = { raw: Raw, amplify: Amplify, ours: Ours };

/** Loads an engine's code, which is not part of what is measured. */
async function load(name) {
  globalThis.engine = new ENGINES[name]();
  await globalThis.engine.load?.();
}

/** Does a piece of work and tells how many milliseconds it took, and what came of it. */
async function timed(work) {
  const begun = performance.now();
  const result = await work(globalThis.engine);
  return { ms: performance.now() - begun, result };
}

const WORK = {
  open: (engine) => engine.open(),
  bulk: (engine) => engine.bulk(),
  saveEach: (engine) => engine.saveEach(),
  saveAtOnce: (engine) => engine.saveAtOnce(),
  coldOpen: async (engine) => {
    await engine.open();
    return (await engine.first()) !== undefined;
  },
  gets: (engine, count) => engine.gets(count, 1000),
  all: (engine) => engine.all(),
  matching: (engine) => engine.matching(),
  sortedPage: (engine) => engine.sortedPage(),
  coldSortedLive: async (engine) => {
    await engine.open();
    return engine.sortedLive();
  },
  checkouts: async (engine, first) => {
    for (let number = first; number < first + 100; number += 1) await engine.checkout(number);
  },
  receipts: async (engine) => {
    let lines = 0;
    for (let number = 0; number < 50; number += 1) lines += await engine.receipt(number);
    return lines;
  },
  liveFirst: (engine) => engine.liveFirst(),
  liveSave: (engine) => engine.liveSave(),
  updateEach: (engine) => engine.updateEach(),
  deleteTenth: (engine) => engine.deleteTenth(),
};

/** What is done off the clock. */
const CHORES = {
  prepare: (engine, [from, count]) => engine.prepare(from, count),
  fill: (engine, count) => engine.fill(count),
  beforeUpdates: (engine, count) => engine.beforeUpdates?.(count),
  liveEnd: (engine) => engine.liveEnd(),
  count: (engine) => engine.count(),
  /** Until what was shown is drawn: what comes later is no longer the same frame's. */
  rest: () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  letGo: (engine) => engine.letGo(),
  memory: (engine) => engine.memory?.() ?? 0,
};

globalThis.bench = {
  load,
  time: (name, argument) => timed((engine) => WORK[name](engine, argument)),
  chore: (name, argument) => CHORES[name](globalThis.engine, argument),
};
