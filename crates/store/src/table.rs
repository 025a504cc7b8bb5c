use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_model::{FieldId, Key, Record, Row, Sort};

use crate::index::{Indexes, Ordered, sorted, upward};

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
    /// Built by reads.
    indexes: RefCell<Indexes>,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    record: Record,
}

impl Table {
    /// How many changes, or rows, are too few for thinking of indexes.
    pub(crate) const FEW: usize = 32;
    /// Up to how many rows an index is built at once.
    const SMALL: usize = 1_000;

    /// An empty table that is to have indexes over these fields.
    pub(crate) fn with_indexes(indexes: impl IntoIterator<Item = Vec<FieldId>>) -> Self {
        Self { indexes: RefCell::new(Indexes::declared(indexes)), ..Self::default() }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Record> {
        self.slot(key).and_then(|slot| self.record(slot))
    }

    /// Where a key is.
    pub(crate) fn slot(&self, key: &Key) -> Option<Slot> {
        self.by_key.get(key).copied()
    }

    /// Where the live record of a key given as text is.
    pub(crate) fn live_slot(&self, key: &str) -> Option<Slot> {
        self.by_key.get(key).copied().filter(|slot| self.live(*slot).is_some())
    }

    /// The key of what is in a slot.
    pub(crate) fn key(&self, slot: Slot) -> Option<&Key> {
        self.entry(slot).map(|entry| &entry.key)
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

    /// The slot of every live record, from one on, in order.
    pub(crate) fn live_slots(&self, from: Slot) -> impl Iterator<Item = Slot> {
        (from..self.end()).filter(|slot| self.live(*slot).is_some())
    }

    /// How many records are no tombstones.
    pub(crate) fn live_count(&self) -> usize {
        self.live
    }

    /// The slot that the next new key takes. There is no room in memory for as many as it counts.
    fn end(&self) -> Slot {
        Slot::try_from(self.slots.len()).unwrap_or(Slot::MAX)
    }

    /// An index, built if it is not.
    pub(crate) fn ordered(&self, keys: &[Sort]) -> Ordered {
        if let Some(built) = self.indexes.borrow().built(keys) {
            return built;
        }
        let slots = sorted(self, keys, self.live_slots(0).collect());
        let ordered = Ordered { keys: keys.into(), slots: Rc::new(slots) };
        self.indexes.borrow_mut().keep(&ordered);
        ordered
    }

    /// An index over these fields, smallest first, built if it is not.
    pub(crate) fn ordered_over(&self, fields: &[FieldId]) -> Ordered {
        let built = self.indexes.borrow().built_over(fields);
        built.unwrap_or_else(|| self.ordered(&upward(fields)))
    }

    /// The sort keys of the index of a number, while there is one, declared or noted; and whether
    /// it is ready to be used. To build one takes longer than to look at every row once, so of a
    /// large table it is built when it is wanted for the second time.
    pub(crate) fn index_keys(&self, number: usize) -> Option<(Rc<[Sort]>, bool)> {
        let (keys, is_wanted) = self.indexes.borrow().keys(number)?;
        Some((keys, is_wanted || self.live <= Self::SMALL))
    }

    /// Notes that an index would have served a query.
    pub(crate) fn note_index(&self, keys: &[Sort]) {
        self.indexes.borrow_mut().note(keys);
    }

    /// Makes ready for so many changes at once: following them one by one may cost more than
    /// building the indexes anew when they are used next.
    pub(crate) fn expect(&mut self, changes: usize) {
        if changes > Self::FEW && changes * 8 > self.live {
            self.indexes.get_mut().unbuild();
        }
    }

    /// Stores or removes a record, and returns its slot and what was there. A key is looked for
    /// once and not by the caller too: of opening, looking for keys is a large part.
    pub(crate) fn set(&mut self, key: &Key, record: Option<Record>) -> (Slot, Option<Record>) {
        let known = self.slot(key);
        let slot = known.unwrap_or(self.end());
        if known.is_none() && record.is_none() {
            return (slot, None);
        }
        let was = self.live(slot).map(|record| record.row.clone());
        let is: Option<Row> =
            record.as_ref().filter(|record| !record.meta.deleted).map(|record| record.row.clone());
        self.live = self.live + usize::from(is.is_some()) - usize::from(was.is_some());
        // The indexes look at the rows of the table, which is borrowed meanwhile.
        let mut indexes = self.indexes.take();
        let changed = indexes.take_out(self, slot, was.as_ref(), is.as_ref());
        let before = self.replace(key, known, record);
        if let Some(row) = &is {
            indexes.put_in(self, slot, row, &changed);
        }
        self.indexes = RefCell::new(indexes);
        (slot, before)
    }

    fn replace(
        &mut self,
        key: &Key,
        known: Option<Slot>,
        record: Option<Record>,
    ) -> Option<Record> {
        let Some(slot) = known else {
            self.by_key.insert(key.clone(), self.end());
            self.slots.push(record.map(|record| Entry { key: key.clone(), record }));
            return None;
        };
        let place = &mut self.slots[slot as usize];
        match record {
            Some(record) => {
                place.as_mut().map(|entry| std::mem::replace(&mut entry.record, record))
            }
            None => {
                self.by_key.remove(key);
                place.take().map(|entry| entry.record)
            }
        }
    }
}

/// Slots in their order, each once. By a mark for each up to the last, as a sort compiled for this
/// alone would be a sort more to download.
pub(crate) fn in_order(slots: Vec<Slot>) -> Vec<Slot> {
    if slots.is_sorted_by(|a, b| a < b) {
        return slots;
    }
    let last = slots.iter().max().map_or(0, |last| *last as usize);
    let mut marks = vec![0_u64; last / 64 + 1];
    for slot in &slots {
        marks[*slot as usize / 64] |= 1 << (slot % 64);
    }
    let mut ordered = Vec::with_capacity(slots.len());
    for (start, mut word) in (0..).step_by(64).zip(marks) {
        while word != 0 {
            ordered.push(start + word.trailing_zeros());
            word &= word - 1;
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_in_order_and_once() {
        let check = |slots: &[Slot], expected: &[Slot]| {
            assert_eq!(in_order(slots.to_vec()), expected);
        };
        check(&[], &[]);
        check(&[0, 5, 700], &[0, 5, 700]);
        check(&[700, 63, 64, 0, 64, 127, 128, 63], &[0, 63, 64, 127, 128, 700]);
        check(&[3, 3], &[3]);
    }
}
