// What every file of specs needs: a browser, a site with the pages, and for each test a server.
import { after, afterEach, before } from "node:test";

import { ask } from "../../e2e/harness/api.js";
import { launchBrowser } from "../../e2e/harness/browser.js";
import { Server } from "../../e2e/harness/server.js";
import { StaticSite } from "../../e2e/harness/static_site.js";
import { AmplifyTill } from "./amplify_till.js";
import { buildPage, PAGES } from "./page.js";

// The tests' own requests go to a server whose certificate nobody vouches for.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";

/** The schema with one of each thing. */
export const EVERYTHING = "tests/interop/schema.graphql";

/** What a file of specs works with; its members are there while its tests run. */
export class Stage {
  #schema;
  #tills = [];

  /**
   * Sets up what the tests of the calling file need.
   *
   * @param {string} name of the page
   * @param {string} [schema] the file, from the repository's folder
   */
  constructor(name, schema = EVERYTHING) {
    this.#schema = schema;
    before(async () => {
      const path = await buildPage(name, schema);
      this.site = await new StaticSite(PAGES).open();
      this.url = `${this.site.origin}${path}`;
      this.browser = await launchBrowser(["--ignore-certificate-errors"]);
    });
    after(async () => {
      await this.browser?.close();
      await this.site?.close();
    });
    afterEach(async () => {
      await Promise.all(this.#tills.map((till) => till.close()));
      this.#tills = [];
      await this.server?.dispose();
      this.server = undefined;
    });
  }

  /**
   * Starts the test's server.
   *
   * @param {import("../../e2e/harness/server.js").Settings} [settings]
   */
  async serve(settings) {
    this.server = await Server.start({ schema: this.#schema, ...settings, isTls: true });
    return this.server;
  }

  /** Opens the page on a device of its own; DataStore is not started yet. */
  async unpack(options) {
    this.server ??= await this.serve();
    const till = await AmplifyTill.open(this.browser, this.url, this.server, options);
    this.#tills.push(till);
    return till;
  }

  /** Opens the page on a device of its own and waits until DataStore has everything. */
  async open(options) {
    const till = await this.unpack(options);
    return till.start();
  }

  /** Asks the server itself, past every till. */
  ask(query, variables) {
    return ask(this.server, query, variables);
  }
}
