//! What observers hear, and when.

use std::rc::Rc;

use espressync_client::{Cause, Change, ChangeKind, DataStore, Snapshot, Writes};
use espressync_model::remote::Operation;
use espressync_model::{Entity, Key, ModelId, Predicate, Query, RelationId};
use futures::Stream;

use crate::bench::{Bench, NAME, PRICE, Product, product};

fn heard(
    bench: &mut Bench,
    changes: &mut (impl Stream<Item = Change> + Unpin),
) -> Vec<(ChangeKind, Cause)> {
    bench.drain(changes).into_iter().map(|change| (change.kind, change.cause)).collect()
}

#[test]
fn each_change_is_heard_once_with_its_cause() {
    let mut bench = Bench::new();
    let (store, tab) = (bench.open(), bench.open());
    let mut changes = Box::pin(store.observe(Some(Product::MODEL)));
    store.start();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    // Its echoes, by answer and by subscription, are silent.
    assert_eq!(heard(&mut bench, &mut changes), [(ChangeKind::Insert, Cause::Local)]);
    bench.elsewhere(Operation::Update, 1, &[(PRICE, 2.5.into())]);
    assert_eq!(heard(&mut bench, &mut changes), [(ChangeKind::Update, Cause::Remote)]);
    bench.line.cut(true);
    let (before, after) = (product("p1", "Tea", 2.5), product("p1", "Green tea", 2.5));
    bench.write(&store, Writes::new().update("p1", &before, &after)).unwrap();
    bench.elsewhere(Operation::Update, 2, &[(PRICE, 3.0.into())]);
    assert_eq!(heard(&mut bench, &mut changes), [(ChangeKind::Update, Cause::Local)]);
    bench.line.cut(false);
    store.set_online(true);
    assert_eq!(heard(&mut bench, &mut changes), [(ChangeKind::Update, Cause::Merge)]);
    assert_eq!(store.get("p1"), Ok(Some(product("p1", "Green tea", 3.0))));
    // Another tab's write is heard when this one reads it; it is of this device.
    bench.save(&tab, &product("p2", "Latte", 4.0)).unwrap();
    bench.write(&store, Writes::new().set::<Product>("p1", [(PRICE, 3.0.into())])).unwrap();
    bench.save(&store, &product("p3", "Mocha", 5.0)).unwrap();
    let local = (ChangeKind::Insert, Cause::Local);
    assert_eq!(heard(&mut bench, &mut changes), [local, local]);
    bench.elsewhere(Operation::Delete, 4, &[]);
    assert_eq!(heard(&mut bench, &mut changes), [(ChangeKind::Delete, Cause::Remote)]);
}

#[test]
fn one_hears_what_one_asked_for() {
    let mut bench = Bench::new();
    let store = bench.open();
    let p2 = Key::from("p2");
    let mut of_one = Box::pin(store.observe_record(Product::MODEL, p2.clone()));
    let dear = store.observe_where(Product::MODEL, PRICE.gt(3.0)).unwrap();
    let mut dear = Box::pin(dear);
    for (id, price) in [("p1", 2.0), ("p2", 4.0), ("p3", 5.0)] {
        bench.save(&store, &product(id, "x", price)).unwrap();
    }
    bench.save(&store, &product("p2", "x", 1.0)).unwrap();
    let delete = Writes::new().delete::<Product>("p2").delete::<Product>("p3");
    bench.write(&store, delete).unwrap();
    let keys = |changes: Vec<Change>| {
        let said = changes.into_iter().map(|change| (change.key.to_string(), change.kind));
        said.collect::<Vec<_>>()
    };
    let (insert, update, delete) = (ChangeKind::Insert, ChangeKind::Update, ChangeKind::Delete);
    let of = |key: &str, kind: ChangeKind| (key.to_owned(), kind);
    let expected = [of("p2", insert), of("p2", update), of("p2", delete)];
    assert_eq!(keys(bench.drain(&mut of_one)), expected);
    let expected = [of("p2", insert), of("p3", insert), of("p3", delete)];
    assert_eq!(keys(bench.drain(&mut dear)), expected);
    let check = |model: ModelId, predicate: Predicate, expected: &str| {
        let error = store.observe_where(model, predicate).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    };
    let unknown = "there is no model `number 7` in the schema; it has Product";
    check(ModelId(7), Predicate::All, unknown);
    let wrong = "Product.price should be compared by gt with Float, found \"x\"";
    check(Product::MODEL, PRICE.gt("x"), wrong);
}

fn names(snapshot: &Snapshot<Product>) -> Vec<&str> {
    snapshot.items.iter().map(|product| product.name.as_str()).collect()
}

fn live(store: &DataStore, query: Query) -> impl Stream<Item = Snapshot<Product>> + Unpin {
    use futures::StreamExt;
    let Ok(snapshots) = store.observe_query::<Product>(query) else { panic!("refused") };
    snapshots.map(|snapshot| match snapshot {
        Ok(snapshot) => snapshot,
        Err(error) => panic!("{error}"),
    })
}

#[test]
fn changes_of_a_frame_are_one_snapshot() {
    let mut bench = Bench::new();
    let store = bench.open();
    bench.clock.draw_every(16);
    let mut snapshots = live(&store, Query::all().ascending(NAME));
    assert_eq!(bench.drain(&mut snapshots).len(), 1, "the first comes at once");
    for (id, name) in [("p1", "Tea"), ("p2", "Latte"), ("p3", "Mocha")] {
        bench.save(&store, &product(id, name, 2.0)).unwrap();
        assert!(bench.drain(&mut snapshots).is_empty(), "it waits for the frame");
    }
    bench.clock.advance(16);
    let drawn = bench.drain(&mut snapshots);
    let drawn: Vec<Vec<&str>> = drawn.iter().map(names).collect();
    assert_eq!(drawn, [["Latte", "Mocha", "Tea"]]);
    bench.clock.advance(1_000);
    assert!(bench.drain(&mut snapshots).is_empty());
}

#[test]
fn items_that_stay_are_the_same_items() {
    let mut bench = Bench::new();
    let store = bench.open();
    for (id, name) in [("p1", "Tea"), ("p2", "Latte")] {
        bench.save(&store, &product(id, name, 2.0)).unwrap();
    }
    let mut snapshots = live(&store, Query::all());
    let first = bench.drain(&mut snapshots).remove(0);
    bench.save(&store, &product("p2", "Flat white", 2.0)).unwrap();
    let second = bench.drain(&mut snapshots).remove(0);
    assert_eq!((names(&first), names(&second)), (vec!["Tea", "Latte"], vec!["Tea", "Flat white"]));
    assert!(Rc::ptr_eq(&first.items[0], &second.items[0]));
}

#[test]
fn a_page_is_told_of_what_it_shows_and_no_more() {
    let mut bench = Bench::new();
    let store = bench.open();
    for number in 0..9 {
        let name = format!("n{number}");
        bench.save(&store, &product(&name, &name, f64::from(number))).unwrap();
    }
    let mut snapshots = live(&store, Query::filter(PRICE.ge(1.0)).ascending(NAME).page(1, 2));
    let first = bench.drain(&mut snapshots).remove(0);
    assert_eq!(names(&first), ["n3", "n4"]);
    bench.save(&store, &product("n8", "n8", 80.0)).unwrap();
    assert!(bench.drain(&mut snapshots).is_empty());
    bench.write(&store, Writes::new().delete::<Product>("n1")).unwrap();
    assert_eq!(names(&bench.drain(&mut snapshots).remove(0)), ["n4", "n5"]);
}

#[test]
fn rows_of_any_model_can_be_observed() {
    let mut bench = Bench::new();
    let store = bench.open();
    let mut snapshots = store.observe_rows(Product::MODEL, Query::all()).unwrap();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    let last = bench.drain(&mut snapshots).pop().unwrap().unwrap();
    assert_eq!(last.items[0].get(NAME), &"Tea".into());
    let error = store.observe_rows(ModelId(7), Query::all()).err().unwrap().to_string();
    assert_eq!(error, "there is no model `number 7` in the schema; it has Product");
    let error = store.link::<Product, Product>(RelationId(0), None).unwrap_err().to_string();
    assert_eq!(error, "`Product` has no relation `number 0 to Product`; it has none");
}

#[test]
fn a_live_query_says_when_its_model_is_synced() {
    let mut bench = Bench::new();
    let store = bench.open();
    let mut snapshots = live(&store, Query::all());
    let said: Vec<bool> = bench.drain(&mut snapshots).iter().map(|it| it.is_synced).collect();
    assert_eq!(said, [false]);
    store.start();
    let said: Vec<bool> = bench.drain(&mut snapshots).iter().map(|it| it.is_synced).collect();
    assert_eq!(said, [true]);
}
