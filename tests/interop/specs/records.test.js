// The life of a record: what the unmodified aws-amplify saves is on the server and on other tills.
import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "../../e2e/harness/wait.js";
import { Stage } from "../harness/stage.js";

const stage = new Stage("records");

const POST = `id title rating stock isOpen mood moods tags place { city zip } places { city }
  notes at since _version _deleted`;

const post = async (id) =>
  (await stage.ask(`query ($id: ID!) { getPost(id: $id) { ${POST} } }`, { id })).getPost;

const whenStored = (id, isWanted) =>
  until(`the server to have the post as wanted`, async () => {
    const stored = await post(id);
    return isWanted(stored) && (stored ?? true);
  });

test("a record of every kind of field is saved, changed, deleted, and seen by another till", async () => {
  const a = await stage.open();
  const b = await stage.open();
  await b.run(() => (interop.seen.Post = interop.observe("Post")));

  const fields = {
    ...{ title: "Latte", rating: 5, stock: 2.5, isOpen: true, mood: "HAPPY" },
    ...{ moods: ["HAPPY", "CURIOUS"], tags: ["hot", "milk"] },
    ...{ place: { city: "Rome", zip: null }, places: [{ city: "Oslo", zip: null }] },
    ...{ notes: { a: [1] }, at: "2026-11-25T10:00:00.000Z", since: 1700000000 },
  };
  const { id } = await a.create("Post", fields);
  const stored = await whenStored(id, (post) => post?._version === 1);
  assert.deepEqual(
    { ...stored, notes: JSON.parse(stored.notes) },
    { ...{ id, _version: 1, _deleted: null }, ...fields, places: [{ city: "Oslo" }] },
  );
  const seen = await b.whenIs("Post", id, (post) => post?.title === "Latte");
  assert.deepEqual({ ...seen, ...fields }, seen, "the other till has every field");

  await b.update("Post", id, { title: "Flat white", rating: null });
  await whenStored(id, (post) => post._version === 2 && post.rating === null);
  await a.whenIs("Post", id, (post) => post.title === "Flat white" && post.rating === null);

  await a.delete("Post", id);
  await whenStored(id, (post) => post._deleted === true);
  await b.whenIs("Post", id, (post) => post === undefined);
  const told = await b.run(() => interop.seen.Post);
  const kinds = told.map(({ opType, title }) => `${opType} ${title}`);
  for (const kind of ["INSERT Latte", "UPDATE Flat white", "DELETE Flat white"]) {
    assert.ok(kinds.includes(kind), `${kind} among ${kinds}`);
  }
  assert.deepEqual([...(await a.errors()), ...(await b.errors())], []);
});

test("a till that starts reads the whole table in pages, and later only what has changed", async () => {
  await stage.serve();
  const create = (number) =>
    stage.ask(`mutation ($input: CreateBlogInput!) { createBlog(input: $input) { id } }`, {
      input: { id: `b${number}`, name: `Blog ${number}` },
    });
  await Promise.all(Array.from({ length: 25 }, (_, number) => create(number)));

  const a = await stage.open({ options: { syncPageSize: 10 } });
  assert.equal((await a.list("Blog")).length, 25);
  const whole = (await a.events()).find(
    ({ event, model }) => event === "modelSynced" && model === "Blog",
  );
  assert.deepEqual(whole.counts, { new: 25, updated: 0, deleted: 0 });
  assert.equal(whole.isFullSync, true);
  assert.ok(a.requests.filter(({ query }) => query.includes("syncBlogs")).length >= 3);

  await a.run(() => interop.DataStore.stop());
  await create(25);
  await stage.ask(`mutation { updateBlog(input: { id: "b3", name: "New", _version: 1 }) { id } }`);
  await stage.ask(`mutation { deleteBlog(input: { id: "b4", _version: 1 }) { id } }`);
  const since = (await a.events()).length;
  await a.run(() => interop.DataStore.start());
  await a.whenHeard("ready", since);
  const delta = (await a.events(since)).find(
    ({ event, model }) => event === "modelSynced" && model === "Blog",
  );
  assert.equal(delta.isDeltaSync, true);
  assert.deepEqual(delta.counts, { new: 1, updated: 1, deleted: 1 });
  assert.equal((await a.get("Blog", "b3")).name, "New");
  assert.equal(await a.get("Blog", "b4"), undefined);
  assert.equal((await a.list("Blog")).length, 25);
});

test("a sync expression brings the records it means, and events of no others", async () => {
  await stage.serve();
  const create = (id, rating) =>
    stage.ask(`mutation ($input: CreatePostInput!) { createPost(input: $input) { ${POST} } }`, {
      input: { id, title: id, rating },
    });
  await create("low", 1);
  await create("high", 9);
  const a = await stage.open({ expressions: { Post: ["rating", "gt", 5] } });
  assert.deepEqual((await a.list("Post")).map(({ id }) => id), ["high"]);
  const { variables } = a.requests.find(({ query }) => query.includes("syncPosts"));
  assert.deepEqual(variables.filter, { and: [{ rating: { gt: 5 } }] });

  await a.whenSubscribed(9);
  await create("lower", 2);
  await create("higher", 10);
  await a.whenIs("Post", "higher", (post) => post !== undefined);
  assert.equal(await a.get("Post", "lower"), undefined);
});

test("what is saved offline is sent when the line is back, and what others did comes in", async () => {
  const a = await stage.open();
  const b = await stage.open();
  const { id } = await a.create("Post", { title: "Latte", rating: 1 });
  await b.whenIs("Post", id, (post) => post?.title === "Latte");

  await a.goOffline();
  const made = [];
  for (let number = 0; number < 5; number += 1) {
    made.push((await a.create("Post", { title: `Offline ${number}` })).id);
  }
  await a.update("Post", id, { title: "Latte macchiato" });
  await b.update("Post", id, { rating: 2 });
  await whenStored(id, (post) => post.rating === 2);
  assert.equal((await post(made[0])) ?? null, null);

  await a.goOnline();
  for (const id of made) {
    await whenStored(id, (post) => post?._version === 1);
    await b.whenIs("Post", id, (post) => post !== undefined);
  }
  // Both edits of one record survive: they are of different fields.
  const both = (post) => post.title === "Latte macchiato" && post.rating === 2;
  await whenStored(id, both);
  await a.whenIs("Post", id, both);
  await b.whenIs("Post", id, both);
  assert.deepEqual(await a.errors(), []);
});
