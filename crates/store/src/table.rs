use std::collections::BTreeMap;

use espressync_model::{Key, Query, Record};

/// A record's place in its table. Slots count up in the order in which this store first saw the
/// keys, which is the order of queries without a sort. A key that is removed and comes back takes
/// a new one; a tombstone keeps its own.
pub(crate) type Slot = u32;

/// One model's records, tombstones included: a slab by slot, and the slots by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    by_key: BTreeMap<Key, Slot>,
    /// What is in each slot; `None` where a record was removed without a trace.
    slots: Vec<Option<Entry>>,
    /// How many records are no tombstones.
    live: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    record: Record,
}

impl Table {
    pub(crate) fn get(&self, key: &Key) -> Option<&Record> {
        self.slot(key).and_then(|slot| self.record(slot))
    }

    /// Where a key is.
    pub(crate) fn slot(&self, key: &Key) -> Option<Slot> {
        self.by_key.get(key).copied()
    }

    /// What is in a slot, tombstones included.
    pub(crate) fn record(&self, slot: Slot) -> Option<&Record> {
        self.entry(slot).map(|entry| &entry.record)
    }

    /// The live record in a slot.
    pub(crate) fn live(&self, slot: Slot) -> Option<&Record> {
        self.record(slot).filter(|record| !record.meta.deleted)
    }

    fn entry(&self, slot: Slot) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Every key in the order of keys, tombstones included.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.by_key.keys()
    }

    /// Every record with its key in the order of slots, tombstones included.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.slots.iter().flatten().map(|entry| (&entry.key, &entry.record))
    }

    /// Every slot in order, those without a record among them.
    pub(crate) fn all_slots(&self) -> std::ops::Range<Slot> {
        0..self.end()
    }

    /// How many records are no tombstones.
    pub(crate) fn live_count(&self) -> usize {
        self.live
    }

    /// The slot that the next new key takes. There is no room in memory for as many as it counts.
    fn end(&self) -> Slot {
        Slot::try_from(self.slots.len()).unwrap_or(Slot::MAX)
    }

    /// Stores or removes a record and returns what was there.
    pub(crate) fn set(&mut self, key: &Key, record: Option<Record>) -> Option<Record> {
        let is_live = record.as_ref().is_some_and(|record| !record.meta.deleted);
        let before = match (self.slot(key), record) {
            (None, None) => None,
            (Some(slot), None) => {
                self.by_key.remove(key);
                self.slots[slot as usize].take().map(|entry| entry.record)
            }
            (None, Some(record)) => {
                self.by_key.insert(key.clone(), self.end());
                self.slots.push(Some(Entry { key: key.clone(), record }));
                None
            }
            (Some(slot), Some(record)) => self.slots[slot as usize]
                .as_mut()
                .map(|entry| std::mem::replace(&mut entry.record, record)),
        };
        let was_live = before.as_ref().is_some_and(|record| !record.meta.deleted);
        self.live = self.live + usize::from(is_live) - usize::from(was_live);
        before
    }

    /// The live records that a query asks for.
    pub(crate) fn query(&self, query: &Query) -> Vec<&Record> {
        let live = self.all_slots().filter_map(|slot| self.live(slot));
        let mut found: Vec<&Record> =
            live.filter(|record| query.predicate.matches(&record.row)).collect();
        if !query.sort.is_empty() {
            found.sort_by(|a, b| query.order(&a.row, &b.row));
        }
        let records = found.into_iter();
        match query.page {
            Some(page) => {
                records.skip(page.number.saturating_mul(page.limit)).take(page.limit).collect()
            }
            None => records.collect(),
        }
    }
}
