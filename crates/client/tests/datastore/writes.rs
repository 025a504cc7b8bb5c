//! Writes through the DataStore: transactions, deletes, additions, and stores without a server.

use std::cell::Cell;
use std::rc::Rc;

use espressync_client::{
    ClientError, ClientErrorKind, DataStore, IfPending, Network, SyncError, Writes,
};
use espressync_model::remote::Operation;
use espressync_model::{Entity, Predicate, Query};

use crate::bench::{Bench, NAME, PRICE, Product, product, schema};

/// Doubles a price, and counts how often it was called.
fn double(bench: &mut Bench, store: &DataStore, most: f64) -> (Result<f64, ClientError>, usize) {
    let (store, calls) = (store.clone(), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&calls);
    let done = bench.now(async move {
        let work = store.transaction(move |transaction| {
            counted.set(counted.get() + 1);
            let Some(mut tea) = transaction.get::<Product>("p1")? else {
                return Err(ClientError::Closed);
            };
            let price = tea.price.unwrap_or_default() * 2.0;
            tea.price = Some(price);
            transaction.save(&tea)?;
            if price > most {
                return Err(ClientError::Unsent { count: 7 });
            }
            let stored = transaction.query::<Product>(&Query::filter(PRICE.eq(price)))?;
            assert_eq!(stored.len(), 1, "it reads what it wrote");
            Ok(price)
        });
        work.await
    });
    (done, calls.get())
}

#[test]
fn a_transaction_decides_by_what_is_stored_when_its_turn_comes() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    bench.save(&one, &product("p1", "Tea", 2.0)).unwrap();
    // A tab that has not seen the other's write is told when it appends, and does its work anew.
    assert_eq!(double(&mut bench, &two, 100.0), (Ok(4.0), 1));
    assert_eq!(double(&mut bench, &one, 100.0), (Ok(8.0), 2));
    let (refused, _) = double(&mut bench, &one, 10.0);
    assert_eq!(refused, Err(ClientError::Unsent { count: 7 }), "its own error comes back");
    assert_eq!(one.get("p1"), Ok(Some(product("p1", "Tea", 8.0))));
}

#[test]
fn what_is_refused_or_changes_nothing_is_held_against_what_other_tabs_wrote() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    bench.save(&one, &product("p1", "Tea", 2.0)).unwrap();
    bench.save(&two, &product("p2", "Latte", 4.0)).unwrap();
    bench.save(&one, &product("p1", "Tea", 3.0)).unwrap();
    // For the second tab it still has the price that it is about to get.
    bench.save(&two, &product("p1", "Tea", 2.0)).unwrap();
    assert_eq!(two.get("p1"), Ok(Some(product("p1", "Tea", 2.0))));
    bench.save(&one, &product("p3", "Mocha", 5.0)).unwrap();
    bench.write(&two, Writes::new().delete::<Product>("p3")).unwrap();
    assert_eq!(two.get::<Product>("p3"), Ok(None));
    let appends = bench.disk.appends();
    bench.save(&two, &product("p1", "Tea", 2.0)).unwrap();
    assert_eq!(bench.disk.appends(), appends, "what changes nothing is not stored");
}

#[test]
fn what_a_write_is_refused_for_has_a_kind() {
    let mut bench = Bench::new();
    let store = bench.open();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    let mut check = |writes: Writes, expected: ClientErrorKind| {
        assert_eq!(bench.write(&store, writes).unwrap_err().kind(), expected);
    };
    let condition = Writes::new().delete_if::<Product>("p1", PRICE.gt(3.0));
    check(condition, ClientErrorKind::Conflict);
    check(Writes::new().add::<Product>("p1", NAME, 1), ClientErrorKind::Usage);
    let unknown = Writes::new().delete_where::<Product>(PRICE.gt("x"));
    check(unknown, ClientErrorKind::Usage);
}

#[test]
fn deletes_by_entity_and_by_predicate() {
    let mut bench = Bench::new();
    let store = bench.open();
    let all: Vec<Product> =
        (0..5).map(|number| product(&format!("p{number}"), "x", f64::from(number))).collect();
    let (handle, entities) = (store.clone(), all.clone());
    let left = bench.now(async move {
        handle.save_all(&entities).await?;
        handle.delete_entity(&entities[0]).await?;
        let gone = handle.delete_where::<Product>(PRICE.gt(2.0)).await?;
        assert_eq!(gone.len(), 2);
        assert_eq!(handle.query::<Product>(&Query::all())?.len(), 2);
        handle.delete_where::<Product>(Predicate::All).await?;
        handle.query::<Product>(&Query::all())
    });
    assert_eq!(left, Ok(vec![]));
    assert_eq!(store.status().pending, 0, "the server never knew them");
}

#[test]
fn two_tills_that_add_offline_both_count() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "Tea", 10.0)).unwrap();
    bench.line.cut(true);
    bench.write(&store, Writes::new().add::<Product>("p1", PRICE, -1.0)).unwrap();
    // The other till took one as well, from the same version.
    bench.elsewhere(Operation::Update, 1, &[(PRICE, 9.0.into())]);
    bench.line.cut(false);
    store.set_online(true);
    bench.settle();
    assert_eq!(store.get("p1"), Ok(Some(product("p1", "Tea", 8.0))));
    assert_eq!(store.status().pending, 0);
}

#[test]
fn what_was_deleted_comes_back_everywhere() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    bench.write(&store, Writes::new().delete::<Product>("p1")).unwrap();
    bench.settle();
    let handle = store.clone();
    let saved = bench.save(&store, &product("p1", "Tea", 2.0)).unwrap_err();
    assert!(matches!(saved, ClientError::Write(SyncError::Deleted { .. })));
    let back = bench.now(async move { handle.undelete::<Product>("p1").await });
    assert_eq!(back, Ok(product("p1", "Tea", 2.0)));
    bench.settle();
    assert_eq!(store.status().pending, 0);
    let other = bench.open();
    let handle = other.clone();
    assert_eq!(bench.now(async move { handle.clear(IfPending::Refuse).await }), Ok(()));
    other.start();
    bench.settle();
    assert_eq!(other.get("p1"), Ok(Some(product("p1", "Tea", 2.0))));
}

#[test]
fn a_store_without_a_server_owes_nothing_until_it_gets_one() {
    let mut bench = Bench::new();
    let store = bench.open_with(schema().local());
    store.start();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    bench.write(&store, Writes::new().add::<Product>("p1", PRICE, 1.0)).unwrap();
    assert_eq!((store.status().network, store.status().pending), (Network::Stopped, 0));
    assert!(bench.line.take_asked().is_empty());
    drop(store);
    let store = bench.open();
    let handle = store.clone();
    assert_eq!(bench.now(async move { handle.adopt_local().await }), Ok(1));
    store.start();
    bench.settle();
    assert_eq!((store.status().network, store.status().pending), (Network::Online, 0));
    let live = bench.line.take_asked();
    assert!(!live.is_empty());
    let other = Product::MODEL;
    assert_eq!(store.records(other, &Query::all()).unwrap()[0].meta.version, 1);
}
