use std::collections::BTreeSet;
use std::sync::Arc;

use espressync_model::remote::{Mutation, Operation, RemoteErrorKind};
use espressync_model::{Key, Patch, Predicate, Row, Schema, Timestamp, Value, sdl};
use espressync_resolver::{Caller, ConflictStrategy, Rules};
use espressync_server::Hub;
use espressync_server::backend::Backend;
use espressync_server::sqlite::{OpenError, SqliteBackend};
use futures::future::join_all;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{POS, Server, Time, open};

fn rules() -> Arc<Rules> {
    let schema = sdl::parse(POS, "schema.graphql").expect("a good schema");
    Arc::new(Rules::of(schema, ConflictStrategy::AutoMerge))
}

fn operator() -> Arc<Caller> {
    Arc::new(Caller::Operator)
}

fn create(schema: &Schema, id: &str) -> Mutation {
    let model = schema.id_of("Product").expect("the model");
    let fields = schema.model(model).fields.iter();
    let values = fields.map(|field| match field.name.as_str() {
        "id" => Value::from(id),
        "name" => Value::from("Coffee"),
        "price" => Value::from(3.0),
        _ => Value::Null,
    });
    Mutation {
        model,
        key: Key::from(id),
        operation: Operation::Create,
        fields: Patch::whole(&Row::new(values.collect())),
        version: 0,
        condition: Predicate::All,
        once: None,
    }
}

/// A source of time that is later each time a commit asks.
fn ticking() -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let count = std::sync::atomic::AtomicI64::new(1);
    move || Timestamp(count.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
}

#[tokio::test]
async fn mutations_that_wait_together_are_committed_together() {
    let folder = TempDir::new().unwrap();
    let rules = rules();
    let backend = SqliteBackend::open(
        &folder.path().join("data.sqlite"),
        Arc::clone(&rules),
        ticking(),
        Hub::new(),
    )
    .unwrap();
    const WRITES: usize = 400;
    let writes = (0..WRITES)
        .map(|n| backend.write(operator(), vec![create(rules.schema(), &format!("p{n}"))]));
    let writes: Vec<_> = writes.collect();
    let answers = join_all(writes).await;
    let moments: BTreeSet<Timestamp> =
        answers.iter().map(|answer| answer[0].as_ref().unwrap().record.meta.changed_at).collect();
    assert!(moments.len() < WRITES / 4, "{} commits for {WRITES} writes", moments.len());
}

#[tokio::test]
async fn one_mutation_that_fails_leaves_the_others_of_its_commit_alone() {
    let server = Server::new();
    server.product("bad", "Latte", 4.0).await;
    Connection::open(server.file())
        .unwrap()
        .execute("UPDATE rows_Product SET body = 'no JSON' WHERE key = 'bad'", [])
        .unwrap();
    let query = "mutation m($a: CreateProductInput!, $b: UpdateProductInput!,
            $c: CreateProductInput!) {
        a: createProduct(input: $a) { id } b: updateProduct(input: $b) { id }
        c: createProduct(input: $c) { id } }";
    let product = |id: &str| json!({ "id": id, "name": "Mocha", "price": 4.0 });
    let variables =
        json!({ "a": product("a"), "b": { "id": "bad", "price": 1.0 }, "c": product("c") });
    let answer = server.ask(query, variables).await;
    assert_eq!(answer["data"], json!({ "a": { "id": "a" }, "b": null, "c": { "id": "c" } }));
    assert_eq!(answer["errors"][0]["message"], "Network Error");
    // A query shows the others too, and says what it cannot show.
    let answer = server.ask("{ syncProducts { items { id } } }", json!({})).await;
    assert_eq!(answer["data"]["syncProducts"]["items"], json!([{ "id": "a" }, { "id": "c" }]));
    assert_eq!(answer["errors"][0]["path"], json!(["syncProducts", "items", 1]));
}

/// What a full disk does to a transaction: SQLite gives it up in the middle, or at its end.
#[tokio::test]
async fn a_commit_that_fails_writes_nothing_and_tells_clients_to_come_again() {
    let in_the_middle = "CREATE TRIGGER full AFTER INSERT ON journal WHEN NEW.key = 'b'
        BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END";
    let at_the_end = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER full AFTER INSERT ON journal WHEN NEW.key = 'b'
        BEGIN INSERT INTO child VALUES (1); END";
    for trouble in [in_the_middle, at_the_end] {
        let server = Server::new();
        let file = Connection::open(server.file()).unwrap();
        file.execute_batch(trouble).unwrap();
        let query = "mutation m($a: CreateProductInput!, $b: CreateProductInput!) {
            a: createProduct(input: $a) { id } b: createProduct(input: $b) { id } }";
        let product = |id: &str| json!({ "id": id, "name": "Mocha", "price": 4.0 });
        let variables = json!({ "a": product("a"), "b": product("b") });
        let answer = server.ask(query, variables.clone()).await;
        assert_eq!(answer["data"], json!({ "a": null, "b": null }), "{trouble}");
        for error in answer["errors"].as_array().unwrap() {
            assert_eq!(error["message"], "Network Error");
        }
        let stored = server.data("{ syncProducts { items { id } } }", json!({})).await;
        assert_eq!(stored["syncProducts"]["items"], json!([]));
        file.execute_batch("DROP TRIGGER full").unwrap();
        server.data(query, variables).await;
    }
}

#[tokio::test]
async fn a_closed_queue_is_a_passing_reason() {
    let folder = TempDir::new().unwrap();
    let rules = rules();
    let backend = open(&folder.path().join("d"), &rules, &Time::at(1), Hub::new()).unwrap();
    backend.close().await;
    let answers = {
        let schema = rules.schema();
        backend.write(operator(), vec![create(schema, "a"), create(schema, "b")]).await
    };
    let kinds: Vec<_> = answers.into_iter().map(|answer| answer.unwrap_err().kind).collect();
    assert_eq!(kinds, [RemoteErrorKind::Unavailable; 2]);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_not_touched() {
    let folder = TempDir::new().unwrap();
    let rules = rules();
    let try_open = |name: &str| {
        let file = folder.path().join(name);
        let before = std::fs::read(&file).unwrap();
        let error = open(&file, &rules, &Time::at(1), Hub::new()).unwrap_err();
        assert_eq!(std::fs::read(&file).unwrap(), before, "{name} was changed");
        assert!(error.to_string().contains(&file.display().to_string()), "{error}");
        error
    };
    let written = open(&folder.path().join("newer"), &rules, &Time::at(1), Hub::new()).unwrap();
    written.close().await;
    drop(written);
    let newer = Connection::open(folder.path().join("newer")).unwrap();
    newer.pragma_update(None, "user_version", 9).unwrap();
    newer.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(newer);
    assert!(matches!(try_open("newer"), OpenError::Newer { found: 9, .. }));
    std::fs::write(folder.path().join("garbage"), "coffee ".repeat(2000)).unwrap();
    assert!(matches!(try_open("garbage"), OpenError::Corrupt { .. }));
    let other = Connection::open(folder.path().join("other")).unwrap();
    other.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
    drop(other);
    assert!(matches!(try_open("other"), OpenError::NotOurs { .. }));
}

#[tokio::test]
async fn a_file_has_one_server() {
    let server = Server::new();
    let error = open(&server.file(), &server.rules, &Time::at(1), Hub::new()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(server.product("p", "Latte", 4.0).await["_version"] == 1);
}

#[tokio::test]
async fn a_schema_may_gain_and_lose_models_and_fields() {
    let server = Server::of("type Cup @model { x: Int gone: String }");
    let create = "mutation m($i: CreateCupInput!) { createCup(input: $i) { id } }";
    server.data(create, json!({ "i": { "id": "a", "x": 1, "gone": "y" } })).await;
    let server = server
        .restart("type Cup @model { x: Int new: [String] } type Dish @model { y: Int! }")
        .await;
    let query = "{ getCup(id: \"a\") { x new _version } listDishes { items { y } } }";
    let data = server.data(query, json!({})).await;
    assert_eq!(data["getCup"], json!({ "x": 1, "new": null, "_version": 1 }));
    // A field that has become required is missing in what was stored before.
    let server = server.restart("type Cup @model { x: Int must: Int! }").await;
    let answer = server.ask("{ listCups { items { x must } } }", json!({})).await;
    assert_eq!(answer["data"]["listCups"]["items"], json!([]));
    let error = &answer["errors"][0];
    let message = "Cannot return null for non-nullable type: 'Int' within parent 'Cup'";
    assert_eq!(error["message"], message);
    assert_eq!(error["path"], json!(["listCups", "items", 0, "must"]));
    // And is filled by the next write.
    let update = "mutation m($i: UpdateCupInput!) { updateCup(input: $i) { must } }";
    let data = server.data(update, json!({ "i": { "id": "a", "must": 2, "_version": 1 } })).await;
    assert_eq!(data["updateCup"]["must"], 2);
}

#[tokio::test]
async fn a_schema_that_lacks_a_field_loses_nothing_of_it() {
    let old = "type Lid { color: String depth: Int }
        type Cup @model { a: Int b: String lid: Lid lids: [Lid!] }";
    let server = Server::of(old);
    let create = "mutation m($i: CreateCupInput!) { createCup(input: $i) { id } }";
    let lid = |color: &str, depth: u32| json!({ "color": color, "depth": depth });
    let lids = json!([lid("red", 2), lid("blue", 3)]);
    let cup = json!({ "id": "c", "a": 1, "b": "kept", "lid": lid("red", 1), "lids": lids });
    server.data(create, json!({ "i": cup })).await;
    let server = server
        .restart("type Lid { color: String } type Cup @model { a: Int lid: Lid lids: [Lid!] }")
        .await;
    let update = "mutation m($i: UpdateCupInput!) { updateCup(input: $i) { a b: _version } }";
    let lids = json!([{ "color": "white" }, { "color": "blue" }, { "color": "red" }]);
    let change =
        json!({ "id": "c", "a": 2, "lid": { "color": "green" }, "lids": lids, "_version": 1 });
    server.data(update, json!({ "i": change })).await;
    let delete = "mutation { deleteCup(input: { id: \"c\", _version: 2 }) { id } }";
    server.data(delete, json!({})).await;
    let back = "mutation { undeleteCup(input: { id: \"c\", _version: 3 }) { id } }";
    server.data(back, json!({})).await;

    let server = server.restart(old).await;
    let query = "{ getCup(id: \"c\") { a b lid { color depth } lids { color depth } } }";
    let lids = json!([{ "color": "white", "depth": null }, lid("blue", 3), lid("red", 2)]);
    let expected = json!({ "a": 2, "b": "kept", "lid": lid("green", 1), "lids": lids });
    assert_eq!(server.data(query, json!({})).await["getCup"], expected);
    // The versions between have it too, so a merge on one of them knows what has changed since.
    let update = "mutation m($i: UpdateCupInput!) { updateCup(input: $i) { a b _version } }";
    let newer = json!({ "i": { "id": "c", "b": "newer", "_version": 4 } });
    server.data(update, newer).await;
    let late = json!({ "i": { "id": "c", "a": 3, "b": "kept", "_version": 2 } });
    let merged = server.data(update, late).await;
    assert_eq!(merged["updateCup"], json!({ "a": 3, "b": "newer", "_version": 6 }));
}

#[tokio::test]
async fn a_database_keeps_its_name_and_another_has_another() {
    let (server, other) = (Server::new(), Server::new());
    let name = server.backend.identity().to_owned();
    assert_ne!(name, other.backend.identity());
    assert_eq!(server.restart(POS).await.backend.identity(), name);
}

#[tokio::test]
async fn models_that_a_database_cannot_tell_apart_are_refused() {
    let folder = TempDir::new().unwrap();
    let schema =
        sdl::parse("type Item @model { x: Int } type ITEM @model { x: Int }", "s").unwrap();
    let error = open(
        &folder.path().join("d"),
        &Arc::new(Rules::of(schema, ConflictStrategy::AutoMerge)),
        &Time::at(1),
        Hub::new(),
    );
    assert!(matches!(error.unwrap_err(), OpenError::SameTable { .. }));
}
