import { until } from "../../e2e/harness/wait.js";

/** A device of its own on which an app runs that uses the unmodified aws-amplify. */
export class AmplifyTill {
  #context;
  #settings;

  #refused;
  #waiting = new Set();

  /** The GraphQL requests that have been sent, oldest first: `{ query, variables }`. */
  requests = [];

  /** @private use `AmplifyTill.open` */
  constructor(context, page, settings) {
    this.#context = context;
    this.#settings = settings;
    this.page = page;
    const isOurs = (request) => request.method() === "POST" && request.url() === settings.endpoint;
    page.on("request", (request) => {
      if (isOurs(request)) {
        this.requests.push(request.postDataJSON());
        this.#waiting.add(request);
      }
    });
    const writes = (request) => request.postDataJSON().query.startsWith("mutation");
    page.on("response", async (response) => {
      if (isOurs(response.request()) && writes(response.request())) {
        const answer = await response.json().catch(() => undefined);
        this.#refused = answer?.errors === undefined ? this.#refused : answer;
      }
    });
    page.on("requestfinished", (request) => this.#waiting.delete(request));
    page.on("requestfailed", (request) => this.#waiting.delete(request));
  }

  /**
   * Unpacks a new device and opens the app on it.
   *
   * @param {import("playwright-core").Browser} browser
   * @param {string} url the app's page
   * @param {import("../../e2e/harness/server.js").Server} server
   * @param {object} [options] more settings of the page's `configure`
   */
  static async open(browser, url, server, options = {}) {
    const context = await browser.newContext();
    const endpoint = `${server.origin}/graphql`;
    const settings = { endpoint, apiKey: server.apiKey, ...options };
    const till = new AmplifyTill(context, await context.newPage(), settings);
    await till.page.goto(url);
    await till.configure();
    return till;
  }

  /** Says anew which API to use and how, as an app does when it is loaded. */
  async configure(options = {}) {
    Object.assign(this.#settings, options);
    await this.run((settings) => interop.configure(settings), this.#settings);
  }

  /** Starts DataStore and waits until it has everything. */
  async start() {
    await this.run(() => interop.DataStore.start());
    await this.whenHeard("ready");
    return this;
  }

  /**
   * Runs a function in the page, where `interop` is what page/app.js offers.
   *
   * @template T
   * @param {(argument: any) => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  run(work, argument) {
    return this.page.evaluate(work, argument);
  }

  /** Creates a record and returns its fields. */
  create(model, fields) {
    return this.run(async ({ model, fields }) => {
      const { DataStore, models, plain } = interop;
      return plain(await DataStore.save(new models[model](fields)));
    }, { model, fields });
  }

  /** Changes fields of a record and returns all. */
  update(model, key, changes) {
    return this.run(async ({ model, key, changes }) => {
      const { DataStore, models, plain } = interop;
      const stored = await DataStore.query(models[model], key);
      const changed = models[model].copyOf(stored, (draft) => void Object.assign(draft, changes));
      return plain(await DataStore.save(changed));
    }, { model, key, changes });
  }

  /** Deletes a record. */
  delete(model, key) {
    return this.run(async ({ model, key }) => {
      await interop.DataStore.delete(interop.models[model], key);
    }, { model, key });
  }

  /** A record's fields, or `undefined`. */
  get(model, key) {
    return this.run(async ({ model, key }) => {
      const record = await interop.DataStore.query(interop.models[model], key);
      return record && interop.plain(record);
    }, { model, key });
  }

  /** All records of a model. */
  list(model) {
    return this.run(async (model) => {
      return interop.plain(await interop.DataStore.query(interop.models[model]));
    }, model);
  }

  /** Waits until a record is as wanted, and returns it. */
  whenIs(model, key, isWanted) {
    return until(`${model} ${JSON.stringify(key)} to be as wanted`, async () => {
      const record = await this.get(model, key);
      return isWanted(record) && (record ?? true);
    });
  }

  /** Waits until every subscription to these models has been acknowledged. */
  whenSubscribed(models) {
    return until(`the subscriptions to ${models} models`, async () => {
      const acks = (await this.events()).filter(({ event }) => event === "Subscription ack");
      return acks.length >= 3 * models;
    });
  }

  /** Waits until an event has come, after the first `since` ones. */
  whenHeard(event, since = 0) {
    return until(`the event ${event}`, async () => {
      return (await this.events(since)).find((one) => one.event === event);
    });
  }

  /** What has happened, after the first `since` ones. */
  events(since = 0) {
    return this.run((since) => interop.events.slice(since), since);
  }

  /** Whether a request has been sent that is not answered. */
  isWaiting() {
    return this.#waiting.size > 0;
  }

  /** The last answer to a mutation with errors, if there was one. */
  refused() {
    return this.#refused;
  }

  /** What errorHandler was told. */
  errors() {
    return this.run(() => interop.errors);
  }

  /** Pulls the plug, as the browser sees it. */
  async goOffline() {
    await this.#setOffline(true);
  }

  /** Puts the plug back. */
  async goOnline() {
    await this.#setOffline(false);
  }

  /** Loads the app again, as after a restart of the device. */
  async reload() {
    await this.page.reload();
    await this.configure();
  }

  /** Puts the device away, with all it has stored. */
  async close() {
    await this.#context.close();
  }

  async #setOffline(isOffline) {
    const since = (await this.events()).length;
    await this.#context.setOffline(isOffline);
    await this.whenHeard("networkStatus", since);
  }
}
