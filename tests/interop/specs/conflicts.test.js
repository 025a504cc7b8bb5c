// Two tills change one record at once, under each way to resolve it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { test } from "node:test";

import { until } from "../../e2e/harness/wait.js";
import { Stage } from "../harness/stage.js";

const stage = new Stage("conflicts");

/** What the server has of a post. */
const stored = async (id) => {
  const query = `query ($id: ID!) { getPost(id: $id) { title rating tags _version _deleted } }`;
  return (await stage.ask(query, { id })).getPost;
};

const whenStored = (id, isWanted) =>
  until("the server to have the post as wanted", async () => {
    const post = await stored(id);
    return isWanted(post) && (post ?? true);
  });

/** A till with a post that somebody else has changed while it was offline, and who saw it not. */
async function overtaken(options, fields) {
  const till = await stage.open(options);
  const { id } = await till.create("Post", { title: "Latte", rating: 1, tags: ["hot"] });
  await whenStored(id, (post) => post?._version === 1);
  await till.whenIs("Post", id, (post) => post._version === 1);
  await till.goOffline();
  const update = `mutation ($input: UpdatePostInput!) { updatePost(input: $input) { id } }`;
  await stage.ask(update, { input: { id, _version: 1, ...fields } });
  return { till, id };
}

test("automerge: what each has changed is kept, of one field the first", async () => {
  const { till, id } = await overtaken({}, { rating: 2, tags: ["hot", "new"] });
  await till.update("Post", id, { title: "Latte macchiato", rating: 3, tags: ["hot", "milk"] });
  await till.goOnline();
  const merged = await whenStored(id, (post) => post.title === "Latte macchiato");
  assert.deepEqual([merged.rating, [...merged.tags].sort()], [2, ["hot", "milk", "new"]]);
  await till.whenIs("Post", id, (post) => post.rating === 2 && post.tags.length === 3);
  assert.deepEqual(await till.errors(), []);
});

test("automerge-strict: of what both have the server's is kept, and lists are joined", async () => {
  await stage.serve({ flags: ["--conflict", "automerge-strict"] });
  const { till, id } = await overtaken({}, { rating: 2, tags: ["hot", "new"] });
  await till.update("Post", id, { title: "Latte macchiato", rating: 3, tags: ["hot", "milk"] });
  await till.goOnline();
  const merged = await whenStored(id, (post) => post._version === 3);
  assert.deepEqual([merged.title, merged.rating], ["Latte", 2]);
  assert.deepEqual(merged.tags, ["hot", "new", "hot", "milk"]);
  await till.whenIs("Post", id, (post) => post.title === "Latte" && post.tags.length === 4);
  assert.deepEqual(await till.errors(), []);
});

test("optimistic: without a handler the till's change wins, and both sides agree", async () => {
  await stage.serve({ flags: ["--conflict", "optimistic"] });
  const { till, id } = await overtaken({}, { rating: 2 });
  await till.update("Post", id, { title: "Latte macchiato" });
  await till.goOnline();
  const { rating } = await whenStored(id, (post) => post.title === "Latte macchiato");
  const agreed = await till.whenIs("Post", id, (post) => post._version === 3);
  assert.deepEqual([agreed.title, agreed.rating], ["Latte macchiato", rating]);
  // The client tells its own signal to try again as an error (contract 6.4).
  assert.ok((await till.errors()).every(({ message }) => message === "RetryMutation"));
});

test("optimistic: a handler that discards leaves the server's record, here too", async () => {
  await stage.serve({ flags: ["--conflict", "optimistic"] });
  const { till, id } = await overtaken({ conflictHandler: "discard" }, { rating: 2 });
  await till.update("Post", id, { title: "Latte macchiato" });
  await till.goOnline();
  await till.whenIs("Post", id, (post) => post.title === "Latte" && post.rating === 2);
  const [conflict] = await till.run(() => interop.conflicts);
  assert.equal(conflict.localModel.title, "Latte macchiato");
  assert.deepEqual([conflict.remoteModel.rating, conflict.remoteModel._version], [2, 2]);
  assert.equal((await stored(id)).title, "Latte");
});

test("optimistic: what a handler makes of both is on the server and on every till", async () => {
  await stage.serve({ flags: ["--conflict", "optimistic"] });
  const { till, id } = await overtaken({ conflictHandler: "title" }, { rating: 2 });
  const other = await stage.open();
  await till.update("Post", id, { title: "Latte macchiato" });
  await till.goOnline();
  const both = (post) => post.title === "Latte macchiato" && post.rating === 2;
  await whenStored(id, (post) => both(post) && post._version === 3);
  await till.whenIs("Post", id, both);
  await other.whenIs("Post", id, both);
});

test("optimistic: a delete on an old version is refused with the record", async () => {
  await stage.serve({ flags: ["--conflict", "optimistic"] });
  const { till, id } = await overtaken({ conflictHandler: "discard" }, { rating: 2 });
  await till.delete("Post", id);
  await till.goOnline();
  await till.whenIs("Post", id, (post) => post?.rating === 2);
  assert.equal((await stored(id))._deleted, null);
});

/** An endpoint that decides conflicts, and the events that it was sent. */
async function endpoint(t, decide) {
  const events = [];
  const server = createServer(async (request, response) => {
    const event = await json(request);
    events.push(event);
    response.setHeader("content-type", "application/json").end(JSON.stringify(decide(event)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  await stage.serve({ flags: ["--conflict", `lambda=http://127.0.0.1:${server.address().port}/`] });
  return events;
}

test("lambda: what the endpoint makes of both is on the server and on the till", async (t) => {
  const events = await endpoint(t, ({ newItem, existingItem }) => ({
    action: "RESOLVE",
    item: { ...existingItem, title: `${newItem.title} of ${existingItem.rating}` },
  }));
  const { till, id } = await overtaken({}, { rating: 2 });
  await till.update("Post", id, { title: "Latte macchiato" });
  await till.goOnline();
  const both = (post) => post.title === "Latte macchiato of 2" && post.rating === 2;
  await whenStored(id, (post) => both(post) && post._version === 3);
  await till.whenIs("Post", id, both);
  assert.equal(events.length, 1);
  assert.deepEqual(await till.errors(), []);
});

test("lambda: what the endpoint rejects is a conflict for the till's handler", async (t) => {
  await endpoint(t, () => ({ action: "REJECT" }));
  const { till, id } = await overtaken({ conflictHandler: "discard" }, { rating: 2 });
  await till.update("Post", id, { title: "Latte macchiato" });
  await till.goOnline();
  await till.whenIs("Post", id, (post) => post.title === "Latte" && post.rating === 2);
  const [conflict] = await till.run(() => interop.conflicts);
  assert.equal(conflict.remoteModel._version, 2);
  assert.equal((await stored(id)).title, "Latte");
});
