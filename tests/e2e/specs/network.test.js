// The tests' own line to the server: a record and a cut that can be trusted.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { afterEach, beforeEach, test } from "node:test";

import { Network } from "../harness/network.js";
import { until } from "../harness/wait.js";

let server;
let network;

beforeEach(async () => {
  server = http.createServer((request, response) => request.pipe(response));
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  network = await Network.open(`http://127.0.0.1:${server.address().port}`);
});
afterEach(async () => {
  await network.close();
  server.close();
  server.closeAllConnections();
});

test("a GraphQL request is passed on and recorded with its answer", async () => {
  const body = { query: "mutation Sell { x }", operationName: "Sell", variables: { cups: 2 } };
  assert.deepEqual(await (await send("/graphql", body)).json(), body);
  const [entry] = await until("the record", () => network.requests[0]?.answer && network.requests);
  assert.equal(entry.operation, "Sell");
  assert.deepEqual(entry.variables, { cups: 2 });
  assert.equal(entry.status, 200);
  assert.deepEqual(entry.answer, body); // this server repeats what it is told
});

test("only GraphQL is recorded, and a malformed request passes all the same", async () => {
  await send("/other", {});
  const answer = await fetch(`${network.origin}/graphql`, { method: "POST", body: "{ oops" });
  assert.equal(await answer.text(), "{ oops");
  assert.deepEqual(
    network.requests.map(({ query }) => query),
    ["{ oops"],
  );
});

test("a cut fails requests until it is mended", async () => {
  network.cut();
  await assert.rejects(send("/graphql", {}));
  network.restore();
  assert.equal((await send("/graphql", {})).status, 200);
});

test("a cut breaks the WebSockets that are open", async () => {
  const request = http.request(`${network.origin}/graphql/realtime`, {
    headers: { connection: "Upgrade", upgrade: "echo" },
  });
  request.end();
  const [, socket] = await once(request, "upgrade");
  socket.write("hello");
  assert.equal(String(await once(socket, "data")), "hello");

  const broken = once(socket, "close").catch(() => undefined);
  socket.on("error", () => undefined);
  network.cut();
  await broken;
  assert.ok(socket.destroyed);
});

function send(path, body) {
  return fetch(`${network.origin}${path}`, { method: "POST", body: JSON.stringify(body) });
}
