// aws-amplify's DataStore as it is published, without a cloud: it has no outbox then.
import { DataStore, initSchema, Predicates, SortDirection } from "aws-amplify/datastore";

import { item, key, order, SCARCE, spread } from "./rows.js";

function field(name, type, isRequired = true) {
  return { name, isArray: false, type, isRequired, attributes: [] };
}

function model(name, pluralName, fields, keys = []) {
  return {
    name,
    pluralName,
    syncable: true,
    fields: Object.fromEntries(fields.map((each) => [each.name, each])),
    attributes: [
      { type: "model", properties: {} },
      { type: "key", properties: { fields: ["id"] } },
      ...keys.map((properties) => ({ type: "key", properties })),
    ],
  };
}

const SCHEMA = {
  version: "1",
  codegenVersion: "3.4.4",
  enums: {},
  nonModels: {},
  models: {
    Item: model(
      "Item",
      "Items",
      [
        field("id", "ID"),
        field("name", "String"),
        field("category", "String"),
        field("price", "Float"),
        field("stock", "Int"),
        field("note", "String"),
      ],
      [{ name: "byPrice", fields: ["price"] }],
    ),
    Order: model("Order", "Orders", [
      field("id", "ID"),
      field("number", "Int"),
      field("total", "Float"),
      field("note", "String"),
      {
        ...field("lines", { model: "Line" }, false),
        isArray: true,
        association: { connectionType: "HAS_MANY", associatedWith: ["orderId"] },
      },
    ]),
    Line: model(
      "Line",
      "Lines",
      [
        field("id", "ID"),
        field("product", "String"),
        field("quantity", "Int"),
        field("price", "Float"),
        field("orderId", "ID"),
      ],
      [{ name: "byOrder", fields: ["orderId"] }],
    ),
  },
};

const { Item, Order, Line } = initSchema(SCHEMA);

export class Amplify {
  ids = [];

  async open() {
    await DataStore.start();
  }

  prepare(from, count) {
    this.rows = Array.from({ length: count }, (_, index) => new Item(item(from + index)));
  }

  bulk() {
    return this.saveAtOnce();
  }

  async saveEach() {
    for (const row of this.rows) await DataStore.save(row);
  }

  saveAtOnce() {
    return Promise.all(this.rows.map((row) => DataStore.save(row)));
  }

  /** Puts rows into amplify's own layout, in place of all that it holds. */
  async fill(count) {
    await DataStore.clear();
    await DataStore.start();
    const database = await opened(indexedDB.open("amplify-datastore"));
    const transaction = database.transaction("user_Item", "readwrite");
    const items = transaction.objectStore("user_Item");
    for (let number = 0; number < count; number += 1) items.add(item(number));
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    database.close();
  }

  first() {
    return DataStore.query(Item, key(0));
  }

  async gets(count, wanted) {
    let found = 0;
    for (const number of spread(count, wanted)) {
      found += (await DataStore.query(Item, key(number))) === undefined ? 0 : 1;
    }
    return found;
  }

  async all() {
    this.held = await DataStore.query(Item);
    return this.held.length;
  }

  async matching() {
    return (await DataStore.query(Item, (each) => each.stock.lt(SCARCE))).length;
  }

  async sortedPage() {
    const sort = (each) => each.price(SortDirection.ASCENDING);
    return (await DataStore.query(Item, Predicates.ALL, { sort, page: 0, limit: 50 })).length;
  }

  sortedLive() {
    const sort = (each) => each.price(SortDirection.ASCENDING);
    return this.#first(DataStore.observeQuery(Item, Predicates.ALL, { sort }));
  }

  async checkout(number) {
    const sale = order(number);
    const parent = await DataStore.save(new Order(sale.order));
    this.ids[number] = parent.id;
    for (const line of sale.lines) {
      await DataStore.save(new Line({ ...line, orderId: parent.id }));
    }
  }

  async receipt(number) {
    const found = await DataStore.query(Order, this.ids[number]);
    return (await found.lines.toArray()).length;
  }

  #first(live) {
    return new Promise((resolve, reject) => {
      const next = ({ items }) => {
        resolve(items.length);
        queueMicrotask(() => subscription.unsubscribe());
      };
      const subscription = live.subscribe({ next, error: reject });
    });
  }

  liveFirst() {
    return new Promise((resolve, reject) => {
      this.seen = (items) => resolve(items.length);
      const next = ({ items }) => this.seen(items);
      this.live = DataStore.observeQuery(Item).subscribe({ next, error: reject });
    });
  }

  async liveSave() {
    const [row] = this.rows;
    const shown = new Promise((resolve) => {
      this.seen = (items) => {
        if (items.some(({ id }) => id === row.id)) resolve(items.length);
      };
    });
    await DataStore.save(row);
    return shown;
  }

  liveEnd() {
    this.live.unsubscribe();
  }

  /** The rows that updates begin with are at hand, as in an app that shows them. */
  async beforeUpdates(count) {
    this.rows = await DataStore.query(Item, Predicates.ALL, { page: 0, limit: count });
  }

  async updateEach() {
    for (const row of this.rows) {
      await DataStore.save(Item.copyOf(row, (draft) => void (draft.stock += 1)));
    }
  }

  async deleteTenth() {
    return (await DataStore.delete(Item, (each) => each.stock.ge(900))).length;
  }

  async count() {
    const counts = [Item, Order, Line].map(async (each) => (await DataStore.query(each)).length);
    return (await Promise.all(counts)).join(" ");
  }

  letGo() {
    this.held = undefined;
  }
}

function opened(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
