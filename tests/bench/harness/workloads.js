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
 * Does everything on a device with `rows` rows, and returns the figures by their names in the
 * table: milliseconds, and bytes.
 */
export async function measure(device, rows) {
  const figures = {};
  const note = async (name, work, argument) => {
    const { ms, result } = await device.time(work, argument);
    figures[name] = ms;
    return result;
  };
  /** The first time, and the median of the following. */
  const noteTwice = async (name, again, work) => {
    await note(name, work);
    const times = [];
    for (let time = 0; time < TIMES; time += 1) times.push((await device.time(work)).ms);
    figures[again] = median(times);
  };
  const reopen = async () => {
    await device.reload();
    await device.time("coldOpen");
  };

  await device.time("open");
  const isAmplify = device.engine === "amplify";
  if (!isAmplify || rows <= MOST_AMPLIFY_SAVES) {
    await device.chore("prepare", [0, rows]);
    await note("bulk", "bulk");
  }
  // Amplify gives rows ids of its own; these have those that the others look for.
  if (isAmplify) await device.chore("fill", rows);

  await device.restart();
  await note("cold", "coldOpen");
  await note("gets", "gets", rows);
  await reopen();
  await noteTwice("all", "allAgain", "all");
  await reopen();
  await noteTwice("matching", "matchingAgain", "matching");
  await reopen();
  await noteTwice("page", "pageAgain", "sortedPage");
  await device.restart();
  await note("coldLive", "coldSortedLive");
  await reopen();
  await note("live", "liveFirst");
  const shown = [];
  for (let time = 0; time < LIVE_SAVES; time += 1) {
    await device.chore("prepare", [2_000_000 + time, 1]);
    await device.chore("rest");
    shown.push((await device.time("liveSave")).ms);
  }
  figures.liveSave = median(shown);
  await device.chore("liveEnd");

  await device.reload();
  const before = await device.memory();
  await device.time("coldOpen");
  await device.time("all");
  figures.memory = ((await device.memory()) - before) / rows;
  await device.chore("letGo");

  await device.chore("prepare", [3_000_000, 500]);
  await note("saves", "saveEach");
  await device.chore("prepare", [3_100_000, 1000]);
  await note("atOnce", "saveAtOnce");
  await note("checkout", "checkouts", 0);
  await note("receipts", "receipts");
  await device.chore("prepare", [0, 500]);
  await device.chore("beforeUpdates", 500);
  await note("updates", "updateEach");
  figures.deleted = await note("deletes", "deleteTenth");
  figures.counts = await device.chore("count");
  return figures;
}

/** The middle one. */
export function median(numbers) {
  const sorted = numbers.filter((number) => number !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
