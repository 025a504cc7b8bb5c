// Relations of all four kinds and keys of all kinds, as aws-amplify writes, reads and deletes them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "../../e2e/harness/wait.js";
import { Stage } from "../harness/stage.js";

const stage = new Stage("relations");

test("hasMany and belongsTo are the same on every till, and a parent takes its children along", async () => {
  const a = await stage.open();
  const b = await stage.open();
  const { blog, posts } = await a.run(async () => {
    const { DataStore, models, plain } = interop;
    const blog = await DataStore.save(new models.Blog({ name: "Beans" }));
    const save = (title) => DataStore.save(new models.Post({ title, blog }));
    return plain({ blog, posts: [await save("Roast"), await save("Grind")] });
  });
  for (const { id } of posts) {
    await b.whenIs("Post", id, (post) => post !== undefined);
  }
  const read = await b.run(async ({ blog, post }) => {
    const { DataStore, models } = interop;
    const parent = await (await DataStore.query(models.Post, post)).blog;
    const children = await (await DataStore.query(models.Blog, blog)).posts.toArray();
    const found = await DataStore.query(models.Post, (post) => post.blog.name.eq("Beans"));
    const titles = (posts) => posts.map(({ title }) => title).sort();
    return { parent: parent.name, children: titles(children), found: titles(found) };
  }, { blog: blog.id, post: posts[0].id });
  const titles = ["Grind", "Roast"];
  assert.deepEqual(read, { parent: "Beans", children: titles, found: titles });

  const query = `query ($id: ID!) { getBlog(id: $id) { posts { items { title blog { id } } } } }`;
  const { getBlog } = await stage.ask(query, { id: blog.id });
  assert.deepEqual(getBlog.posts.items.map(({ title }) => title).sort(), titles);
  assert.equal(getBlog.posts.items[0].blog.id, blog.id);

  await b.delete("Blog", blog.id);
  for (const { id } of posts) {
    await a.whenIs("Post", id, (post) => post === undefined);
  }
  await a.whenIs("Blog", blog.id, (blog) => blog === undefined);
});

test("hasOne and the way back", async () => {
  const a = await stage.open();
  const b = await stage.open();
  const { team, project } = await a.run(async () => {
    const { DataStore, models, plain } = interop;
    const team = await DataStore.save(new models.Team({ name: "Baristas" }));
    const project = await DataStore.save(new models.Project({ name: "Opening", team }));
    await DataStore.save(models.Team.copyOf(team, (draft) => void (draft.project = project)));
    return plain({ team, project });
  });
  await b.whenIs("Team", team.id, (team) => team?.teamProjectId === project.id);
  await b.whenIs("Project", project.id, (project) => project?.projectTeamId === team.id);
  const read = await b.run(async ({ team, project }) => {
    const { DataStore, models } = interop;
    const one = await (await DataStore.query(models.Project, project)).team;
    const back = await (await DataStore.query(models.Team, team)).project;
    return [one.name, back.name];
  }, { team: team.id, project: project.id });
  assert.deepEqual(read, ["Baristas", "Opening"]);
});

test("manyToMany goes both ways", async () => {
  const a = await stage.open();
  const b = await stage.open();
  const { post, labels } = await a.run(async () => {
    const { DataStore, models, plain } = interop;
    const post = await DataStore.save(new models.Post({ title: "Cup" }));
    const labels = [];
    for (const name of ["hot", "cheap"]) {
      const label = await DataStore.save(new models.Label({ name }));
      await DataStore.save(new models.PostLabels({ post, label }));
      labels.push(label);
    }
    return plain({ post, labels });
  });
  await until("the other till to have both joins", async () =>
    (await b.list("PostLabels")).length === 2,
  );
  const read = await b.run(async ({ post, label }) => {
    const { DataStore, models } = interop;
    const joins = await (await DataStore.query(models.Post, post)).labels.toArray();
    const names = await Promise.all(joins.map(async (join) => (await join.label).name));
    const back = await (await DataStore.query(models.Label, label)).posts.toArray();
    const titles = await Promise.all(back.map(async (join) => (await join.post).title));
    return { names: names.sort(), titles };
  }, { post: post.id, label: labels[0].id });
  assert.deepEqual(read, { names: ["cheap", "hot"], titles: ["Cup"] });
});

test("records with keys of their own, of one part and of two", async () => {
  const a = await stage.open();
  const b = await stage.open();
  await a.create("Coupon", { code: "NOV", percent: 10 });
  await b.whenIs("Coupon", "NOV", (coupon) => coupon?.percent === 10);
  await b.update("Coupon", "NOV", { percent: 20 });
  await a.whenIs("Coupon", "NOV", (coupon) => coupon.percent === 20);

  const [rome, oslo] = ["Rome", "Oslo"].map((city) => ({ code: "s1", city }));
  await a.create("Shop", { ...rome, seats: 4 });
  await a.create("Shop", { ...oslo, seats: 8 });
  const barista = await a.run(async (key) => {
    const { DataStore, models, plain } = interop;
    const shop = await DataStore.query(models.Shop, key);
    return plain(await DataStore.save(new models.Barista({ name: "Ada", shop })));
  }, rome);
  await b.whenIs("Shop", oslo, (shop) => shop?.seats === 8);
  await b.whenIs("Barista", barista.id, (barista) => barista !== undefined);
  const read = await b.run(async ({ key, id }) => {
    const { DataStore, models } = interop;
    const shop = await (await DataStore.query(models.Barista, id)).shop;
    const staff = await (await DataStore.query(models.Shop, key)).baristas.toArray();
    return { city: shop.city, staff: staff.map(({ name }) => name) };
  }, { key: rome, id: barista.id });
  assert.deepEqual(read, { city: "Rome", staff: ["Ada"] });

  await b.update("Shop", rome, { seats: 5 });
  await a.whenIs("Shop", rome, (shop) => shop.seats === 5);
  assert.equal((await a.get("Shop", oslo)).seats, 8);
  await b.delete("Shop", oslo);
  await a.whenIs("Shop", oslo, (shop) => shop === undefined);
  assert.equal((await a.get("Shop", rome)).seats, 5);
  assert.deepEqual([...(await a.errors()), ...(await b.errors())], []);
});
