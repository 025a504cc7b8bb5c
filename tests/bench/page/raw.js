// Hand-written IndexedDB: a store for each model, a row for each record, an index for each foreign
// key and for the field that pages are sorted by, and transactions as large as the work allows.
// Writes ask for the same durability as Espressync does for what a user saved.
import { item, key, order, SCARCE, spread } from "./rows.js";

const STRICT = { durability: "strict" };
const STORES = ["items", "orders", "lines"];

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

export class Raw {
  async open() {
    const request = indexedDB.open("raw", 1);
    request.onupgradeneeded = () => {
      const database = request.result;
      const items = database.createObjectStore("items", { keyPath: "id" });
      items.createIndex("byPrice", "price");
      database.createObjectStore("orders", { keyPath: "id" });
      database.createObjectStore("lines", { keyPath: "id" }).createIndex("byOrder", "orderId");
    };
    this.database = await asked(request);
  }

  /** What is made before the clock starts. */
  prepare(from, count) {
    this.rows = Array.from({ length: count }, (_, index) => item(from + index));
  }

  #reading(stores = "items") {
    return this.database.transaction(stores);
  }

  #writing(stores = "items") {
    return this.database.transaction(stores, "readwrite", STRICT);
  }

  async #put(rows) {
    const transaction = this.#writing();
    const items = transaction.objectStore("items");
    for (const row of rows) items.put(row);
    transaction.commit();
    await done(transaction);
  }

  bulk() {
    return this.#put(this.rows);
  }

  async saveEach() {
    for (const row of this.rows) await this.#put([row]);
  }

  /** What comes together shares a transaction: one for each takes twenty times as long. */
  saveAtOnce() {
    return this.#put(this.rows);
  }

  async first() {
    return asked(this.#reading().objectStore("items").get(key(0)));
  }

  async gets(count, wanted) {
    let found = 0;
    for (const number of spread(count, wanted)) {
      const row = await asked(this.#reading().objectStore("items").get(key(number)));
      found += row === undefined ? 0 : 1;
    }
    return found;
  }

  async all() {
    this.held = await asked(this.#reading().objectStore("items").getAll());
    return this.held.length;
  }

  async matching() {
    const rows = await asked(this.#reading().objectStore("items").getAll());
    return rows.filter((row) => row.stock < SCARCE).length;
  }

  async sortedPage() {
    const byPrice = this.#reading().objectStore("items").index("byPrice");
    return (await asked(byPrice.getAll(null, 50))).length;
  }

  async sortedLive() {
    const rows = await asked(this.#reading().objectStore("items").getAll());
    rows.sort((a, b) => a.price - b.price);
    return rows.slice(0, 50).length;
  }

  async checkout(number) {
    const transaction = this.#writing(["orders", "lines"]);
    const sale = order(number);
    transaction.objectStore("orders").put(sale.order);
    for (const line of sale.lines) transaction.objectStore("lines").put(line);
    transaction.commit();
    await done(transaction);
  }

  async receipt(number) {
    const transaction = this.#reading(["orders", "lines"]);
    const { id } = order(number).order;
    const [found, lines] = await Promise.all([
      asked(transaction.objectStore("orders").get(id)),
      asked(transaction.objectStore("lines").index("byOrder").getAll(id)),
    ]);
    return found === undefined ? 0 : lines.length;
  }

  /** A live query by hand: what was read once, and every own write added. */
  async liveFirst() {
    this.live = await asked(this.#reading().objectStore("items").getAll());
    return this.live.length;
  }

  async liveSave() {
    await this.#put(this.rows);
    this.live = [...this.live, ...this.rows];
    return this.live.length;
  }

  liveEnd() {
    this.live = undefined;
  }

  async updateEach() {
    for (const { id, stock } of this.rows) {
      const transaction = this.#writing();
      const items = transaction.objectStore("items");
      const row = await asked(items.get(id));
      items.put({ ...row, stock: stock + 1 });
      transaction.commit();
      await done(transaction);
    }
  }

  /** Read at once and not by a cursor, which takes several times as long. */
  async deleteTenth() {
    const transaction = this.#writing();
    const items = transaction.objectStore("items");
    const rows = await asked(items.getAll());
    const gone = rows.filter(({ stock }) => stock >= 900);
    for (const { id } of gone) items.delete(id);
    transaction.commit();
    await done(transaction);
    return gone.length;
  }

  async count() {
    const counts = STORES.map((store) => asked(this.#reading(store).objectStore(store).count()));
    return (await Promise.all(counts)).join(" ");
  }

  letGo() {
    this.held = undefined;
  }
}
