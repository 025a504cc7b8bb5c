//! The log in a real browser's IndexedDB.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use espressync_browser::{IndexedDb, database_name};
use espressync_store::{
    Appended, Durability, LogPosition, LogRecord, Storage, StoreError, StoreErrorKind,
};
use futures::future::join;
use support::database::{self, fresh_name};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const START: LogPosition = LogPosition(0);

fn record(position: u64, bytes: &[u8]) -> LogRecord {
    LogRecord { position: LogPosition(position), bytes: bytes.to_vec() }
}

async fn append(log: &IndexedDb, last: u64, bytes: &[u8]) -> Result<Appended, StoreError> {
    log.append(LogPosition(last), bytes, Durability::Relaxed).await
}

async fn two_handles() -> (IndexedDb, IndexedDb) {
    let name = fresh_name();
    (IndexedDb::open(&name).await.unwrap(), IndexedDb::open(&name).await.unwrap())
}

#[wasm_bindgen_test]
async fn it_is_a_storage_like_every_other() {
    espressync_testkit::storage::conformance(two_handles).await;
}

#[wasm_bindgen_test]
async fn what_was_appended_is_there_after_opening_again() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    assert_eq!(log.load_after(START).await.unwrap(), []);
    for (durability, bytes, position) in
        [(Durability::Strict, b"one".as_slice(), 1), (Durability::Relaxed, b"", 2)]
    {
        let appended = log.append(LogPosition(position - 1), bytes, durability).await.unwrap();
        assert_eq!(appended, Appended::At(LogPosition(position)));
    }
    let large = vec![0xa5; 1 << 20];
    append(&log, 2, &large).await.unwrap();
    drop(log);
    let log = IndexedDb::open(&name).await.unwrap();
    let all = [record(1, b"one"), record(2, b""), record(3, &large)];
    assert_eq!(log.load_after(START).await.unwrap(), all);
    assert_eq!(log.load_after(LogPosition(2)).await.unwrap(), [record(3, &large)]);
    IndexedDb::delete(&name).await.unwrap();
}

#[wasm_bindgen_test]
async fn of_two_that_race_one_is_first() {
    let (a, b) = two_handles().await;
    let mut last = 0;
    for _ in 0..20 {
        let (first, second) = join(append(&a, last, b"a"), append(&b, last, b"b")).await;
        last += 1;
        let (winner, loser) = match (first.unwrap(), second.unwrap()) {
            (Appended::At(position), Appended::Behind(missed)) => (position, (missed, b"a")),
            (Appended::Behind(missed), Appended::At(position)) => (position, (missed, b"b")),
            both => panic!("not one of the two was first: {both:?}"),
        };
        assert_eq!(winner, LogPosition(last));
        assert_eq!(loser, (vec![record(last, loser.1)], loser.1));
    }
    assert_eq!(a.load_after(START).await.unwrap().len(), 20);
}

/// Keys are skipped where a record was removed; nobody has missed anything then.
#[wasm_bindgen_test]
async fn a_gap_is_no_miss() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    append(&log, 0, b"one").await.unwrap();
    database::put(&name, 7, &JsValue::from("taken away again")).await;
    database::remove(&name, 7).await;
    assert_eq!(append(&log, 1, b"two").await.unwrap(), Appended::At(LogPosition(8)));
}

#[wasm_bindgen_test]
async fn a_dropped_append_is_undone() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    {
        let mut dropped = Box::pin(append(&log, 0, b"one"));
        assert!(futures::poll!(&mut dropped).is_pending());
    }
    assert_eq!(log.load_after(START).await.unwrap(), []);
    assert_eq!(append(&log, 0, b"two").await.unwrap(), Appended::At(LogPosition(1)));
}

#[wasm_bindgen_test]
async fn a_newer_database_is_refused_and_left_as_it_is() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    append(&log, 0, b"one").await.unwrap();
    drop(log);
    database::upgrade(&name, 2, "later").await;
    let error = IndexedDb::open(&name).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Newer, "{error}");
    let version = env!("CARGO_PKG_VERSION");
    let expected =
        format!("`{name}` was written by a newer version of this app's software, {version};");
    assert!(error.message.contains(&expected), "{error}");
    assert_eq!(database::stores(&name).await, ["later", "log", "meta", "segments"]);
    assert_eq!(database::count(&name).await, 1);
}

#[wasm_bindgen_test]
async fn a_handle_gives_way_to_a_newer_version() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    append(&log, 0, b"one").await.unwrap();
    database::upgrade(&name, 2, "later").await;
    let error = append(&log, 1, b"two").await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Superseded, "{error}");
    assert_eq!(database::count(&name).await, 1);
}

#[wasm_bindgen_test]
async fn a_closed_database_says_so() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    log.close();
    for error in [
        append(&log, 0, b"one").await.unwrap_err(),
        log.load_after(START).await.unwrap_err(),
        log.replace(START, b"one").await.unwrap_err(),
    ] {
        assert_eq!(error.kind, StoreErrorKind::Closed, "{error}");
        assert_eq!(error.message, format!("the database `{name}` is closed"));
    }
}

#[wasm_bindgen_test]
async fn deleting_takes_the_database_from_open_handles() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    append(&log, 0, b"one").await.unwrap();
    IndexedDb::delete(&name).await.unwrap();
    let error = append(&log, 1, b"two").await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Superseded, "{error}");
    let log = IndexedDb::open(&name).await.unwrap();
    assert_eq!(log.load_after(START).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn foreign_values_come_as_empty_records() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    database::put(&name, 3, &JsValue::from("no bytes")).await;
    assert_eq!(log.load_after(START).await.unwrap(), [record(3, b"")]);
    database::put(&name, 1.5, &JsValue::from("no key of ours")).await;
    let error = log.load_after(START).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
}

#[wasm_bindgen_test]
async fn without_indexeddb_the_error_says_so() {
    let hidden = support::Replaced::new("indexedDB", &JsValue::UNDEFINED);
    let error = IndexedDb::open("nowhere").await.unwrap_err();
    drop(hidden);
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
}

#[wasm_bindgen_test]
async fn durability_is_asked_for() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    let asked = database::watch_durability();
    log.append(START, b"one", Durability::Strict).await.unwrap();
    log.append(LogPosition(1), b"two", Durability::Relaxed).await.unwrap();
    log.replace(LogPosition(2), b"three").await.unwrap();
    assert_eq!(asked.seen(), ["strict", "relaxed", "strict"]);
}

/// Opens and loads a log of 200 records of 2 KB, by hand and by `IndexedDb`, and prints the
/// medians.
#[wasm_bindgen_test]
async fn opening_takes_about_as_long_as_by_hand() {
    let name = fresh_name();
    let log = IndexedDb::open(&name).await.unwrap();
    for last in 0..200 {
        append(&log, last, &[0xa5; 2_000]).await.unwrap();
    }
    drop(log);
    let (mut by_hand, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let start = support::milliseconds();
        assert_eq!(database::values(&name).await, 200);
        by_hand.push(support::milliseconds() - start);
        let start = support::milliseconds();
        let log = IndexedDb::open(&name).await.unwrap();
        assert_eq!(log.load_after(START).await.unwrap().len(), 200);
        ours.push(support::milliseconds() - start);
    }
    let [by_hand, ours] = [by_hand, ours].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    wasm_bindgen_test::console_log!("open and load: {ours:.1} ms, by hand {by_hand:.1} ms");
}

#[wasm_bindgen_test]
fn a_database_is_named_by_namespace_and_api() {
    let name = database_name("till", "https://till.example/graphql");
    assert_eq!(name, "espressync/till/https://till.example/graphql");
    let name = database_name("till", "/graphql");
    assert!(name.starts_with("espressync/till/http://") && name.ends_with("/graphql"), "{name}");
}
