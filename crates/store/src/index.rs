//! Indexes: the live records of a table in the order of some fields.
//!
//! There is one kind, and it serves equality, ranges, beginnings of text, foreign keys, sorts and
//! bookmarks. It holds no values, only slots; searching compares the rows in them.

use std::cmp::Ordering;
use std::ops::Range;
use std::rc::Rc;

use espressync_model::{Direction, FieldId, Row, Sort, Value};

use crate::table::{Slot, Table};

/// How many indexes a table may have that no schema declares.
const MAX_UNDECLARED: usize = 16;

/// An index as it is now. Cheap to clone, and not changed by later writes.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    pub(crate) keys: Rc<[Sort]>,
    pub(crate) slots: Rc<Vec<Slot>>,
}

/// A place between two values, where a run of an index begins or ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edge<'a> {
    /// Before the first value of this one's kind.
    KindStart(&'a Value),
    /// Before this value.
    Before(&'a Value),
    /// Behind this value.
    Behind(&'a Value),
    /// Behind the last text that begins with this one.
    BehindPrefix(&'a Value),
    /// Behind the last value of this one's kind.
    KindEnd(&'a Value),
}

impl Edge<'_> {
    /// Whether a value lies before the edge.
    fn is_behind(self, value: &Value) -> bool {
        match self {
            Self::KindStart(edge) => value.kind() < edge.kind(),
            Self::Before(edge) => value.sort_order(edge).is_lt(),
            Self::Behind(edge) => value.sort_order(edge).is_le(),
            Self::BehindPrefix(edge) => {
                let start = edge.as_text().unwrap_or_default();
                value.sort_order(edge).is_lt()
                    || value.as_text().is_some_and(|text| text.starts_with(start))
            }
            Self::KindEnd(edge) => value.kind() <= edge.kind(),
        }
    }
}

impl Ordered {
    /// How many of the slots, from the first on, are those of which `is_before` holds.
    pub(crate) fn partition(&self, table: &Table, is_before: &dyn Fn(&Row) -> bool) -> usize {
        self.slots.partition_point(|slot| {
            table.record(*slot).is_some_and(|record| is_before(&record.row))
        })
    }

    /// The run of rows whose first fields have these values and whose next field lies between two
    /// edges, if edges are given.
    pub(crate) fn run(
        &self,
        table: &Table,
        prefix: &[&Value],
        edges: Option<(Edge<'_>, Edge<'_>)>,
    ) -> Range<usize> {
        let by_prefix = |row: &Row| {
            let pairs = self.keys.iter().zip(prefix);
            let mut orders = pairs.map(|(key, value)| key.of(row.get(key.field), value));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let next = self.keys.get(prefix.len()).copied();
        let (Some(key), Some((low, high))) = (next, edges) else {
            let start = self.partition(table, &|row| by_prefix(row).is_lt());
            return start..self.partition(table, &|row| by_prefix(row).is_le());
        };
        let is_upward = key.direction == Direction::Ascending;
        let position = |edge: Edge<'_>| {
            self.partition(table, &|row| match by_prefix(row) {
                Ordering::Less => true,
                Ordering::Equal => edge.is_behind(row.get(key.field)) == is_upward,
                Ordering::Greater => false,
            })
        };
        let (first, last) = if is_upward { (low, high) } else { (high, low) };
        let start = position(first);
        start..position(last).max(start)
    }
}

/// A table's indexes: those that its schema declares, and those that queries would have used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indexes(Vec<Index>);

#[derive(Debug, Clone)]
struct Index {
    keys: Rc<[Sort]>,
    is_declared: bool,
    /// Whether it has served a query or would have.
    is_wanted: bool,
    /// The slots, once a query has used the index, until more is written than is worth following.
    slots: Option<Rc<Vec<Slot>>>,
}

impl Index {
    fn ordered(&self) -> Option<Ordered> {
        let slots = Rc::clone(self.slots.as_ref()?);
        Some(Ordered { keys: Rc::clone(&self.keys), slots })
    }
}

impl Indexes {
    /// The indexes over these fields, none of them built.
    pub(crate) fn declared(all: impl IntoIterator<Item = Vec<FieldId>>) -> Self {
        let mut indexes = Self::default();
        for fields in all {
            indexes.add(&upward(&fields), true);
        }
        indexes
    }

    fn add(&mut self, keys: &[Sort], is_declared: bool) {
        if self.0.iter().all(|index| *index.keys != *keys) {
            self.0.push(Index { keys: keys.into(), is_declared, is_wanted: false, slots: None });
        }
    }

    /// Notes that an index would have served a query. The next such query builds it.
    pub(crate) fn note(&mut self, keys: &[Sort]) {
        if self.0.iter().filter(|index| !index.is_declared).count() < MAX_UNDECLARED {
            self.add(keys, false);
        }
        if let Some(index) = self.0.iter_mut().find(|index| *index.keys == *keys) {
            index.is_wanted = true;
        }
    }

    /// The sort keys of the index of a number, while there is one, and whether it is built or has
    /// been wanted before.
    pub(crate) fn keys(&self, number: usize) -> Option<(Rc<[Sort]>, bool)> {
        let index = self.0.get(number)?;
        Some((Rc::clone(&index.keys), index.is_wanted || index.slots.is_some()))
    }

    /// The slots of a built index.
    pub(crate) fn built(&self, keys: &[Sort]) -> Option<Ordered> {
        self.0.iter().find(|index| *index.keys == *keys).and_then(Index::ordered)
    }

    /// The slots of a built index over these fields, smallest first.
    pub(crate) fn built_over(&self, fields: &[FieldId]) -> Option<Ordered> {
        let is_over = |index: &&Index| {
            let is_key = |(key, field): (&Sort, &FieldId)| {
                key.field == *field && key.direction == Direction::Ascending
            };
            index.keys.len() == fields.len() && index.keys.iter().zip(fields).all(is_key)
        };
        self.0.iter().find(is_over).and_then(Index::ordered)
    }

    /// Keeps a built index.
    pub(crate) fn keep(&mut self, ordered: &Ordered) {
        self.add(&ordered.keys, false);
        let mut indexes = self.0.iter_mut();
        if let Some(index) = indexes.find(|index| index.keys == ordered.keys) {
            index.slots = Some(Rc::clone(&ordered.slots));
            index.is_wanted = true;
        }
    }

    /// Forgets what is built: the next use builds it anew.
    pub(crate) fn unbuild(&mut self) {
        for index in &mut self.0 {
            index.slots = None;
        }
    }

    /// Takes a slot out of every index in which `after` puts it elsewhere, and returns the numbers
    /// of those that are to have it back. The table still holds what was there before.
    pub(crate) fn take_out(
        &mut self,
        table: &Table,
        slot: Slot,
        before: Option<&Row>,
        after: Option<&Row>,
    ) -> Vec<usize> {
        let mut changed = Vec::new();
        for (number, index) in self.0.iter_mut().enumerate() {
            let Some(slots) = &mut index.slots else { continue };
            let keys = &index.keys;
            if let (Some(before), Some(after)) = (before, after)
                && keys.iter().all(|key| before.get(key.field) == after.get(key.field))
            {
                continue;
            }
            if let Some(before) = before {
                let found =
                    slots.binary_search_by(|other| place(table, keys, *other, before, slot));
                if let Ok(position) = found {
                    Rc::make_mut(slots).remove(position);
                }
            }
            if after.is_some() {
                changed.push(number);
            }
        }
        changed
    }

    /// Puts a slot into these indexes. The table holds its new row.
    pub(crate) fn put_in(&mut self, table: &Table, slot: Slot, row: &Row, changed: &[usize]) {
        for number in changed {
            let Index { keys, slots: Some(slots), .. } = &mut self.0[*number] else { continue };
            let found = slots.binary_search_by(|other| place(table, keys, *other, row, slot));
            if let Err(position) = found {
                Rc::make_mut(slots).insert(position, slot);
            }
        }
    }
}

/// Sort keys over these fields, smallest first.
pub(crate) fn upward(fields: &[FieldId]) -> Vec<Sort> {
    let sort = |field: &FieldId| Sort { field: *field, direction: Direction::Ascending };
    fields.iter().map(sort).collect()
}

/// Where a slot of a table lies in an index, seen from a row in another slot.
fn place(table: &Table, keys: &[Sort], other: Slot, row: &Row, slot: Slot) -> Ordering {
    let order = table.record(other).map(|record| Sort::order(keys, &record.row, row));
    order.unwrap_or(Ordering::Less).then(other.cmp(&slot))
}

/// The order of the rows in two slots by sort keys.
pub(crate) fn compare_rows(table: &Table, keys: &[Sort], a: Slot, b: Slot) -> Ordering {
    let rows = table.record(a).zip(table.record(b));
    rows.map_or(Ordering::Equal, |(a, b)| Sort::order(keys, &a.row, &b.row))
}

/// The order of two slots by sort keys, and where these leave it open by the slots themselves.
pub(crate) fn compare(table: &Table, keys: &[Sort], a: Slot, b: Slot) -> Ordering {
    compare_rows(table, keys, a, b).then(a.cmp(&b))
}

/// Slots in the order of sort keys.
pub(crate) fn sorted(table: &Table, keys: &[Sort], slots: Vec<Slot>) -> Vec<Slot> {
    let Some(key) = keys.first() else { return slots };
    let value = |slot: Slot| table.record(slot).map(|record| record.row.get(key.field));
    let shared = shared_start(slots.iter().filter_map(|slot| value(*slot)));
    let prefix = |slot: Slot| {
        let prefix = value(slot).map_or(0, |value| value.sort_prefix(shared));
        if key.direction == Direction::Ascending { prefix } else { !prefix }
    };
    let mut prefixed: Vec<(u64, Slot)> =
        slots.into_iter().map(|slot| (prefix(slot), slot)).collect();
    prefixed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(table, keys, a.1, b.1)));
    prefixed.into_iter().map(|(_, slot)| slot).collect()
}

/// How many bytes all the texts among some values begin with: dates and the like begin all the
/// same.
fn shared_start<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let mut texts = values.filter_map(Value::as_text).map(str::as_bytes);
    let Some(first) = texts.next() else { return 0 };
    texts.fold(first.len(), |shared, text| {
        let pairs = first[..shared].iter().zip(text);
        pairs.take_while(|(a, b)| a == b).count()
    })
}

/// The first `count` of some slots in the order of sort keys: better than sorting them all when
/// there are many more.
pub(crate) fn first(table: &Table, keys: &[Sort], slots: &[Slot], count: usize) -> Vec<Slot> {
    let mut best: Vec<Slot> = Vec::new();
    // The last of the best, which most rows are compared with and come behind.
    let mut last: Option<(&Row, Slot)> = None;
    for &slot in slots {
        let Some(row) = table.record(slot).map(|record| &record.row) else { continue };
        if let Some((last, place)) = last {
            if Sort::order(keys, row, last).then(slot.cmp(&place)).is_ge() {
                continue;
            }
            best.pop();
        }
        let position = best.partition_point(|other| compare(table, keys, *other, slot).is_lt());
        best.insert(position, slot);
        if best.len() >= count {
            last = best.last().and_then(|slot| Some((&table.record(*slot)?.row, *slot)));
        }
    }
    best.truncate(count);
    best
}
