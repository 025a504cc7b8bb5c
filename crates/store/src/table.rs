use std::collections::BTreeMap;

use espressync_model::{Key, Query, Record};

/// One model's records by key, tombstones included.
///
/// The place where columns, indexes and the memory budget will live.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    slots: BTreeMap<Key, Slot>,
    next_ordinal: u64,
}

/// A record with its place in the order in which this store first saw its keys.
#[derive(Debug, Clone)]
struct Slot {
    ordinal: u64,
    record: Record,
}

impl Table {
    pub(crate) fn get(&self, key: &Key) -> Option<&Record> {
        self.slots.get(key).map(|slot| &slot.record)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.slots.keys()
    }

    /// Stores or removes a record and returns what was there.
    pub(crate) fn set(&mut self, key: &Key, record: Option<Record>) -> Option<Record> {
        let Some(record) = record else {
            return self.slots.remove(key).map(|slot| slot.record);
        };
        if let Some(slot) = self.slots.get_mut(key) {
            return Some(std::mem::replace(&mut slot.record, record));
        }
        let slot = Slot { ordinal: self.next_ordinal, record };
        self.next_ordinal += 1;
        self.slots.insert(key.clone(), slot);
        None
    }

    /// The live records that a query asks for.
    pub(crate) fn query(&self, query: &Query) -> Vec<&Record> {
        let mut found: Vec<&Slot> = self
            .slots
            .values()
            .filter(|slot| !slot.record.meta.deleted && query.predicate.matches(&slot.record.row))
            .collect();
        found.sort_unstable_by(|a, b| {
            let by_keys = query.order(&a.record.row, &b.record.row);
            by_keys.then(a.ordinal.cmp(&b.ordinal))
        });
        let records = found.into_iter().map(|slot| &slot.record);
        match query.page {
            Some(page) => {
                records.skip(page.number.saturating_mul(page.limit)).take(page.limit).collect()
            }
            None => records.collect(),
        }
    }
}
