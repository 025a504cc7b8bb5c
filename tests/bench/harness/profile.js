import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** How many functions of a piece of work are named. */
const NAMED = 12;

/** Watches what takes the time inside pieces of work. It slows them down: the figures say less. */
export class Profiler {
  #folder;
  #profiles = new Map();

  /** @param {string} folder where profiles go that Chromium's DevTools can open */
  constructor(folder) {
    this.#folder = folder;
  }

  /** Does a piece of work under the eyes of Chromium's profiler. */
  async watch(protocol, name, work) {
    await protocol.send("Profiler.enable");
    await protocol.send("Profiler.setSamplingInterval", { interval: 100 });
    await protocol.send("Profiler.start");
    const result = await work();
    const { profile } = await protocol.send("Profiler.stop");
    // Later ones find everything compiled.
    this.#profiles.set(this.#profiles.has(name) ? `${name}-again` : name, profile);
    return result;
  }

  /** Keeps the profiles, and prints which functions took the most time. */
  async close() {
    for (const [name, profile] of this.#profiles) {
      await writeFile(join(this.#folder, `${name}.cpuprofile`), JSON.stringify(profile));
      console.log(`\n${name}`);
      for (const [place, ms] of largest(profile)) {
        console.log(`  ${ms.toFixed(2).padStart(9)} ms  ${place}`);
      }
    }
  }
}

/** The functions that took the most time themselves, in milliseconds. */
function largest({ nodes, samples, timeDeltas }) {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName || "?"]));
  const times = new Map();
  samples.forEach((id, index) => {
    const place = places.get(id);
    times.set(place, (times.get(place) ?? 0) + Math.max(timeDeltas[index], 0) / 1000);
  });
  return [...times].toSorted(([, a], [, b]) => b - a).slice(0, NAMED);
}
