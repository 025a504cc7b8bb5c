//! The DataStore with its driver, on a line that can be cut, a clock that is moved by hand and a
//! disk that can fail.

#[cfg(test)]
mod bench;
mod import;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod observe;
#[cfg(test)]
mod writes;

use std::rc::Rc;

use bench::{Bench, NAME, PRICE, Product, product, schema};
use espressync_client::{
    ChangeKind, ClientError, ClientErrorKind, Config, DataStore, IfPending, Network, Snapshot,
    Writes,
};
use espressync_model::remote::{Operation, Request};
use espressync_model::{Entity, FieldId, ModelId, Query, Value};
use espressync_store::StoreErrorKind;
use futures::FutureExt;

#[test]
fn a_save_is_answered_locally_and_survives_a_restart() {
    let mut bench = Bench::new();
    let store = bench.open();
    let flat_white = product("p1", "Flat white", 4.2);
    assert_eq!(bench.save(&store, &flat_white), Ok(flat_white.clone()));
    assert_eq!(store.get::<Product>("p1"), Ok(Some(flat_white.clone())));
    assert_eq!(store.status().pending, 1);
    drop(store);
    let store = bench.open();
    assert_eq!(store.get("p1"), Ok(Some(flat_white)));
    assert_eq!(store.status().pending, 1);
}

#[test]
fn saves_of_one_moment_share_a_transaction() {
    let mut bench = Bench::new();
    let store = bench.open();
    let before = bench.disk.appends();
    let saves = (0..100).map(|number| {
        let (store, one) = (store.clone(), product(&format!("p{number}"), "x", 1.0));
        async move { store.save(&one).await.is_ok() }
    });
    let saved = bench.now(futures::future::join_all(saves));
    assert!(saved.iter().all(|saved| *saved));
    // One for the layout that every log begins with, one for all the saves.
    assert_eq!(bench.disk.appends() - before, 2);
}

#[test]
fn queries_by_predicate_sort_and_page() {
    let mut bench = Bench::new();
    let store = bench.open();
    for (id, name, price) in [("a", "Tea", 2.0), ("b", "Latte", 4.5), ("c", "Mocha", 5.0)] {
        bench.save(&store, &product(id, name, price)).unwrap();
    }
    let names = |query: &Query| -> Vec<String> {
        store.query::<Product>(query).unwrap().into_iter().map(|product| product.name).collect()
    };
    assert_eq!(names(&Query::all()), ["Tea", "Latte", "Mocha"]);
    assert_eq!(names(&Query::filter(PRICE.gt(4.0)).ascending(NAME)), ["Latte", "Mocha"]);
    assert_eq!(names(&Query::all().descending(PRICE).page(1, 2)), ["Tea"]);
    let error = store.query::<Product>(&Query::all().page(0, 0)).unwrap_err();
    assert_eq!(error.to_string(), "a page needs a limit of at least 1, 0 given");
}

#[test]
fn a_query_for_what_the_schema_has_not_is_refused() {
    let mut bench = Bench::new();
    let store = bench.open();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    let check = |model: ModelId, query: Query, expected: &str| {
        let error = store.records(model, &query).unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Usage);
        assert_eq!(error.to_string(), expected);
    };
    let expected = "there is no model `number 7` in the schema; it has Product";
    check(ModelId(7), Query::all(), expected);
    let expected = "`Product` has no field `number 9`; it has id, name, price";
    check(Product::MODEL, Query::filter(PRICE.gt(1.0).and(!FieldId(9).eq(1.0))), expected);
    check(Product::MODEL, Query::all().ascending(FieldId(9)), expected);
    let expected = "Product.price should be compared by gt with Float, found \"1\"";
    check(Product::MODEL, Query::filter(PRICE.gt("1")), expected);
}

#[test]
fn what_was_sold_offline_arrives_once_when_the_line_is_mended() {
    let mut bench = Bench::new();
    bench.line.cut(true);
    let store = bench.open();
    store.start();
    for number in 0..60 {
        bench.save(&store, &product(&format!("p{number}"), "x", 1.0)).unwrap();
    }
    assert_eq!((store.status().network, store.status().pending), (Network::Offline, 60));
    bench.line.cut(false);
    store.set_online(true);
    bench.settle();
    assert_eq!((store.status().network, store.status().pending), (Network::Online, 0));
    let asked = bench.line.take_asked();
    let sent: usize = asked
        .iter()
        .map(|request| if let Request::Mutate(sent) = request { sent.len() } else { 0 })
        .sum();
    assert_eq!(sent, 60);
    let requests = asked.iter().filter(|request| matches!(request, Request::Mutate(_))).count();
    assert!(requests < 10, "60 mutations took {requests} requests");
}

#[test]
fn changes_elsewhere_arrive_and_merge_with_edits_here() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "Flat white", 4.0)).unwrap();
    bench.line.cut(true);
    let (before, after) = (product("p1", "Flat white", 4.0), product("p1", "Flat white", 4.5));
    bench.write(&store, Writes::new().update("p1", &before, &after)).unwrap();
    bench.elsewhere(Operation::Update, 1, &[(NAME, "Flat White".into())]);
    assert_eq!(store.get("p1"), Ok(Some(after)));
    bench.line.cut(false);
    store.set_online(true);
    bench.settle();
    assert_eq!(store.get("p1"), Ok(Some(product("p1", "Flat White", 4.5))));
    assert_eq!(store.status().pending, 0);
}

#[test]
fn a_retry_comes_by_itself_when_no_one_says_that_the_line_is_mended() {
    let mut bench = Bench::new();
    bench.line.cut(true);
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "x", 1.0)).unwrap();
    bench.line.cut(false);
    for _ in 0..70 {
        bench.clock.advance(1_000);
        bench.settle();
    }
    assert_eq!((store.status().network, store.status().pending), (Network::Online, 0));
}

#[test]
fn observers_hear_each_visible_change_once() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    let mut changes = Box::pin(store.observe(Some(Product::MODEL)));
    let mut live = Box::pin(store.observe_query::<Product>(Query::all()).unwrap());
    bench.settle();
    let snapshots = bench.drain(&mut live);
    assert_eq!(snapshots.last(), Some(&Ok(Snapshot { items: Rc::default(), is_synced: true })));
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    bench.elsewhere(Operation::Update, 1, &[(PRICE, 2.5.into())]);
    bench.settle();
    bench.elsewhere(Operation::Delete, 2, &[]);
    let kinds: Vec<ChangeKind> =
        bench.drain(&mut changes).into_iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Insert, ChangeKind::Update, ChangeKind::Delete]);
    let last = bench.drain(&mut live).pop();
    assert_eq!(last, Some(Ok(Snapshot { items: Rc::default(), is_synced: true })));
}

#[test]
fn two_tabs_on_one_disk_see_each_others_writes_before_they_write() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    bench.save(&one, &product("p1", "Tea", 2.0)).unwrap();
    let patch = [(PRICE, Value::from(2.5))];
    bench.write(&two, Writes::new().set::<Product>("p1", patch)).unwrap();
    assert_eq!(two.get("p1"), Ok(Some(product("p1", "Tea", 2.5))));
    bench.save(&one, &product("p2", "Latte", 4.0)).unwrap();
    assert_eq!(one.get("p1"), Ok(Some(product("p1", "Tea", 2.5))));
}

#[test]
fn what_another_tab_wrote_and_the_disk_spoiled_stops_no_write_here() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    two.start();
    bench.save(&two, &product("p1", "Tea", 2.0)).unwrap();
    assert_eq!(two.status().pending, 0);
    bench.disk.corrupt_last();
    bench.save(&one, &product("p2", "Latte", 4.0)).unwrap();
    bench.save(&one, &product("p3", "Mocha", 5.0)).unwrap();
    one.start();
    bench.settle();
    assert_eq!(one.status().pending, 0);
    // The server's records are read again, all of them.
    assert_eq!(one.get("p1"), Ok(Some(product("p1", "Tea", 2.0))));
}

#[test]
fn a_disk_that_fails_loses_and_half_writes_nothing() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    bench.disk.fail(Some(StoreErrorKind::Quota));
    let sale = Writes::new().save(&product("p2", "Latte", 4.0)).save(&product("p3", "Mocha", 5.0));
    let error = bench.write(&store, sale).unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Store(StoreErrorKind::Quota));
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
    // What the server says meanwhile cannot be stored either; it is asked for again.
    bench.elsewhere(Operation::Update, 1, &[(PRICE, 2.5.into())]);
    bench.settle();
    assert_eq!(store.get("p1"), Ok(Some(product("p1", "Tea", 2.0))));
    bench.disk.fail(None);
    for _ in 0..70 {
        bench.clock.advance(1_000);
        bench.settle();
    }
    assert_eq!(store.get("p1"), Ok(Some(product("p1", "Tea", 2.5))));
    assert_eq!(store.status().pending, 0);
}

#[test]
fn a_save_is_stored_when_a_large_answer_of_the_same_moment_has_no_room() {
    let mut bench = Bench::new();
    let store = bench.open();
    bench.save(&store, &product("p0", "Tea", 2.0)).unwrap();
    let long = "x".repeat(10_000);
    bench.elsewhere(Operation::Create, 0, &[(NAME, long.as_str().into())]);
    bench.disk.limit(Some(1_000));
    // The server's answer is there at once, so that both share a transaction.
    store.start();
    let (handle, sale) = (store.clone(), product("p2", "Latte", 4.0));
    let mut saving = Box::pin(async move { handle.save(&sale).await });
    assert_eq!((&mut saving).now_or_never(), None);
    assert!(bench.now(saving).is_ok());
    assert_eq!(store.get("p2"), Ok(Some(product("p2", "Latte", 4.0))));
    assert_eq!(store.get::<Product>("p1"), Ok(None));
    bench.disk.limit(None);
    for _ in 0..70 {
        bench.clock.advance(1_000);
        bench.settle();
    }
    assert_eq!(store.get::<Product>("p1").unwrap().unwrap().name, long);
    assert_eq!(store.status().pending, 0);
}

#[test]
fn what_is_wrong_with_one_write_stops_all_of_its_batch() {
    let mut bench = Bench::new();
    let store = bench.open();
    let bad = Product { id: "p2".into(), name: "Latte".into(), price: Some(f64::NAN) };
    let writes = Writes::new().save(&product("p1", "Tea", 2.0)).save(&bad);
    let error = bench.write(&store, writes).unwrap_err();
    assert_eq!(error.to_string(), "Product.price should be Float, found NaN");
    let error = bench.write(&store, Writes::new().delete::<Product>("p9")).unwrap_err();
    assert_eq!(error.to_string(), "there is no Product with key p9");
    let change_key = Writes::new().set::<Product>("p1", [(FieldId(0), "p7".into())]);
    let error = bench.write(&store, change_key).unwrap_err();
    assert_eq!(error.to_string(), "Product.id cannot be changed: it is part of the key");
    assert!(store.query::<Product>(&Query::all()).unwrap().is_empty());
    assert_eq!(store.status().pending, 0);
}

#[test]
fn clearing_refuses_while_changes_wait() {
    let mut bench = Bench::new();
    bench.line.cut(true);
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    let handle = store.clone();
    let error = bench.now(async move { handle.clear(IfPending::Refuse).await }).unwrap_err();
    assert_eq!(error, ClientError::Unsent { count: 1 });
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
    bench.line.cut(false);
    store.set_online(true);
    bench.settle();
    let handle = store.clone();
    assert_eq!(bench.now(async move { handle.clear(IfPending::Refuse).await }), Ok(()));
    // Sync goes on, so the server's records are read again, all of them.
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
    drop(store);
    assert_eq!(bench.open().query::<Product>(&Query::all()).unwrap().len(), 1);
}

#[test]
fn clearing_refuses_while_another_tabs_changes_wait() {
    let mut bench = Bench::new();
    bench.line.cut(true);
    let (one, two) = (bench.open(), bench.open());
    bench.save(&two, &product("sale", "Tea", 2.0)).unwrap();
    let handle = one.clone();
    let error = bench.now(async move { handle.clear(IfPending::Refuse).await }).unwrap_err();
    assert_eq!(error, ClientError::Unsent { count: 1 });
    assert_eq!(one.get("sale"), Ok(Some(product("sale", "Tea", 2.0))));
    drop((one, two));
    let store = bench.open();
    assert_eq!(store.status().pending, 1);
    assert_eq!(bench.now(async move { store.clear(IfPending::Lose).await }), Ok(()));
    assert_eq!(bench.open().status().pending, 0);
}

#[test]
fn stopped_means_no_request_and_no_loss() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.settle();
    store.stop();
    bench.settle();
    assert_eq!(store.status().network, Network::Stopped);
    let _ = bench.line.take_asked();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    bench.clock.advance(1_000_000);
    bench.settle();
    assert!(bench.line.take_asked().is_empty());
    store.start();
    bench.settle();
    assert_eq!(store.status().pending, 0);
}

#[test]
fn after_a_pause_only_changes_are_asked_for() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    store.stop();
    bench.settle();
    let _ = bench.line.take_asked();
    store.start();
    bench.settle();
    let asked = bench.line.take_asked();
    let is_delta =
        |request: &Request| matches!(request, Request::Sync(it) if it.last_sync.is_some());
    assert!(asked.len() == 1 && asked.iter().all(is_delta), "{asked:?}");
}

#[test]
fn without_a_driver_a_write_says_that_the_store_is_closed() {
    let mut bench = Bench::new();
    let opening = DataStore::open(
        schema(),
        bench.disk.clone(),
        bench.line.clone(),
        bench.clock.clone(),
        Config::default(),
    );
    let (store, driver, _) = bench.pool.run_until(opening).unwrap();
    drop(driver);
    assert_eq!(bench.save(&store, &product("p1", "x", 1.0)), Err(ClientError::Closed));
}
