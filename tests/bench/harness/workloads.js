// What is measured, in the order in which one device does it, with what the store promises: at
// most so many times the time of hand-written IndexedDB, at least so many times as fast as amplify.

/** @typedef {{ name: string, raw?: number, amplify?: number }} Row */

/** @type {Record<string, Row>} */
export const TABLE = {
  saves: { name: "500 saves, each awaited", raw: 1.1, amplify: 3.5 },
  atOnce: { name: "1,000 saves at once", raw: 0.2, amplify: 100 },
  bulk: { name: "bulk load of all rows", raw: 0.15, amplify: 200 },
  cold: { name: "cold open to first get", raw: 2, amplify: 1.2 },
  gets: { name: "1,000 gets by id", raw: 0.02, amplify: 200 },
  all: { name: "query all, first", raw: 0.3, amplify: 15 },
  allAgain: { name: "query all, again", raw: 0.05, amplify: 100 },
  matching: { name: "predicate 1 %, first", raw: 0.3, amplify: 15 },
  matchingAgain: { name: "predicate 1 %, again", raw: 0.03, amplify: 100 },
  page: { name: "sorted page of 50, first", raw: 1, amplify: 50 },
  pageAgain: { name: "sorted page of 50, again", raw: 0.2, amplify: 300 },
  checkout: { name: "100 checkouts of 1 order + 5 lines", raw: 0.8, amplify: 25 },
  receipts: { name: "50 receipts by relation", raw: 0.05, amplify: 100 },
  live: { name: "live query, first snapshot", raw: 0.3, amplify: 15 },
  liveSave: { name: "live query, save to snapshot", raw: 1.2, amplify: 1000 },
  updates: { name: "500 one-field updates, each awaited", raw: 1.1, amplify: 4 },
  deletes: { name: "delete 10 % by predicate", raw: 0.1, amplify: 50 },
  coldLive: { name: "cold open to a sorted live page" },
  memory: { name: "bytes of memory per row held" },
};

/** Amplify takes minutes to save more rows than this; that row has no figure then. */
const MOST_AMPLIFY_SAVES = 10_000;

/** How often a short piece of work is done for one figure. */
const TIMES = 5;

/** How often a row is saved under a live query: the first few also compile what they run. */
const LIVE_SAVES = 25;

/**
 * Does everything on a device with `rows` rows, or as much as `only` names, and returns the
 * figures by their names in the table: milliseconds, and bytes.
 */
export async function measure(device, rows, only) {
  const run = new Run(device, rows);
  await run.load();
  for (const [names, work] of Object.values(STAGES)) {
    if (only === undefined || names.some((name) => only.includes(name))) await work(run);
  }
  return run.figures;
}

/** One round of one engine. */
class Run {
  figures = {};

  constructor(device, rows) {
    this.device = device;
    this.rows = rows;
  }

  async note(name, work, argument) {
    const { ms, result } = await this.device.time(work, argument);
    this.figures[name] = ms;
    return result;
  }

  /** The first time, and the median of the following. */
  async noteTwice(name, again, work) {
    await this.reopen();
    await this.note(name, work);
    const times = [];
    for (let time = 0; time < TIMES; time += 1) times.push((await this.device.time(work)).ms);
    this.figures[again] = median(times);
  }

  async reopen() {
    await this.device.reload();
    await this.device.time("coldOpen");
  }

  async load() {
    const { device, rows } = this;
    await device.time("open");
    const isAmplify = device.engine === "amplify";
    if (!isAmplify || rows <= MOST_AMPLIFY_SAVES) {
      await device.chore("prepare", [0, rows]);
      await this.note("bulk", "bulk");
    }
    // Amplify gives rows ids of its own; these have those that the others look for.
    if (isAmplify) await device.chore("fill", rows);
  }
}

/** What is done one after the other, and the figures that come of it. */
const STAGES = {
  cold: [["cold", "gets"], async (run) => {
    await run.device.restart();
    await run.note("cold", "coldOpen");
    await run.note("gets", "gets", run.rows);
  }],
  all: [["all", "allAgain"], (run) => run.noteTwice("all", "allAgain", "all")],
  matching: [["matching", "matchingAgain"], (run) => {
    return run.noteTwice("matching", "matchingAgain", "matching");
  }],
  page: [["page", "pageAgain"], (run) => run.noteTwice("page", "pageAgain", "sortedPage")],
  coldLive: [["coldLive"], async (run) => {
    await run.device.restart();
    await run.note("coldLive", "coldSortedLive");
  }],
  live: [["live", "liveSave"], async (run) => {
    await run.reopen();
    await run.note("live", "liveFirst");
    const shown = [];
    for (let time = 0; time < LIVE_SAVES; time += 1) {
      await run.device.chore("prepare", [2_000_000 + time, 1]);
      await run.device.chore("rest");
      shown.push((await run.device.time("liveSave")).ms);
    }
    run.figures.liveSave = median(shown);
    await run.device.chore("liveEnd");
  }],
  memory: [["memory"], async ({ device, rows, figures }) => {
    await device.reload();
    const before = await device.memory();
    await device.time("coldOpen");
    await device.time("all");
    figures.memory = ((await device.memory()) - before) / rows;
    await device.chore("letGo");
  }],
  writes: [["saves", "atOnce", "checkout", "receipts", "updates", "deletes"], async (run) => {
    const { device, figures } = run;
    await run.reopen();
    await device.chore("prepare", [3_000_000, 500]);
    await run.note("saves", "saveEach");
    await device.chore("prepare", [3_100_000, 1000]);
    await run.note("atOnce", "saveAtOnce");
    await run.note("checkout", "checkouts", 0);
    await run.note("receipts", "receipts");
    await device.chore("prepare", [0, 500]);
    await device.chore("beforeUpdates", 500);
    await run.note("updates", "updateEach");
    figures.deleted = await run.note("deletes", "deleteTenth");
    figures.counts = await device.chore("count");
  }],
};

/** The middle one. */
export function median(numbers) {
  const sorted = numbers.filter((number) => number !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
