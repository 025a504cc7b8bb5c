//! A DataStore on a storage in memory answers as every DataStore does.

use std::cell::RefCell;

use espressync_client::{Config, DataStore};
use espressync_model::Schema;
use espressync_resolver::ConflictStrategy;
use espressync_testkit::fakes::{FaultyDisk, HandClock, Line};
use espressync_testkit::fleet::{Rules, Server};
use espressync_testkit::queries::conformance;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

#[test]
fn a_data_store_in_memory_answers() {
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let disk = RefCell::new(FaultyDisk::default());
    let open = async |schema: Schema, is_again: bool| {
        if !is_again {
            *disk.borrow_mut() = FaultyDisk::default();
        }
        let clock = HandClock::default();
        let server = Server::new(schema.clone(), Rules::Real(ConflictStrategy::AutoMerge), 1_000);
        let line = Line::new(server, clock.clone());
        let disk = disk.borrow().clone();
        let opening = DataStore::open(schema, disk, line, clock, Config::default());
        let (store, driver, _) = opening.await.expect("the disk is good");
        spawner.spawn_local(driver.run()).expect("the pool is there");
        store
    };
    let checks = pool.run_until(conformance(open));
    assert!(checks >= 400, "{checks} checks");
}
