// Who is signed in by a token sees what is theirs: owners and groups, as aws-amplify asks for them.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { until } from "../../e2e/harness/wait.js";
import { Stage } from "../harness/stage.js";

const SECRET = "not-a-secret-but-long-enough-for-hs256";

const stage = new Stage("notes", "tests/interop/notes.graphql");

const serve = () => stage.serve({ flags: ["--jwt-secret", SECRET] });

/** What an identity provider gives to somebody who has signed in. */
function tokenOf(name, ...groups) {
  return tokenUntil(3600, name, ...groups);
}

/** The same, good for some seconds from now. */
function tokenUntil(seconds, name, ...groups) {
  const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const claims = {
    ...{ sub: `sub-${name}`, username: name, "cognito:username": name, "cognito:groups": groups },
    exp: Math.floor(Date.now() / 1000) + seconds,
  };
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${body}.${createHmac("sha256", SECRET).update(body).digest("base64url")}`;
}

/** Asks the server as somebody. */
async function askAs(token, query, variables = {}) {
  const answer = await fetch(`${stage.server.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: token },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

test("a note is its owner's on every device of theirs, and nobody else's", async () => {
  await serve();
  const [ada, bob] = [tokenOf("ada"), tokenOf("bob")];
  const phone = await stage.open({ token: ada });
  const tablet = await stage.open({ token: ada });
  const other = await stage.open({ token: bob });
  await Promise.all([phone, tablet, other].map((till) => till.whenSubscribed(2)));

  const { id } = await phone.create("Note", { text: "Beans" });
  await tablet.whenIs("Note", id, (note) => note?.text === "Beans");
  await tablet.update("Note", id, { text: "Beans and milk" });
  await phone.whenIs("Note", id, (note) => note.text === "Beans and milk");
  const own = await other.create("Note", { text: "Cups" });
  const query = "{ listNotes { items { id text owner } } }";
  await until("both notes to be on the server", async () =>
    (await askAs(bob, query)).data.listNotes.items.length === 1,
  );

  const [seen] = (await askAs(ada, query)).data.listNotes.items;
  assert.deepEqual([seen.id, seen.owner], [id, "sub-ada::ada"]);
  const update = 'mutation ($id: ID!) { updateNote(input: { id: $id, text: "x" }) { id } }';
  const { errors } = await askAs(bob, update, { id });
  assert.equal(errors[0].errorType, "Unauthorized");

  // Nobody is told of the other's notes, nor given them when DataStore begins anew.
  const anew = await stage.open({ token: bob });
  assert.deepEqual((await anew.list("Note")).map((note) => note.id), [own.id]);
  assert.deepEqual((await other.list("Note")).map((note) => note.id), [own.id]);
  for (const till of [phone, tablet, other, anew]) {
    assert.deepEqual(await till.errors(), []);
  }
});

test("a group writes what everybody who is signed in reads, and a refusal is told", async () => {
  await serve();
  const barista = await stage.open({ token: tokenOf("ada", "Baristas") });
  const guest = await stage.open({ token: tokenOf("bob") });
  await Promise.all([barista, guest].map((till) => till.whenSubscribed(2)));
  const { id } = await barista.create("Recipe", { name: "Cortado" });
  await guest.whenIs("Recipe", id, (recipe) => recipe?.name === "Cortado");

  await guest.update("Recipe", id, { name: "Water" });
  const [error] = await until("the refusal to be told", async () => {
    const errors = await guest.errors();
    return errors.length > 0 && errors;
  });
  assert.deepEqual([error.errorType, error.message], ["Unauthorized", "Unauthorized"]);
  const { message } = (await until("the refusal itself", () => guest.refused())).errors[0];
  assert.equal(message, "Not Authorized to access updateRecipe on type Mutation");
  assert.equal((await barista.get("Recipe", id)).name, "Cortado");
});

test("a note that is sent with a token that has expired is kept, and sent with the next", async () => {
  await serve();
  const ada = tokenOf("ada");
  const till = await stage.open({ token: ada });
  await till.configure({ token: tokenUntil(-120, "ada") });
  const { id } = await till.create("Note", { text: "Beans" });
  const refused = await until("the note to be refused", () => till.refused());
  assert.equal(refused.errors[0].message, "Network Error");
  assert.equal(refused.errors[0].errorInfo, "Token has expired.");
  const notes = async () =>
    (await askAs(ada, "{ listNotes { items { id text owner } } }")).data.listNotes.items;
  assert.deepEqual(await notes(), []);

  await till.configure({ token: tokenOf("ada") });
  const [note] = await until("the note to be on the server", async () => {
    const stored = await notes();
    return stored.length > 0 && stored;
  }, 40_000);
  assert.deepEqual(note, { id, text: "Beans", owner: "sub-ada::ada" });
  assert.deepEqual(await till.errors(), []);
});
