// The shop's day: two tills, one server, a line that is cut and mended.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { storedOrders } from "../harness/api.js";
import { launchBrowser } from "../harness/browser.js";
import { Server } from "../harness/server.js";
import { PHONE, Till } from "../harness/till.js";
import { until } from "../harness/wait.js";
import { Shop } from "../pages/shop.js";

let browser;
let server;
let tills;

before(async () => (browser = await launchBrowser()));
after(async () => browser?.close());
beforeEach(async () => {
  server = await Server.start();
  tills = [];
});
afterEach(async () => {
  await Promise.all(tills.map((till) => till.close()));
  await server?.dispose();
});

async function openShop(name, options) {
  const till = await Till.open(browser, server, { name, ...options });
  tills.push(till);
  const shop = new Shop(till);
  await shop.whenStocked();
  await shop.whenInSync();
  return shop;
}

test("an order on one till is on the other within a second, without a reload", async () => {
  const a = await openShop("a");
  const b = await openShop("b", { size: PHONE });
  await b.go("Orders");
  await a.add("demo-espresso", "demo-flat-white");
  await a.page.getByTestId("checkout-button").click();
  const begun = performance.now();
  await a.page.getByTestId("pay-button").click();
  const row = b.page.locator('[data-testid^="order-"]').first();
  await row.waitFor({ timeout: 5_000 });
  const took = performance.now() - begun;
  console.log(`  an order was on the other till after ${took.toFixed(0)} ms`);
  assert.ok(took < 1_000, `it took ${took} ms`);
  const shown = await a.page.getByTestId("receipt-total").innerText();
  assert.ok((await row.innerText()).includes(shown.match(/[\d.,]+/)[0]));
  assert.deepEqual([...tills[0].errors, ...tills[1].errors], []);
});

test("25 orders taken offline, over a reload, are all on the other till, once", async () => {
  const a = await openShop("a", { size: PHONE });
  const b = await openShop("b");
  await a.till.whenInstalled();
  await b.go("Orders");

  await a.till.goOffline();
  const ids = await a.orders(20);
  await a.whenNetwork("offline");
  await a.till.reload();
  await a.go("Orders");
  await until("the reloaded till to list its orders", async () =>
    (await a.listedOrders()).length === 20,
  );
  ids.push(...(await a.orders(5)));
  assert.equal(await a.pending(), 75, "25 orders of two lines each");
  assert.deepEqual(await b.listedOrders(), []);

  const begun = performance.now();
  await a.till.goOnline();
  await until("all orders to be on the other till", async () =>
    (await b.listedOrders()).length >= 25,
  );
  const took = performance.now() - begun;
  console.log(`  25 orders were on the other till after ${took.toFixed(0)} ms`);
  assert.ok(took < 5_000, `it took ${took} ms`);

  await a.whenInSync();
  assert.deepEqual((await b.listedOrders()).sort(), [...ids].sort());
  const stored = await storedOrders(server);
  assert.deepEqual(stored.map((order) => order.id).sort(), [...ids].sort(), "once each");
  for (const order of stored) {
    assert.equal(order.lineItems.items.length, 2, `the lines of ${order.id}`);
    const cents = (amount) => Math.round(amount * 100);
    const lines = order.lineItems.items.reduce((sum, line) => sum + cents(line.total), 0);
    assert.equal(cents(order.subtotal), lines);
    assert.equal(cents(order.total), cents(order.subtotal) + cents(order.tax));
  }
});

test("two edits of one product, of different fields, both survive", async () => {
  const [a, b] = [await openShop("a"), await openShop("b")];
  await a.till.goOffline();
  await b.till.goOffline();
  await a.editProduct("demo-latte", (page) => page.getByLabel("Price").fill("5.75"));
  await b.editProduct("demo-latte", (page) => page.getByRole("radio", { name: "Mocha" }).check({ force: true }));
  await a.till.goOnline();
  await a.whenInSync();
  await b.till.goOnline();
  await b.whenInSync();
  for (const shop of [a, b]) {
    await shop.go("Sell");
    const card = shop.page.getByTestId("product-demo-latte");
    await until(`till ${shop.till.name} to show both edits`, async () => {
      const picture = await card.locator("img").getAttribute("src");
      return (await card.innerText()).includes("5.75") && picture.includes("mocha");
    });
  }
});

test("a killed server loses nothing it acknowledged, and doubles nothing it did not", async () => {
  const a = await openShop("a");
  const b = await openShop("b");
  await b.go("Orders");
  const ids = await a.orders(5);
  await a.whenInSync();
  await until("the other till to have the first orders", async () =>
    (await b.listedOrders()).length === 5,
  );

  const { taken, acknowledged } = await killInTheMiddle(a);
  ids.push(...taken);
  ids.push(...(await a.orders(2)));
  a.till.network.forget();
  b.till.network.forget();

  await server.restart();
  await a.whenInSync(45_000);
  await b.whenInSync(45_000);
  const stored = await storedOrders(server);
  assert.deepEqual(stored.map((order) => order.id).sort(), [...ids].sort(), "once each, all");
  const lines = stored.flatMap((order) => order.lineItems.items.map((line) => line.id));
  assert.equal(new Set(lines).size, ids.length * 2);
  const known = new Set([...ids, ...lines]);
  assert.ok(acknowledged.every((id) => known.has(id)), "what was acknowledged is there");
  await until("the other till to list every order", async () =>
    (await b.listedOrders()).length === ids.length,
  );
  for (const shop of [a, b]) {
    const syncs = shop.till.network.requests.filter(({ query }) => /\bsync[A-Z]/.test(query));
    assert.ok(syncs.length >= 3, `till ${shop.till.name} catches up by asking`);
    for (const { variables, answer } of syncs) {
      assert.ok(variables.lastSync > 0, "by delta sync");
      assert.equal(answer?.extensions?.espressync, undefined, "and gets no base sync");
    }
  }
});

/**
 * Kills the server in the middle of what a till has taken offline: at least five orders are
 * acknowledged, and the request that had just been sent never is. A server that is too quick for
 * that gets more to do.
 */
async function killInTheMiddle(shop) {
  const { network } = shop.till;
  const taken = [];
  for (let count = 30; count <= 70; count += 10) {
    await shop.till.goOffline();
    const orders = await shop.orders(count);
    taken.push(...orders);
    network.forget();
    const acknowledged = () => new Set(mutations(shop).flatMap(acknowledgedIds));
    const acknowledgedOrders = () => orders.filter((id) => acknowledged().has(id)).length;
    const isMiddle = (request) => isMutation(request) && acknowledgedOrders() >= 5;
    const seen = network.whenRequested(isMiddle);
    await shop.till.goOnline();
    await Promise.race([seen, shop.whenInSync(45_000)]);
    const sent = mutations(shop);
    await server.kill();
    await shop.whenNetwork("offline");
    const open = sent.filter(({ answer }) => answer === undefined).length;
    if (open > 0) {
      console.log(`  killed with ${acknowledgedOrders()} orders of ${count} acknowledged, ${open} requests open`);
      assert.ok(acknowledgedOrders() >= 5, "some orders were acknowledged");
      assert.ok(acknowledged().size < 3 * count, "an order has two lines, and some were to follow");
      return { taken, acknowledged: [...acknowledged()] };
    }
    console.log(`  the server had answered all of ${count} orders; once more`);
    await server.restart();
    await shop.whenInSync(45_000);
  }
  throw new Error("five times the server had answered everything before it was killed");
}

function isMutation({ query }) {
  return query.startsWith("mutation");
}

function mutations(shop) {
  return shop.till.network.requests.filter(isMutation);
}

function acknowledgedIds({ answer }) {
  return Object.values(answer?.data ?? {}).flatMap((record) => record?.id ?? []);
}
