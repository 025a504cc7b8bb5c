// Where the server cannot take a mutation for a passing reason, the unmodified aws-amplify keeps it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { ask } from "../../e2e/harness/api.js";
import { SERVER } from "../../e2e/harness/settings.js";
import { until } from "../../e2e/harness/wait.js";
import { SocketUnit } from "../harness/socket_unit.js";
import { Stage } from "../harness/stage.js";

/** Built beside the server (crates/server/examples). */
const HOLD_WRITE_LOCK = join(dirname(SERVER), "examples/hold_write_lock");

/** Backing off, the client waits up to some seconds. */
const PATIENCE_MS = 40_000;

const stage = new Stage("bad-moments");

const blogs = async (server = stage.server) => {
  const { listBlogs } = await ask(server, "{ listBlogs(limit: 1000) { items { id name _version } } }");
  return listBlogs.items;
};

/** Saves some blogs, one right after the other, and returns their ids. */
const save = async (till, count, name) => {
  const ids = [];
  for (let number = 0; number < count; number += 1) {
    ids.push((await till.create("Blog", { name: `${name} ${number}` })).id);
  }
  return ids;
};

const whenAllStored = (ids, server = stage.server) =>
  until(`${ids.length} saves to be on the server`, async () => {
    const stored = await blogs(server).catch(() => []);
    return ids.every((id) => stored.some((blog) => blog.id === id));
  }, PATIENCE_MS);

test("a database that is locked by others loses no save", async () => {
  const till = await stage.open();
  const first = await save(till, 1, "Before");
  await whenAllStored(first);

  const holder = spawn(HOLD_WRITE_LOCK, [stage.server.dataFile]);
  await once(holder.stdout, "data");
  const ids = await save(till, 10, "While busy");
  await till.update("Blog", first[0], { name: "Changed while busy" });
  const refused = await until("the server to have refused a mutation", () => till.refused(), 20_000);
  assert.equal(refused.errors[0].message, "Network Error");
  holder.stdin.end();
  await once(holder, "exit");

  await whenAllStored(ids);
  await until("the change to be on the server", async () =>
    (await blogs()).some(({ name, _version }) => name === "Changed while busy" && _version === 2),
  PATIENCE_MS);
  assert.equal((await blogs()).length, 11);
  assert.deepEqual(await till.errors(), []);
});

test("a server that is started anew loses no save where its socket is kept open for it", async (t) => {
  const unit = await SocketUnit.open();
  t.after(() => unit.close());
  await stage.serve({ port: unit.port, spawn: unit.spawn });
  const till = await stage.open();
  await till.whenSubscribed(9);
  const ids = [];
  for (const end of ["stop", "kill"]) {
    const saving = save(till, 15, `Before a ${end}`);
    await until("some of them to be sent", async () => (await blogs()).length > ids.length);
    await stage.server[end]();
    ids.push(...(await saving), ...(await save(till, 1, `After a ${end}`)));
    // Refused, it would try thrice within a second and give the mutation up.
    await until("the till to wait for an answer", () => till.isWaiting());
    await stage.server.restart();
    await whenAllStored(ids);
  }
  assert.equal((await blogs()).length, ids.length);
  assert.deepEqual(await till.errors(), []);
});

test("a key that asks too often loses no save", async () => {
  const watcher = "da2-watcher";
  await stage.serve({ flags: ["--rate-limit", "5", "--api-key", watcher] });
  const till = await stage.open();
  const ids = await save(till, 20, "Hasty");
  const refused = await until("the server to have refused a mutation", () => till.refused());
  assert.equal(refused.errors[0].message, "Network Error");
  await whenAllStored(ids, { origin: stage.server.origin, apiKey: watcher });
  assert.deepEqual(await till.errors(), []);
});
