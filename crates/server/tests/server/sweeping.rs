use espressync_resolver::Retention;
use espressync_server::backend::Backend;
use espressync_server::sweeper::{Round, sweep};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::support::{POS, Server};

const KEPT: u64 = 1_000;

/// Sweeps with the journal kept for a second, and tombstones for as long as this.
async fn swept(server: &Server, tombstones: u64) -> Round {
    let models: Vec<_> = server.rules.schema().models().map(|(model, _)| model).collect();
    let retention = Retention { journal: KEPT, tombstones };
    sweep(&*server.backend, &models, retention).await.expect("it sweeps")
}

/// `id:version` of each change in the journal, and of each record.
fn stored(server: &Server) -> [Vec<String>; 2] {
    let file = Connection::open(server.file()).expect("the file");
    ["journal WHERE model = 'Product' ORDER BY number", "rows_Product ORDER BY key"].map(|from| {
        let sql = format!("SELECT key || ':' || version FROM {from}");
        let mut statement = file.prepare(&sql).expect("SQL");
        let found = statement.query_map([], |row| row.get(0)).expect("rows");
        found.collect::<Result<_, _>>().expect("text")
    })
}

async fn delete(server: &Server, id: &str, version: u64) {
    let query = "mutation m($i: DeleteProductInput!) { deleteProduct(input: $i) { id } }";
    server.data(query, json!({ "i": { "id": id, "_version": version } })).await;
}

async fn sync(server: &Server, last_sync: i64, limit: usize, token: Json) -> Json {
    let query = "query q($limit: Int, $nextToken: String, $lastSync: AWSTimestamp) {
        syncProducts(limit: $limit, nextToken: $nextToken, lastSync: $lastSync) {
            items { id _version _deleted } nextToken startedAt } }";
    let variables = json!({ "limit": limit, "nextToken": token, "lastSync": last_sync });
    let mut answer = server.ask(query, variables).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    let mut page = answer["data"]["syncProducts"].take();
    page["isBase"] = json!(answer["extensions"]["espressync"]["base"] == json!(["syncProducts"]));
    page
}

fn ids(page: &Json) -> Vec<String> {
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| format!("{}:{}", item["id"].as_str().expect("id"), item["_version"])).collect()
}

#[tokio::test]
async fn old_changes_go_and_records_stay() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    server.time.set(1_000_500);
    server.product("b", "Tea", 1.0).await;
    assert_eq!(swept(&server, KEPT).await, Round::default());
    server.time.set(1_001_400);
    assert_eq!(swept(&server, KEPT).await, Round { changes: 1, tombstones: 0 });
    assert_eq!(stored(&server), [vec!["b:1"], vec!["a:1", "b:1"]]);
    assert_eq!(server.backend.journal_start().0, 1_000_400);
    // A client of before is told everything, one of since then the changes.
    let page = sync(&server, 1_000_300, 10, json!(null)).await;
    assert_eq!((ids(&page), &page["isBase"]), (vec!["a:1".into(), "b:1".into()], &json!(true)));
    let page = sync(&server, 1_000_400, 10, json!(null)).await;
    assert_eq!((ids(&page), &page["isBase"]), (vec!["b:1".into()], &json!(false)));
    // It stays so over a restart, also when nothing at all is left of the journal.
    server.time.set(2_000_000);
    assert_eq!(swept(&server, KEPT).await.changes, 1);
    server.time.set(1);
    let server = server.restart(POS).await;
    assert!(!server.backend.is_new());
    assert_eq!(server.backend.journal_start().0, 1_999_000);
    server.product("c", "Tea", 1.0).await;
    assert!(sync(&server, 1_999_000, 10, json!(null)).await["items"][0]["id"] == "c");
}

/// Two edits of one version that was stored long ago: the second finds the base of its merge.
#[tokio::test]
async fn the_base_of_a_merge_outlives_its_own_time() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    server.time.set(2_000_000);
    assert_eq!(swept(&server, KEPT).await.changes, 1);
    server.update(json!({ "id": "a", "price": 2.0, "_version": 1 })).await;
    assert_eq!(swept(&server, KEPT).await.changes, 0, "version 1 is the base of version 2");
    let merged = server.update(json!({ "id": "a", "name": "Latte", "_version": 1 })).await;
    let merged = &merged["data"]["updateProduct"];
    assert_eq!((&merged["name"], &merged["price"]), (&json!("Latte"), &json!(2.0)));
    // What is kept for it is no change of now.
    let page = sync(&server, 1_999_500, 10, json!(null)).await;
    assert_eq!((ids(&page), &page["isBase"]), (vec!["a:2".into(), "a:3".into()], &json!(false)));
    // Its time ends with that of the change it was the base of; then the documented rules hold.
    server.time.set(3_000_000);
    assert_eq!(swept(&server, KEPT).await.changes, 3);
    server.update(json!({ "id": "a", "name": "Mocha", "_version": 3 })).await;
    let merged = server.update(json!({ "id": "a", "price": 9.0, "_version": 1 })).await;
    assert_eq!(merged["data"]["updateProduct"]["price"], 2.0);
}

#[tokio::test]
async fn tombstones_go_when_nobody_can_need_them() {
    for (kept, last) in [(0, 1_001_000), (KEPT, 1_001_000), (5_000, 1_005_000)] {
        let server = Server::new();
        server.product("a", "Coffee", 1.0).await;
        server.product("b", "Coffee", 1.0).await;
        delete(&server, "a", 1).await;
        server.time.set(last);
        assert_eq!(swept(&server, kept).await.tombstones, 0, "{kept}");
        server.time.set(last + 1);
        assert_eq!(swept(&server, kept).await.tombstones, 1, "{kept}");
        assert_eq!(stored(&server), [vec![], vec!["b:1".to_owned()]]);
        assert_eq!(swept(&server, kept).await, Round::default());
        // A client that knew it goes by what is not there.
        let page = sync(&server, 1_000_000, 10, json!(null)).await;
        assert_eq!((ids(&page), &page["isBase"]), (vec!["b:1".into()], &json!(true)));
        // Made anew, it is newer than what a client may still have.
        assert_eq!(server.product("a", "Coffee", 1.0).await["_version"], 3);
    }
}

#[tokio::test]
async fn what_was_undeleted_is_no_tombstone() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    delete(&server, "a", 1).await;
    server.data("mutation { undeleteProduct(input: { id: \"a\" }) { id } }", json!({})).await;
    server.time.set(9_000_000);
    assert_eq!(swept(&server, 0).await, Round { changes: 3, tombstones: 0 });
    assert_eq!(stored(&server)[1], ["a:3"]);
}

/// A sync under way when its changes are swept goes on with all records.
#[tokio::test]
async fn a_token_of_what_has_been_swept_goes_on_with_everything() {
    let server = Server::new();
    for id in ["a", "b", "c"] {
        server.product(id, "Coffee", 1.0).await;
        server.time.set(1_000_100);
    }
    let first = sync(&server, 1_000_000, 1, json!(null)).await;
    assert_eq!((ids(&first), &first["isBase"]), (vec!["a:1".into()], &json!(false)));
    server.time.set(1_002_000);
    assert_eq!(swept(&server, KEPT).await.changes, 3);
    let mut told = Vec::new();
    let mut token = first["nextToken"].clone();
    while !token.is_null() {
        let page = sync(&server, 1_000_000, 2, token).await;
        assert_eq!(page["startedAt"], first["startedAt"]);
        told.extend(ids(&page));
        token = page["nextToken"].clone();
    }
    assert_eq!(told, ["a:1", "b:1", "c:1"]);
}

/// More than one batch, with bases in between that stay.
#[tokio::test]
async fn a_round_goes_through_many_batches() {
    let server = Server::new();
    let file = Connection::open(server.file()).unwrap();
    let fill = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1700)
        INSERT INTO journal (model, key, version, changed_at, deleted, body)
        SELECT 'Product', 'p' || n, 1, 1000000 + n, 0, '{\"id\":\"p' || n || '\"}' FROM n";
    file.execute_batch(fill).unwrap();
    let replaced = "INSERT INTO journal (model, key, version, changed_at, deleted, body, prior)
        SELECT model, key, 2, 9000000, 0, body, number FROM journal WHERE number % 3 = 0";
    assert_eq!(file.execute(replaced, []).unwrap(), 566);
    let records = "INSERT INTO rows_Product (key, version, changed_at, deleted, body, entry)
        SELECT key, max(version), max(changed_at), 0, body, max(number) FROM journal GROUP BY key";
    assert_eq!(file.execute(records, []).unwrap(), 1700);
    let tombs = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100)
        INSERT INTO rows_Product (key, version, changed_at, deleted, body)
        SELECT 't' || n, 2, 1000000, 1, '{\"id\":\"t' || n || '\"}' FROM n";
    file.execute_batch(tombs).unwrap();
    server.time.set(9_000_500);
    assert_eq!(swept(&server, 0).await, Round { changes: 1700 - 566, tombstones: 1100 });
}
