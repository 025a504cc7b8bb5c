import { until } from "../harness/wait.js";

/** The app's screens, as a barista sees them. One object for each till. */
export class Shop {
  /** @param {import("../harness/till.js").Till} till */
  constructor(till) {
    this.till = till;
    this.page = till.page;
  }

  /** Goes to a screen by the navigation. */
  async go(label) {
    await this.page.getByRole("link", { name: label, exact: true }).click();
  }

  /** Waits until the catalog shows a product. */
  async whenStocked() {
    await this.#product("demo-espresso").waitFor();
  }

  /** Taps products into the cart, in order. */
  async add(...products) {
    for (const product of products) {
      await this.#product(product).click();
    }
  }

  /** Takes an order of these products and returns its id. Ends on its receipt. */
  async order(...products) {
    await this.go("Sell");
    await this.add(...products);
    await this.pay();
    await this.page.getByTestId("receipt-total").waitFor();
    return new URL(this.page.url()).pathname.split("/").pop();
  }

  /** From the cart to the receipt. */
  async pay() {
    if (await this.page.getByTestId("cart-bar").isVisible()) {
      await this.page.getByTestId("cart-bar").click();
    }
    await this.page.getByTestId("checkout-button").click();
    await this.page.getByTestId("pay-button").click();
  }

  /** Takes so many orders, of two products each, and returns their ids. */
  async orders(count) {
    const ids = [];
    for (let number = 0; number < count; number += 1) {
      ids.push(await this.order("demo-espresso", "demo-croissant"));
    }
    return ids;
  }

  /** The ids of the orders that the orders screen lists. */
  async listedOrders() {
    const rows = this.page.locator('[data-testid^="order-"]');
    const ids = await rows.evaluateAll((found) => found.map((row) => row.dataset.testid));
    return ids.map((id) => id.slice("order-".length));
  }

  /** The row of an order on the orders screen. */
  orderRow(id) {
    return this.page.getByTestId(`order-${id}`);
  }

  /** Changes a product: `change` gets the open form's page. */
  async editProduct(id, change) {
    await this.go("Products");
    await this.page.getByTestId(`product-edit-${id}`).click();
    await change(this.page);
    await this.page.getByTestId("product-save").click();
    await this.page.getByTestId("product-save").waitFor({ state: "detached" });
  }

  /** How many changes wait to be sent. */
  async pending() {
    return Number(await this.#status().getAttribute("data-pending"));
  }

  /** Waits until the till says so of its connection: `online`, `offline`... */
  async whenNetwork(word, patienceMs) {
    await until(
      `till ${this.till.name} to be ${word}`,
      async () => (await this.#status().getAttribute("data-network")) === word,
      patienceMs,
    );
  }

  /** Waits until the server has everything and the till has what the server has. */
  async whenInSync(patienceMs = 20_000) {
    await this.whenNetwork("online", patienceMs);
    await until(
      `till ${this.till.name} to have sent everything`,
      async () => (await this.pending()) === 0,
      patienceMs,
    );
  }

  #product(id) {
    return this.page.getByTestId(`product-${id}`);
  }

  #status() {
    return this.page.getByTestId("sync-status");
  }
}
