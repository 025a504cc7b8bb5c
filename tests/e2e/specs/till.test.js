// A till in the shop: what all later tests take for granted about the machine they run on.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { launchBrowser } from "../harness/browser.js";
import { Server } from "../harness/server.js";
import { PHONE, Till } from "../harness/till.js";
import { until } from "../harness/wait.js";

let browser;
let server;
let till;

before(async () => (browser = await launchBrowser()));
after(async () => browser?.close());
beforeEach(async () => {
  server = await Server.start();
  till = await Till.open(browser, server, { size: PHONE });
});
afterEach(async () => {
  await till?.close();
  await server?.dispose();
});

test("a till talks to the server, and opens again with no network", async () => {
  await until("the first question", () => till.network.requests.length > 0);
  await till.whenInstalled();
  await till.goOffline();
  await till.reload();
  await until("the app to be drawn", async () => (await till.page.innerText("body")).length > 0);
  await till.screenshot("offline-start");

  till.network.forget();
  await till.goOnline();
  await until("the till to be back", () => answered(till.network).length > 0);
});

test("a server that is killed comes back on the same file and port", async () => {
  const { port } = server;
  await until("the till to be served", () => answered(till.network).length > 0);
  await server.kill();
  await assert.rejects(fetch(`${server.origin}/healthz`));
  till.network.forget();
  await server.restart();
  assert.equal(server.port, port);
  await until("the till to be back", () => answered(till.network).length > 0);
});

test("the app's code is sent compressed, and whole when it is unpacked", async () => {
  const [sent, unpacked] = await until("the app's code to be there", () =>
    till.page.evaluate(() => {
      const code = performance.getEntriesByType("resource").find(({ name }) => name.endsWith(".wasm"));
      return code?.decodedBodySize > 0 && [code.encodedBodySize, code.decodedBodySize];
    }),
  );
  assert.ok(sent < unpacked / 2, `${sent} bytes of ${unpacked} were sent`);
  await till.whenInstalled(); // which it is only after each file has matched its hash
});

/** The requests that got an answer with data in it. */
function answered(network) {
  return network.requests.filter(({ answer }) => answer?.data !== undefined);
}
