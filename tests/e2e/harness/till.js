import { screenshot, whenControlled } from "./browser.js";
import { Network } from "./network.js";

/** The sizes the app is made for. */
export const PHONE = { width: 390, height: 844 };
export const TABLET = { width: 1180, height: 820 };

/**
 * One device in the shop: a browser context with its own storage, on its own line to the server.
 *
 * What can be done with the app's screens belongs to the page objects; this is the machine they
 * run on.
 */
export class Till {
  #context;

  /** What went wrong inside the page: uncaught errors and console errors. A test may ask for none. */
  errors = [];

  /** @private use `Till.open` */
  constructor(name, context, network) {
    this.name = name;
    this.#context = context;
    this.network = network;
  }

  /**
   * Unpacks a new till and opens the app on it.
   *
   * @param {import("playwright-core").Browser} browser
   * @param {import("./server.js").Server} server
   * @param {{ name?: string, size?: typeof PHONE, path?: string }} [options]
   */
  static async open(browser, server, { name = "till", size = TABLET, path = "/" } = {}) {
    const network = await Network.open(server.origin);
    const context = await browser.newContext({ viewport: size, baseURL: network.origin });
    const till = new Till(name, context, network);
    till.page = await context.newPage();
    till.#collectErrors();
    await till.page.goto(path);
    return till;
  }

  /** Waits until the app's shell is on the device, so that it opens with no network. */
  async whenInstalled() {
    await whenControlled(this.page);
  }

  /** Pulls the plug: the browser knows that it is offline, and every connection is cut. */
  async goOffline() {
    await this.#context.setOffline(true);
    this.network.cut();
  }

  /** Puts the plug back. */
  async goOnline() {
    this.network.restore();
    await this.#context.setOffline(false);
  }

  /** Loads the app again, as after a restart of the device. */
  async reload() {
    await this.page.reload();
  }

  /** Keeps a picture of the screen as it is now. */
  async screenshot(name) {
    await screenshot(this.page, `${this.name}-${name}`);
  }

  /** Puts the device away, with all it has stored. */
  async close() {
    await this.#context.close();
    await this.network.close();
  }

  #collectErrors() {
    this.page.on("pageerror", (error) => this.errors.push(error.message));
    this.page.on("console", (message) => {
      if (message.type() === "error") {
        this.errors.push(message.text());
      }
    });
  }
}
