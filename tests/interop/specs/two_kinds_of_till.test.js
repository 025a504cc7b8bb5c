// One shop, one server, over TLS: a till on the unmodified aws-amplify beside one on Espressync.
import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "../../e2e/harness/wait.js";
import { Shop } from "../../e2e/pages/shop.js";
import { Stage } from "../harness/stage.js";

const stage = new Stage("shop", "src/schema.graphql");

/** What both kinds of till, and the server, should agree on. */
const FIELDS = {
  Product: ["id", "sku", "name", "price", "image"],
  Order: ["id", "total", "subtotal", "tax", "createdAt"],
  LineItem: ["id", "qty", "price", "total", "description", "lineItemOrderId", "lineItemProductId"],
};

/** Opens a shop whose key is shared with its own till, and with the pages of the other. */
async function openShop() {
  const flags = ["--allow-origin", stage.site.origin];
  await stage.serve({ schema: undefined, flags });
  const amplify = await stage.open();
  const context = await stage.browser.newContext({
    baseURL: stage.server.origin,
    viewport: { width: 1180, height: 820 },
  });
  const page = await context.newPage();
  await page.goto("/");
  const espressync = new Shop({ page, name: "espressync" });
  await espressync.whenStocked();
  await espressync.whenInSync();
  return { amplify, espressync, context };
}

/** Records by their ids, with what tills know of them. */
const known = (model, records) => {
  const live = records.filter(({ _deleted }) => !_deleted);
  const rows = live.map((record) => FIELDS[model].map((field) => record[field] ?? null));
  return rows.sort(([a], [b]) => a.localeCompare(b));
};

const onServer = async (model) => {
  const query = `{ list${model}s(limit: 1000) { items { ${FIELDS[model].join(" ")} _deleted } } }`;
  return known(model, (await stage.ask(query))[`list${model}s`].items);
};

/** Waits until the amplify till has what the server has, of every model. */
const whenEqual = (amplify) =>
  until("the amplify till to have what the server has", async () => {
    for (const model of Object.keys(FIELDS)) {
      const [here, there] = [known(model, await amplify.list(model)), await onServer(model)];
      if (JSON.stringify(here) !== JSON.stringify(there)) {
        return false;
      }
    }
    return true;
  });

/** Sells a product on the amplify till: an order and its line, as an app on DataStore does. */
const sell = (amplify, id) =>
  amplify.run(async (id) => {
    const { DataStore, models } = interop;
    const product = await DataStore.query(models.Product, id);
    const { price } = product;
    const createdAt = new Date().toISOString();
    const order = new models.Order({ total: price, subtotal: price, tax: 0, createdAt });
    await DataStore.save(order);
    const line = { qty: 1, price, total: price, description: product.name, order, product };
    await DataStore.save(new models.LineItem(line));
    return order.id;
  }, id);

test("what one till sells or changes is on the other, whichever of the two it is", async (t) => {
  const { amplify, espressync, context } = await openShop();
  t.after(() => context.close());

  const sold = await espressync.order("demo-espresso", "demo-croissant");
  await amplify.whenIs("Order", sold, (order) => order?.total > 0);
  await until("the lines of the order", async () => (await amplify.list("LineItem")).length === 2);
  const products = await amplify.run(async (id) => {
    const { DataStore, models } = interop;
    const lines = await (await DataStore.query(models.Order, id)).lineItems.toArray();
    return Promise.all(lines.map(async (line) => (await line.product).id));
  }, sold);
  assert.deepEqual(products.sort(), ["demo-croissant", "demo-espresso"]);

  const other = await sell(amplify, "demo-latte");
  await espressync.go("Orders");
  await espressync.orderRow(other).waitFor();
  await amplify.update("Product", "demo-latte", { name: "Latte grande" });
  await espressync.go("Sell");
  await espressync.page.getByTestId("product-demo-latte").filter({ hasText: "Latte grande" }).waitFor();

  await whenEqual(amplify);
  assert.deepEqual(await amplify.errors(), []);
});

test("both offline, both sell and change one product: they end up alike with everything", async (t) => {
  const { amplify, espressync, context } = await openShop();
  t.after(() => context.close());
  await amplify.goOffline();
  await context.setOffline(true);
  await espressync.whenNetwork("offline");

  const sold = [await sell(amplify, "demo-latte"), await sell(amplify, "demo-espresso")];
  sold.push(...(await espressync.orders(2)));
  await amplify.update("Product", "demo-latte", { name: "Latte grande" });
  await espressync.editProduct("demo-latte", (page) => page.getByLabel("Price").fill("5.75"));

  // One after the other: what changes between amplify's sync of a model and the acknowledgement of
  // its subscription, amplify does not see before its next delta sync (contract 6.7).
  await context.setOffline(false);
  await espressync.whenInSync();
  await amplify.goOnline();
  await until("every order to be on the server", async () =>
    (await onServer("Order")).length === sold.length,
  );
  const both = ({ name, price }) => name === "Latte grande" && price === 5.75;
  await amplify.whenIs("Product", "demo-latte", both);
  await whenEqual(amplify);
  const latte = espressync.page.getByTestId("product-demo-latte");
  await espressync.go("Sell");
  await latte.filter({ hasText: "Latte grande" }).filter({ hasText: "5.75" }).waitFor();
  await espressync.go("Orders");
  const listed = await until("every order to be listed", async () => {
    const listed = await espressync.listedOrders();
    return listed.length === sold.length && listed;
  });
  assert.deepEqual(listed.sort(), sold.sort());
  assert.deepEqual(await amplify.errors(), []);
});
