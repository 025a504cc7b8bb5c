use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use crate::support::{POS, Server, Time};

const SYNC: &str = "query q($limit: Int, $nextToken: String, $lastSync: AWSTimestamp,
        $filter: ModelProductFilterInput) {
    syncProducts(limit: $limit, nextToken: $nextToken, lastSync: $lastSync, filter: $filter) {
        items { id name price _version _lastChangedAt _deleted } nextToken startedAt } }";

/// What the pages of one sync query brought.
struct Synced {
    items: Vec<Json>,
    started_at: Json,
    pages: usize,
    is_base: bool,
}

async fn sync(server: &Server, last_sync: Json, limit: usize) -> Synced {
    let mut synced =
        Synced { items: Vec::new(), started_at: json!(null), pages: 0, is_base: false };
    let mut token = json!(null);
    loop {
        let variables = json!({ "limit": limit, "nextToken": token, "lastSync": last_sync });
        let answer = server.ask(SYNC, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        let page = &answer["data"]["syncProducts"];
        assert!(synced.pages == 0 || page["startedAt"] == synced.started_at, "it moves");
        synced.started_at = page["startedAt"].clone();
        synced.is_base |= answer["extensions"]["espressync"]["base"] == json!(["syncProducts"]);
        synced.items.extend(page["items"].as_array().expect("items").iter().cloned());
        synced.pages += 1;
        token = page["nextToken"].clone();
        if token.is_null() {
            return synced;
        }
    }
}

fn ids(synced: &Synced) -> Vec<String> {
    let id = |item: &Json| format!("{}:{}", item["id"].as_str().expect("an id"), item["_version"]);
    synced.items.iter().map(id).collect()
}

async fn delete(server: &Server, id: &str, version: u64) {
    let query = "mutation m($i: DeleteProductInput!) { deleteProduct(input: $i) { id } }";
    server.data(query, json!({ "i": { "id": id, "_version": version } })).await;
}

#[tokio::test]
async fn base_then_delta_with_tombstones_in_commit_order() {
    let server = Server::new();
    for id in ["c", "a", "b"] {
        server.product(id, "Coffee", 1.0).await;
    }
    server.time.set(1_000_010);
    let base = sync(&server, json!(0), 2).await;
    assert_eq!((ids(&base), base.pages), (vec!["a:1".into(), "b:1".into(), "c:1".into()], 2));
    assert_eq!(base.started_at, 1_000_010);
    assert!(!base.is_base, "nobody asked for changes");
    server.time.set(1_000_020);
    server.update(json!({ "id": "b", "price": 2.0, "_version": 1 })).await;
    server.update(json!({ "id": "b", "price": 3.0, "_version": 2 })).await;
    delete(&server, "a", 1).await;
    let delta = sync(&server, base.started_at.clone(), 2).await;
    assert_eq!(ids(&delta), ["b:2", "b:3", "a:2"]);
    assert_eq!(delta.items[2]["_deleted"], true);
    assert_eq!((delta.pages, delta.is_base), (2, false));
    let again = sync(&server, json!(1_000_021), 100).await;
    assert!(again.is_base, "a moment that has not come yet is none of this server's");
    // What was changed in the very moment is told again rather than missed.
    assert_eq!(ids(&sync(&server, json!(1_000_020), 100).await).len(), 3);
    let null = sync(&server, json!(null), 100).await;
    assert_eq!((ids(&null), null.is_base), (vec!["a:2".into(), "b:3".into(), "c:1".into()], false));
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_everything_and_told_so() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    let day = 24 * 60 * 60 * 1000;
    server.time.set(1_000_000 + 30 * day - 1);
    assert!(!sync(&server, json!(1_000_000), 10).await.is_base);
    server.time.set(1_000_000 + 30 * day);
    let base = sync(&server, json!(1_000_000), 10).await;
    assert_eq!((ids(&base), base.is_base), (vec!["a:1".into()], true));
}

#[tokio::test]
async fn a_new_file_tells_everything_to_a_client_of_an_older_one() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    let before_the_file = sync(&server, json!(999_999), 10).await;
    assert!(before_the_file.is_base);
    assert_eq!(ids(&before_the_file), ["a:1"]);
}

#[tokio::test]
async fn the_journal_outlives_a_restart() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    let base = sync(&server, json!(0), 10).await;
    server.time.set(1_000_020);
    server.product("b", "Coffee", 1.0).await;
    // The clock is set back while the server is down: it goes on from where it was.
    server.time.set(5);
    let server = server.restart(POS).await;
    server.product("c", "Coffee", 1.0).await;
    let delta = sync(&server, base.started_at, 10).await;
    assert_eq!(
        (ids(&delta)[1..].to_vec(), delta.is_base),
        (vec!["b:1".into(), "c:1".into()], false)
    );
    assert_eq!(delta.items[2]["_lastChangedAt"], 1_000_020);
}

#[tokio::test]
async fn filters_hold_for_base_and_delta() {
    let server = Server::new();
    server.product("a", "Coffee", 1.0).await;
    server.product("b", "Tea", 2.0).await;
    let filter = json!({ "and": [{ "name": { "beginsWith": "T" } }] });
    for last_sync in [json!(0), json!(1_000_000)] {
        let variables = json!({ "filter": filter, "lastSync": last_sync });
        let data = server.data(SYNC, variables).await;
        let items = data["syncProducts"]["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["id"]), (1, &json!("b")));
    }
}

/// A reader comes while a commit is under way and time has gone on: the commit, which it does not
/// see, must not be older than the moment it will ask from next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_under_way_is_not_missed() {
    let server = Arc::new(Server::new());
    server.product("a", "Coffee", 1.0).await;
    // Whoever holds the file's write lock keeps the writer waiting inside its commit.
    let holder = rusqlite::Connection::open(server.file()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let looks = server.time.looks();
    let write = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.product("b", "Coffee", 1.0).await })
    };
    while server.time.looks() == looks {
        tokio::task::yield_now().await;
    }
    server.time.set(2_000_000);
    let before = sync(&server, json!(0), 10).await;
    assert_eq!((ids(&before), &before.started_at), (vec!["a:1".into()], &json!(1_000_000)));
    holder.execute_batch("COMMIT").unwrap();
    write.await.unwrap();
    let delta = sync(&server, before.started_at, 10).await;
    assert_eq!(ids(&delta), ["a:1", "b:1"]);
}

/// The promise of delta sync: a client that polls with the last `startedAt` misses no commit,
/// however commits and polls interleave.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_polling_reader_misses_no_commit_of_eight_writers() {
    const WRITERS: usize = 8;
    const WRITES: usize = 150;
    // Time moves on at each look, so that a reader that looks during a commit is later than it.
    let server = Arc::new(Server::with(POS, Time::ticking()));
    let written = Arc::new(AtomicUsize::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let (server, written) = (Arc::clone(&server), Arc::clone(&written));
        tokio::spawn(async move {
            for number in 0..WRITES {
                let id = format!("w{writer}-{}", number % 40);
                if number < 40 {
                    server.product(&id, "Coffee", 0.0).await;
                } else {
                    // Nobody else writes this record, so its version is known.
                    let input = json!({ "id": id, "price": number, "_version": number / 40 });
                    server.update(input).await;
                }
                written.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut seen: BTreeMap<String, Json> = BTreeMap::new();
    let mut last_sync = json!(0);
    let mut deltas = 0;
    loop {
        let is_over = written.load(Ordering::SeqCst) == WRITERS * WRITES;
        let synced = sync(&server, last_sync.clone(), 1 + deltas % 50).await;
        assert!(!synced.is_base);
        for item in synced.items {
            seen.insert(item["id"].as_str().unwrap().to_owned(), item);
        }
        last_sync = synced.started_at;
        deltas += 1;
        if is_over {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let all = sync(&server, json!(null), 1000).await;
    assert_eq!(all.items.len(), WRITERS * 40);
    for item in all.items {
        assert_eq!(seen.get(item["id"].as_str().unwrap()), Some(&item), "after {deltas} polls");
    }
}
