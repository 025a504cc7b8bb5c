// What a shop meets now and then: a key that was changed, a disk that is full, a foreign schema.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { storedOrders } from "../harness/api.js";
import { launchBrowser } from "../harness/browser.js";
import { Server } from "../harness/server.js";
import { Till } from "../harness/till.js";
import { until } from "../harness/wait.js";
import { Shop } from "../pages/shop.js";

let browser;
let server;
let till;
let shop;

before(async () => (browser = await launchBrowser()));
after(async () => browser?.close());
beforeEach(async () => {
  server = await Server.start();
  till = await Till.open(browser, server);
  shop = new Shop(till);
  await shop.whenStocked();
  await shop.whenInSync();
});
afterEach(async () => {
  await till?.close();
  await server?.dispose();
});

test("a key that was changed stops no sale, and the next start of the till learns the new one", async () => {
  await server.kill();
  server.apiKey = "da2-changed";
  await server.restart();
  const id = await shop.order("demo-mocha");
  await shop.whenNetwork("unauthorized", 45_000);
  assert.equal(await shop.pending(), 2);
  await till.reload();
  await shop.whenInSync();
  assert.deepEqual((await storedOrders(server)).map((order) => order.id), [id]);
});

test("a disk that is full refuses the sale, keeps the cart, and takes it once there is room", async () => {
  await till.page.evaluate(() => {
    const { add } = IDBObjectStore.prototype;
    window.makeRoom = () => (IDBObjectStore.prototype.add = add);
    IDBObjectStore.prototype.add = () => {
      throw new DOMException("the disk is full", "QuotaExceededError");
    };
  });
  await shop.add("demo-mocha");
  await shop.pay();
  await till.page.getByText("could not keep the change").first().waitFor();
  assert.equal(await shop.pending(), 0, "nothing is half-written");
  await till.page.evaluate(() => window.makeRoom());
  await till.page.getByTestId("pay-button").click();
  await till.page.getByTestId("receipt-total").waitFor();
  await shop.whenInSync();
  const [order, ...others] = await storedOrders(server);
  assert.deepEqual([order.lineItems.items.length, others.length], [1, 0]);
});

test("a database of a newer version is said and left alone", async () => {
  const version = await till.page.evaluate(async () => {
    const [{ name, version }] = await indexedDB.databases();
    const newer = indexedDB.open(name, version + 1);
    await new Promise((done) => (newer.onsuccess = done));
    newer.result.close();
    return version + 1;
  });
  await till.reload();
  await till.page.getByText("newer version").first().waitFor();
  const databases = await till.page.evaluate(() => indexedDB.databases());
  assert.equal(databases[0].version, version);
});

test("clearing the till keeps what was not sent, and fills up again from the server", async () => {
  const ids = [await shop.order("demo-chai")];
  await shop.whenInSync();
  await till.goOffline();
  ids.push(await shop.order("demo-tea"));
  await shop.go("Settings");
  await till.page.getByTestId("clear-data").click();
  await till.page.getByTestId("clear-confirm").click();
  await until("the till to say what would be lost", async () =>
    (await till.page.getByTestId("clear-text").innerText()).includes("2 changes"),
  );
  await till.page.getByRole("button", { name: "Keep" }).click();
  await till.goOnline();
  await shop.whenInSync();
  await till.page.getByTestId("clear-data").click();
  await till.page.getByTestId("clear-confirm").click();
  await shop.go("Orders");
  await until("both orders to be back", async () => (await shop.listedOrders()).length === 2);
  assert.deepEqual((await shop.listedOrders()).sort(), ids.sort());
});
