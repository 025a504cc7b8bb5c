// The orders screen: the list, and beside it one order after the other.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { launchBrowser } from "../harness/browser.js";
import { Server } from "../harness/server.js";
import { Till } from "../harness/till.js";
import { Shop } from "../pages/shop.js";

let browser;
let server;
let till;

before(async () => (browser = await launchBrowser()));
after(async () => browser?.close());
beforeEach(async () => {
  server = await Server.start();
  till = await Till.open(browser, server);
});
afterEach(async () => {
  await till?.close();
  await server?.dispose();
});

test("choosing one order after the other leaves the list where it stands", async () => {
  const { page } = till;
  const shop = new Shop(till);
  await shop.whenStocked();
  const ids = await shop.orders(16);
  await shop.go("Sell");
  await shop.add("demo-espresso");
  await page.getByTestId("checkout-button").click();
  await page.getByRole("button", { name: "$10.00" }).click();
  await page.getByTestId("pay-button").click();
  await page.getByTestId("receipt-change").waitFor();

  const list = page.locator(".c-orders__list");
  const top = () => list.evaluate((element) => element.scrollTop);
  await list.evaluate((element) => (element.dataset.same = "yes"));
  await shop.orderRow(ids[0]).scrollIntoViewIfNeeded();
  const before = await top();
  assert.ok(before > 0, "the list is longer than the screen");
  for (const id of ids.slice(0, 2)) {
    await shop.orderRow(id).click();
    await page.waitForURL(`**/orders/${id}`);
    await page.getByText(`#${await numberOf(shop, id)}`).nth(1).waitFor();
    assert.equal(await page.getByTestId("receipt-change").count(), 0, "change is due once");
  }
  assert.equal(await top(), before);
  await shop.go("Orders");
  await page.getByText("No order chosen").waitFor();
  assert.equal(await list.getAttribute("data-same"), "yes", "it is the list it was");
  await page.goto(`/orders/${ids[3]}`);
  await page.getByTestId("receipt-total").waitFor();
  assert.deepEqual(till.errors, []);
});

async function numberOf(shop, id) {
  return (await shop.orderRow(id).locator(".c-order-row__number").innerText()).slice(1);
}
