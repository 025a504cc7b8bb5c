// Where the tests find what they test. `cargo xtask test e2e` sets the variables; the fallbacks are
// the places where a developer who runs `node --test specs/x.test.js` by hand has them.
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** The repository's folder. */
export const REPOSITORY = resolve(import.meta.dirname, "../../..");

/** The built app. */
export const DIST = process.env.ESPRESSYNC_DIST ?? join(REPOSITORY, "dist");

/** The server's program. */
export const SERVER = process.env.ESPRESSYNC_SERVER ?? join(REPOSITORY, "target/debug/espressync");

/** Where pictures of the screens are kept. */
export const SCREENSHOTS =
  process.env.ESPRESSYNC_SCREENSHOTS ?? join(REPOSITORY, "target/screenshots");

/** The browser: Chromium or Chrome. */
export const CHROME = process.env.CHROME ?? onPath("chromium", "chromium-browser", "google-chrome");

/** The same flags as for the wasm tests (xtask/src/tools/browser.rs): quiet, and fit for containers. */
export const CHROME_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((program) => existsSync(program));
}
