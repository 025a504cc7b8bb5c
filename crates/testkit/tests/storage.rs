//! The storages that live in memory pass what every storage passes.

use espressync_store::MemoryStorage;
use espressync_testkit::fakes::FaultyDisk;
use espressync_testkit::storage::conformance;
use futures::executor::block_on;

#[test]
fn memory_is_a_storage() {
    block_on(conformance(async || {
        let log = MemoryStorage::new();
        (log.clone(), log)
    }));
}

#[test]
fn a_faulty_disk_without_faults_is_a_storage() {
    block_on(conformance(async || {
        let disk = FaultyDisk::default();
        (disk.clone(), disk)
    }));
}
