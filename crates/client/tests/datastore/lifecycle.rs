//! Start, stop, clear, close and switching, in any order and all at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_client::{
    ClientError, ClientErrorKind, Config, DataStore, Export, IfPending, Namespaces,
};
use espressync_model::{Entity, Key, Query};
use espressync_store::StoreErrorKind;
use espressync_testkit::fakes::FaultyDisk;
use futures::task::LocalSpawnExt;
use futures::{FutureExt, StreamExt};

use crate::bench::{Bench, Product, product, schema};

#[test]
fn a_clear_waits_for_what_is_on_its_way() {
    let mut bench = Bench::new();
    let store = bench.open();
    store.start();
    bench.line.cut(true);
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    let wait = |store: &DataStore| {
        let store = store.clone();
        async move { store.clear(IfPending::Wait { at_most: 5_000 }).await }
    };
    let spawner = bench.pool.spawner();
    let waits = spawner.spawn_local_with_handle(wait(&store)).unwrap();
    bench.settle();
    bench.clock.advance(5_000);
    let refused = bench.pool.run_until(waits);
    assert_eq!(refused, Err(ClientError::Unsent { count: 1 }));
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
    let waits = spawner.spawn_local_with_handle(wait(&store)).unwrap();
    bench.settle();
    bench.line.cut(false);
    store.set_online(true);
    assert_eq!(bench.pool.run_until(waits), Ok(()));
    assert_eq!(store.status().pending, 0);
    // The server has it, and sync goes on.
    bench.settle();
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
}

#[test]
fn a_clear_gives_up_what_was_exported_and_no_more() {
    let mut bench = Bench::new();
    let store = bench.open();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    let export = store.export_waiting();
    assert_eq!(export.changes.len(), 1);
    let clear = |bench: &mut Bench, export: Export| {
        let store = store.clone();
        bench.now(async move { store.clear(IfPending::Export(export)).await })
    };
    bench.save(&store, &product("p1", "Tea", 2.5)).unwrap();
    let edited = clear(&mut bench, export);
    assert_eq!(edited, Err(ClientError::Unsent { count: 1 }));
    bench.save(&store, &product("p2", "Latte", 4.0)).unwrap();
    let export = store.export_waiting();
    assert_eq!(clear(&mut bench, export), Ok(()));
    assert_eq!(store.query::<Product>(&Query::all()), Ok(vec![]));
}

#[test]
fn a_closed_store_has_done_what_was_asked_and_says_so_of_the_rest() {
    let mut bench = Bench::new();
    let store = bench.open();
    let mut changes = Box::pin(store.observe(None));
    let handle = store.clone();
    let saved = bench.now(async move {
        let tea = product("p1", "Tea", 2.0);
        let (saved, ()) = futures::join!(handle.save(&tea), handle.close());
        saved
    });
    assert!(saved.is_ok());
    let late = bench.save(&store, &product("p2", "Latte", 4.0)).unwrap_err();
    assert_eq!(late.kind(), ClientErrorKind::Closed);
    let handle = store.clone();
    let cleared = bench.now(async move { handle.clear(IfPending::Lose).await });
    assert_eq!(cleared, Err(ClientError::Closed));
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
    assert_eq!(bench.drain(&mut changes).len(), 1);
    assert!(matches!(changes.next().now_or_never(), Some(None)), "the stream has ended");
    assert!(matches!(Box::pin(store.observe(None)).next().now_or_never(), Some(None)));
}

/// A bench with a disk for each user.
struct Shop {
    bench: Bench,
    users: Rc<Namespaces>,
}

impl Shop {
    fn new() -> Self {
        let bench = Bench::new();
        let disks: Rc<RefCell<BTreeMap<String, FaultyDisk>>> = Rc::default();
        let (line, clock, spawner) =
            (bench.line.clone(), bench.clock.clone(), bench.pool.spawner());
        let open = move |name: String| {
            let disk = disks.borrow_mut().entry(name).or_default().clone();
            let (line, clock, spawner) = (line.clone(), clock.clone(), spawner.clone());
            async move {
                let config = Config::default();
                let opened = DataStore::open(schema(), disk, line, clock, config).await;
                let (store, driver, _) = opened?;
                let spawned = spawner.spawn_local(driver.run());
                spawned.map_err(|_| ClientError::Closed)?;
                Ok(store)
            }
        };
        Self { bench, users: Rc::new(Namespaces::new(open)) }
    }

    fn switch(&mut self, name: &'static str) -> DataStore {
        let users = Rc::clone(&self.users);
        let Ok(store) = self.bench.now(async move { users.switch(name).await }) else {
            panic!("{name}'s store does not open")
        };
        store
    }
}

#[test]
fn each_user_has_a_store_and_what_waits_is_kept() {
    let mut shop = Shop::new();
    let anns = shop.switch("ann");
    shop.bench.save(&anns, &product("p1", "Tea", 2.0)).unwrap();
    let bobs = shop.switch("bob");
    assert_eq!(bobs.query::<Product>(&Query::all()), Ok(vec![]));
    let late = shop.bench.save(&anns, &product("p2", "Latte", 4.0)).unwrap_err();
    assert_eq!(late.kind(), ClientErrorKind::Closed);
    let again = shop.switch("ann");
    assert_eq!(again.status().pending, 1);
    assert_eq!(again.query::<Product>(&Query::all()).unwrap().len(), 1);
    again.start();
    shop.bench.settle();
    assert_eq!(again.status().pending, 0);
}

/// What became of calls that were made and not waited for.
#[derive(Default)]
struct Ledger {
    /// Saves that were acknowledged, by the number of the call.
    saved: BTreeMap<String, usize>,
    /// Clears that were allowed to lose something, with what was exported, by number.
    lost: Vec<(&'static str, usize, Option<Export>)>,
    /// Counts the calls in the order in which a store was asked.
    calls: usize,
    /// Calls that have not come back.
    open: usize,
}

impl Ledger {
    fn next_call(&mut self) -> usize {
        self.calls += 1;
        self.calls
    }

    fn is_given_up(&self, user: &str, key: &str, saved: usize) -> bool {
        self.lost.iter().filter(|(of, ..)| *of == user).any(|(_, number, export)| {
            let is_held = |export: &Export| {
                export
                    .changes
                    .iter()
                    .any(|it| it.model == Product::MODEL && it.key == Key::from(key))
            };
            *number > saved && export.as_ref().is_none_or(is_held)
        })
    }
}

/// Makes a call and does not wait for it.
fn call(shop: &mut Shop, random: &mut fastrand::Rng, ledger: &Rc<RefCell<Ledger>>, number: usize) {
    let (users, noted) = (Rc::clone(&shop.users), Rc::clone(ledger));
    let user = if random.bool() { "ann" } else { "bob" };
    let what = random.u8(0..16);
    let clears = random.u8(0..4);
    ledger.borrow_mut().open += 1;
    let work = async move {
        let Ok(store) = users.switch(user).await else { return };
        let order = noted.borrow_mut().next_call();
        match what {
            0..8 => {
                let key = format!("{user}-{number}");
                if store.save(&product(&key, "Tea", 2.0)).await.is_ok() {
                    noted.borrow_mut().saved.insert(key, order);
                }
            }
            8 => store.stop(),
            9 => store.close().await,
            10 => users.close().await,
            11..14 => {
                let (if_pending, loses) = match clears {
                    0 => (IfPending::Refuse, None),
                    1 => (IfPending::Wait { at_most: 3_000 }, None),
                    2 => (IfPending::Lose, Some(None)),
                    _ => {
                        let export = store.export_waiting();
                        (IfPending::Export(export.clone()), Some(Some(export)))
                    }
                };
                if store.clear(if_pending).await.is_ok()
                    && let Some(lost) = loses
                {
                    noted.borrow_mut().lost.push((user, order, lost));
                }
            }
            _ => store.start(),
        }
        noted.borrow_mut().open -= 1;
    };
    let spawned = shop.bench.pool.spawner().spawn_local(work);
    assert!(spawned.is_ok());
}

fn run(seed: u64) {
    let mut shop = Shop::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let ledger: Rc<RefCell<Ledger>> = Rc::default();
    for number in 0..40 {
        call(&mut shop, &mut random, &ledger, number);
        match random.u8(0..6) {
            // Several calls of one moment.
            0 | 1 => {}
            2 => shop.bench.line.cut(random.bool()),
            3 => shop.bench.clock.advance(random.i64(1..2_000)),
            _ => shop.bench.settle(),
        }
    }
    shop.bench.line.cut(false);
    for _ in 0..10 {
        shop.bench.settle();
        shop.bench.clock.advance(1_000);
    }
    shop.bench.settle();
    assert_eq!(ledger.borrow().open, 0, "seed {seed}: a call hangs");
    for user in ["ann", "bob"] {
        let store = shop.switch(user);
        store.start();
        for _ in 0..100 {
            shop.bench.settle();
            shop.bench.clock.advance(1_000);
        }
        assert_eq!(store.status().pending, 0, "seed {seed}: {user}'s store is stuck");
        let ledger = ledger.borrow();
        for (key, saved) in ledger.saved.iter().filter(|(key, _)| key.starts_with(user)) {
            let is_there = store.get::<Product>(key).unwrap().is_some();
            let is_given_up = ledger.is_given_up(user, key, *saved);
            assert!(is_there || is_given_up, "seed {seed}: {key} is lost");
        }
    }
}

#[test]
fn any_interleaving_ends_and_loses_nothing() {
    for seed in 0..300 {
        run(seed);
    }
}

#[test]
fn a_clear_that_the_disk_refuses_clears_nothing() {
    let mut bench = Bench::new();
    let store = bench.open();
    bench.save(&store, &product("p1", "Tea", 2.0)).unwrap();
    bench.disk.fail(Some(StoreErrorKind::Aborted));
    let handle = store.clone();
    let error = bench.now(async move { handle.clear(IfPending::Lose).await }).unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Store(StoreErrorKind::Aborted));
    assert_eq!(store.status().pending, 1);
    assert_eq!(store.query::<Product>(&Query::all()).unwrap().len(), 1);
}
