// The page /graphiql, for whoever looks at the API in a browser: with nothing but the program.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser, screenshot } from "../harness/browser.js";
import { API_KEY, Server } from "../harness/server.js";
import { until } from "../harness/wait.js";

const CREATE = `mutation { createProduct(input: { id: "latte", name: "Latte", price: 4.5 }) {
  id name price image createdAt updatedAt _version _lastChangedAt _deleted } }`;

let browser;
let server;

before(async () => {
  browser = await launchBrowser();
  const flags = ["--graphiql", "--share-key"];
  server = await Server.start({ schema: "src/schema.graphql", flags });
});
after(async () => {
  await browser?.close();
  await server?.dispose();
});

test("GraphiQL asks the API and listens to it, without any other server", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const asked = [];
  const faults = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(`${server.origin}/graphiql`);
  await page.waitForSelector(".graphiql-execute-button");
  const run = async (text) => {
    await page.evaluate(
      (text) => document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(text),
      text,
    );
    await page.click(".graphiql-execute-button");
  };
  const answer = () =>
    page.evaluate(() => document.querySelector(".result-window .CodeMirror").CodeMirror.getValue());

  // The key is the one that the server shares with its pages.
  await run("{ listProducts { items { id name } } }");
  await until("an answer", async () => (await answer()).includes("listProducts"));
  assert.deepEqual(JSON.parse(await answer()), { data: { listProducts: { items: [] } } });
  await screenshot(page, "graphiql-query");

  // Listened to from the socket's first moment: its frames come as fast as it does.
  let isListening = false;
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => (isListening ||= payload.includes("start_ack"))),
  );
  await run("subscription s { onCreateProduct { id name price _version } }");
  await until("the subscription to be acknowledged", () => isListening);
  const made = await fetch(`${server.origin}/graphql`, {
    method: "POST",
    headers: { "x-api-key": API_KEY },
    body: JSON.stringify({ query: CREATE }),
  });
  assert.equal((await made.json()).data.createProduct.id, "latte");
  await until("the event", async () => (await answer()).includes("onCreateProduct"));
  const product = { id: "latte", name: "Latte", price: 4.5, _version: 1 };
  assert.deepEqual(JSON.parse(await answer()).data.onCreateProduct, product);
  await screenshot(page, "graphiql-subscription");

  assert.deepEqual(faults, []);
  const isOwn = (url) => url.startsWith(server.origin) || /^(data|blob):/.test(url);
  assert.deepEqual(asked.filter((url) => !isOwn(url)), []);
});
