import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { launchOnDisk } from "../../e2e/harness/browser.js";

/**
 * A fresh browser on a fresh disk, with the page of one engine. A context without a profile would
 * keep IndexedDB in memory, and the figures would be of nothing that people use.
 */
export class Device {
  static async unpack(site, engine, profiler) {
    const device = new Device();
    device.engine = engine;
    device.profiler = profiler;
    device.origin = site.origin;
    device.profile = await mkdtemp(join(tmpdir(), "espressync-bench-"));
    await device.#start();
    return device;
  }

  async #start() {
    this.context = await launchOnDisk(this.profile);
    this.page = await this.context.newPage();
    this.page.on("pageerror", (error) => console.error(`${this.engine}: ${error}`));
    this.protocol = await this.context.newCDPSession(this.page);
    await this.page.goto(this.origin);
    await this.#load();
  }

  /** Switches it off and on: nothing of its database is in memory then. */
  async restart() {
    await this.context.close();
    await this.#start();
  }

  async reload() {
    await this.page.reload();
    await this.#load();
  }

  async #load() {
    await this.page.evaluate((engine) => bench.load(engine), this.engine);
  }

  /** How many milliseconds a piece of work takes, and what came of it. */
  async time(work, argument) {
    const time = ([work, argument]) => bench.time(work, argument);
    const doIt = () => this.page.evaluate(time, [work, argument]);
    const name = `${this.engine}-${work}`;
    return this.profiler === undefined ? doIt() : this.profiler.watch(this.protocol, name, doIt);
  }

  /** Does something off the clock. */
  async chore(name, argument) {
    const chore = ([name, argument]) => bench.chore(name, argument);
    return this.page.evaluate(chore, [name, argument]);
  }

  /** Bytes in use after what is not needed has gone: JavaScript's heap and wasm's memory. */
  async memory() {
    await this.protocol.send("HeapProfiler.collectGarbage");
    const { usedSize } = await this.protocol.send("Runtime.getHeapUsage");
    return usedSize + (await this.chore("memory"));
  }

  async close() {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
