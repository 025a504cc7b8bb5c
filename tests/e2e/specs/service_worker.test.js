// The service worker alone, on a made-up site of three files: the app and the server have no part.
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { fillServiceWorker } from "../../../xtask/hooks/precache.mjs";
import { launchBrowser, whenControlled } from "../harness/browser.js";
import { REPOSITORY } from "../harness/settings.js";
import { StaticSite } from "../harness/static_site.js";
import { until } from "../harness/wait.js";

let browser;
let site;
let context;
let page;
const folders = [];

before(async () => (browser = await launchBrowser()));
after(async () => {
  await browser?.close();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});
beforeEach(async () => {
  site = await new StaticSite(await build("first")).open();
  context = await browser.newContext({ baseURL: site.origin });
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  await site.close().catch(() => undefined); // some tests have closed it already
});

test("the very first visit is controlled, and the next one needs no server", async () => {
  await page.goto("/");
  await whenControlled(page);
  await site.close();

  await page.reload();
  await assertShows("first");
  await page.goto("/orders/today");
  await assertShows("first");
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), "rgb(1, 2, 3)");
});

test("the server's own paths never come from a cache", async () => {
  await page.goto("/");
  await whenControlled(page);
  for (const [path, method] of [
    ["/graphql", "POST"],
    ["/graphql", "GET"],
    ["/espressync.json", "GET"],
  ]) {
    const first = await ask(path, method);
    await until("the clock to tick", async () => (await ask(path, method)) !== first);
  }
  assert.deepEqual(await cachedPaths(), ["/", "/app.js", "/styles/app.css"]);
  await page.goto("/espressync.json");
  assert.match(await page.textContent("body"), /"at"/, "not even opened as a page");
  await page.goto("/");

  await site.close();
  assert.equal(await ask("/graphql", "POST"), "failed");
  assert.equal(await ask("/espressync.json", "GET"), "failed");
  assert.equal(await ask("/app.js", "POST"), "failed", "the shell is only read");
});

test("an update waits until the page agrees, then replaces the shell and its cache", async () => {
  await page.goto("/");
  await whenControlled(page);
  const [oldCache] = await page.evaluate(() => caches.keys());

  site.folder = await build("second");
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await until("the update to be ready", () =>
    page.evaluate(async () => (await navigator.serviceWorker.ready).waiting?.state === "installed"),
  );
  await page.reload();
  await assertShows("first");

  await page.evaluate(async () => {
    const changed = new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    });
    const { waiting } = await navigator.serviceWorker.ready;
    waiting.postMessage({ type: "install-update" });
    await changed;
  });
  await page.reload();
  await assertShows("second");
  const names = await until("the old cache to go", async () => {
    const left = await page.evaluate(() => caches.keys());
    return left.length === 1 && left;
  });
  assert.notEqual(names[0], oldCache);
});

test("a build that is published half is not installed", async () => {
  await page.goto("/");
  await whenControlled(page);

  const broken = await build("broken");
  await writeFile(join(broken, "app.js"), "// of another build");
  site.folder = broken;
  const state = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const found = new Promise((resolve) => {
      registration.addEventListener("updatefound", () => resolve(registration.installing));
    });
    await registration.update().catch(() => undefined);
    const worker = await found;
    while (worker.state === "installing") {
      await new Promise((resolve) => worker.addEventListener("statechange", resolve));
    }
    return worker.state;
  });
  assert.equal(state, "redundant");
  await page.reload();
  await assertShows("first");
});

/** Makes a site whose page shows `name`, with the real service worker filled in by the real hook. */
async function build(name) {
  const folder = await mkdtemp(join(tmpdir(), "espressync-site-"));
  folders.push(folder);
  const write = (file, content) => writeFile(join(folder, file), content);
  await mkdir(join(folder, "styles"));
  await write("styles/app.css", "body { color: rgb(1, 2, 3) }");
  await write("app.js", `document.querySelector("h1").textContent = "${name}";`);
  await write(
    "index.html",
    `<!doctype html><link rel="stylesheet" href="/styles/app.css"><h1></h1>
     <script src="/app.js"></script>
     <script>navigator.serviceWorker.register("/service-worker.js")</script>`,
  );
  await copyFile(join(REPOSITORY, "www/service-worker.js"), join(folder, "service-worker.js"));
  fillServiceWorker(folder);
  return folder;
}

async function assertShows(name) {
  assert.equal(await page.textContent("h1"), name);
}

/** Asks from inside the page, and says "failed" when there is no answer. */
function ask(path, method) {
  return page.evaluate(
    ([url, verb]) =>
      fetch(url, { method: verb }).then(
        (answer) => answer.text(),
        () => "failed",
      ),
    [path, method],
  );
}

/** Lists the paths in all caches of the page's origin. */
function cachedPaths() {
  return page.evaluate(async () => {
    const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const requests = await Promise.all(opened.map((cache) => cache.keys()));
    return requests
      .flat()
      .map((request) => new URL(request.url).pathname)
      .sort();
  });
}
