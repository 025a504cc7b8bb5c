import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { CHROME, CHROME_FLAGS, SCREENSHOTS } from "./settings.js";
import { until } from "./wait.js";

/**
 * Starts the one browser of a test file. Each till then gets a context, as a device of its own.
 *
 * @param {string[]} [flags] beside those of every test
 */
export async function launchBrowser(flags = []) {
  if (CHROME === undefined) {
    throw new Error("no Chromium or Chrome found: set CHROME to its program");
  }
  return chromium.launch({ executablePath: CHROME, args: [...CHROME_FLAGS, ...flags] });
}

/**
 * Starts a browser of its own that keeps what it stores in a folder. A context without one keeps
 * IndexedDB in memory.
 */
export async function launchOnDisk(folder, flags = []) {
  const settings = { executablePath: CHROME, args: [...CHROME_FLAGS, ...flags] };
  return chromium.launchPersistentContext(folder, settings);
}

/** Keeps a picture of a page, for people: target/screenshots/NAME.png. */
export async function screenshot(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/** Waits until a service worker answers for the page, so that it can be reloaded offline. */
export async function whenControlled(page) {
  await until("a service worker to answer for the page", () =>
    page.evaluate(() => navigator.serviceWorker.controller !== null),
  );
}
