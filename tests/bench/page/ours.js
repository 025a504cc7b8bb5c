// Espressync, compiled to wasm as the till is. All of the work is done in Rust
// (crates/browser/examples/store_bench.rs); this only loads it.
import init, { Bench } from "store_bench";

export class Ours {
  async load() {
    this.wasm = await init({ module_or_path: "store_bench_bg.wasm" });
  }

  async open() {
    this.bench = await Bench.open();
  }

  prepare(from, count) {
    this.bench.prepare(from, count);
  }

  bulk() {
    return this.bench.bulk();
  }

  saveEach() {
    return this.bench.save_each();
  }

  saveAtOnce() {
    return this.bench.save_at_once();
  }

  first() {
    return this.bench.first();
  }

  gets(count, wanted) {
    return this.bench.gets(count, wanted);
  }

  all() {
    return this.bench.all();
  }

  matching() {
    return this.bench.matching();
  }

  sortedPage() {
    return this.bench.sorted_page();
  }

  sortedLive() {
    return this.bench.sorted_live();
  }

  checkout(number) {
    return this.bench.checkout(number);
  }

  receipt(number) {
    return this.bench.receipt(number);
  }

  liveFirst() {
    return this.bench.live_first();
  }

  liveSave() {
    return this.bench.live_save();
  }

  liveEnd() {
    this.bench.live_end();
  }

  updateEach() {
    return this.bench.update_each();
  }

  deleteTenth() {
    return this.bench.delete_tenth();
  }

  count() {
    return this.bench.count();
  }

  letGo() {
    this.bench.let_go();
  }

  /** Bytes of the wasm's memory, which only grows. */
  memory() {
    return this.wasm.memory.buffer.byteLength;
  }
}
