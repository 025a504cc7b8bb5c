//! Answering a query as it was chosen.

use std::cmp::Ordering;
use std::ops::Range;
use std::rc::Rc;

use espressync_model::{Bookmark, Key, ModelId, Predicate, Query, Record, Row, Sort, Value};

use crate::Store;
use crate::index::{Ordered, compare, first, sorted};
use crate::plan::{Access, Choice, choose, end_of_page};
use crate::table::{Slot, Table};

/// Up to how many rows are found by keeping the best ones: beyond, sorting all is faster.
pub(crate) const MOST_KEPT: usize = 1_024;

/// How many times more records a scan must look at than it finds, for an index to be worth it.
const SELECTIVE: usize = 8;

impl Store {
    /// The live records that a query asks for.
    #[must_use]
    pub fn query(&self, model: ModelId, query: &Query) -> Vec<&Record> {
        let table = self.table(model);
        let slots = self.search(model, query).into_iter();
        slots.filter_map(|slot| table.record(slot)).collect()
    }

    /// The live records that a query asks for, with their keys.
    #[must_use]
    pub fn query_with_keys(&self, model: ModelId, query: &Query) -> Vec<(&Key, &Record)> {
        let table = self.table(model);
        let slots = self.search(model, query).into_iter();
        slots.filter_map(|slot| table.key(slot).zip(table.record(slot))).collect()
    }

    /// The page of live records that a query asks for, and where the query goes on behind it:
    /// nowhere when there is no more.
    #[must_use]
    pub fn query_page(&self, model: ModelId, query: &Query) -> (Vec<&Record>, Option<Bookmark>) {
        let table = self.table(model);
        let mut slots = self.search_further(model, query, 1);
        let limit = query.page.map_or(usize::MAX, |page| page.limit);
        let is_more = slots.len() > limit;
        slots.truncate(limit);
        let last = slots.last().copied().filter(|_| is_more);
        let key = last.and_then(|slot| table.key(slot));
        let next = key.and_then(|key| self.bookmark(model, query, key));
        (slots.into_iter().filter_map(|slot| table.record(slot)).collect(), next)
    }

    /// How many live records match.
    #[must_use]
    pub fn count(&self, model: ModelId, predicate: &Predicate) -> usize {
        let table = self.table(model);
        if *predicate == Predicate::All {
            return table.live_count();
        }
        self.search(model, &Query::filter(predicate.clone())).len()
    }

    /// The order in which a query shows two records, tombstones included; unknown keys come last.
    #[must_use]
    pub fn order(&self, model: ModelId, query: &Query, a: &Key, b: &Key) -> Ordering {
        let table = self.table(model);
        match (table.slot(a), table.slot(b)) {
            (Some(a), Some(b)) => compare(table, &query.sort, a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }

    /// Where a query goes on behind a record of its answer; `None` for a key there never was.
    #[must_use]
    pub fn bookmark(&self, model: ModelId, query: &Query, key: &Key) -> Option<Bookmark> {
        let table = self.table(model);
        let place = table.slot(key)?;
        let row = &table.record(place)?.row;
        let values = query.sort.iter().map(|sort| row.get(sort.field).clone()).collect();
        Some(Bookmark { values, key: key.clone(), place })
    }

    /// The slots that a query asks for, in its order.
    pub(crate) fn search(&self, model: ModelId, query: &Query) -> Vec<Slot> {
        self.search_further(model, query, 0)
    }

    /// As [`Store::search`], and so many rows more behind the page.
    fn search_further(&self, model: ModelId, query: &Query, further: usize) -> Vec<Slot> {
        let Choice { access, sort, wish } = choose(self, model, query);
        let search = Search::new(self, model, query, &sort, further);
        let found = match access {
            Access::Walk { ordered, run, is_backward, is_exact } => {
                search.walk(&ordered, run, is_backward, is_exact)
            }
            Access::Seek(seek) => search.arrange(seek.how.slots().into_iter(), seek.is_exact),
            Access::Scan => search.arrange(search.table.live_slots(search.first_slot()), false),
        };
        if let Some(keys) = wish
            && (!sort.is_empty() || found.len() * SELECTIVE <= search.table.live_count())
        {
            search.table.note_index(&keys);
        }
        found
    }

    /// What a query leaves of given slots, in its order.
    pub(crate) fn search_among(
        &self,
        model: ModelId,
        query: &Query,
        slots: impl Iterator<Item = Slot>,
    ) -> Vec<Slot> {
        let search = Search::new(self, model, query, &query.sort, 0);
        search.arrange(slots, false)
    }
}

/// A query under way.
struct Search<'a> {
    store: &'a Store,
    model: ModelId,
    table: &'a Table,
    query: &'a Query,
    /// Whether the predicate is met by all.
    is_all: bool,
    /// The sort keys that can tell matches apart.
    sort: &'a [Sort],
    /// What the bookmark says of them, and its place in slots as they are now.
    after: Option<(Vec<&'a Value>, Slot)>,
    /// How many rows are wanted behind the page.
    further: usize,
}

impl<'a> Search<'a> {
    fn new(
        store: &'a Store,
        model: ModelId,
        query: &'a Query,
        sort: &'a [Sort],
        further: usize,
    ) -> Self {
        let table = store.table(model);
        let after = query.after.as_ref().map(|bookmark| {
            let value = |key: &Sort| {
                let number = query.sort.iter().position(|it| it.field == key.field);
                number.and_then(|number| bookmark.values.get(number))
            };
            let values = sort.iter().map_while(value);
            (values.collect(), table.slot(&bookmark.key).unwrap_or(bookmark.place))
        });
        let is_all = query.predicate == Predicate::All;
        Self { store, model, table, query, is_all, sort, after, further }
    }

    fn matches(&self, slot: Slot) -> bool {
        self.is_all
            || self.table.record(slot).is_some_and(|record| {
                self.store.matches(self.model, &self.query.predicate, &record.row)
            })
    }

    /// The order of a row and the bookmark's values.
    fn order_to(&self, row: &Row, values: &[&Value]) -> Ordering {
        let pairs = self.sort.iter().zip(values);
        let mut orders = pairs.map(|(key, value)| key.of(row.get(key.field), value));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Whether a row comes behind the bookmark.
    fn is_wanted(&self, slot: Slot) -> bool {
        let Some((values, place)) = &self.after else { return true };
        self.table
            .record(slot)
            .is_some_and(|record| self.order_to(&record.row, values).then(slot.cmp(place)).is_gt())
    }

    /// Where a scan begins.
    fn first_slot(&self) -> Slot {
        match &self.after {
            Some((_, place)) if self.sort.is_empty() => place.saturating_add(1),
            Some(_) | None => 0,
        }
    }

    /// The page of a run of an index that is in the order of the sort.
    fn walk(
        &self,
        ordered: &Ordered,
        run: Range<usize>,
        is_backward: bool,
        is_exact: bool,
    ) -> Vec<Slot> {
        let run = self.behind_bookmark(ordered, run, is_backward);
        let is_kept = |slot: &Slot| is_exact || self.matches(*slot);
        let is_passed = |slot: &Slot| !self.is_wanted(*slot);
        if is_backward {
            let slots = Backward { table: self.table, ordered, rest: run, group: 0..0 };
            self.page(slots.skip_while(is_passed).filter(is_kept))
        } else {
            let slots = ordered.slots.get(run).unwrap_or_default().iter().copied();
            self.page(slots.skip_while(is_passed).filter(is_kept))
        }
    }

    /// What of a run does not come before the bookmark: the bookmark's equals are left in.
    fn behind_bookmark(
        &self,
        ordered: &Ordered,
        run: Range<usize>,
        is_backward: bool,
    ) -> Range<usize> {
        let Some((values, _)) = &self.after else { return run };
        let slots = ordered.slots.get(run.clone()).unwrap_or_default();
        let order = |slot: &Slot| {
            let record = self.table.record(*slot);
            record.map_or(Ordering::Less, |record| self.order_to(&record.row, values))
        };
        if is_backward {
            run.start..run.start + slots.partition_point(|slot| order(slot).is_ge())
        } else {
            run.start + slots.partition_point(|slot| order(slot).is_lt())..run.end
        }
    }

    /// The page of what matches among slots that come in their own order.
    fn arrange(&self, slots: impl Iterator<Item = Slot>, is_exact: bool) -> Vec<Slot> {
        let is_kept = |slot: &Slot| (is_exact || self.matches(*slot)) && self.is_wanted(*slot);
        let end = end_of_page(self.query).map(|end| end.saturating_add(self.further));
        let most = end.filter(|_| self.sort.is_empty()).unwrap_or(usize::MAX);
        let slots: Vec<Slot> = slots.filter(is_kept).take(most).collect();
        let slots = match end {
            _ if self.sort.is_empty() => slots,
            Some(end) if end <= MOST_KEPT => first(self.table, self.sort, &slots, end),
            Some(_) | None => sorted(self.table, self.sort, slots),
        };
        self.page(slots.into_iter())
    }

    fn page(&self, slots: impl Iterator<Item = Slot>) -> Vec<Slot> {
        match self.query.page {
            Some(page) => {
                let start = page.number.saturating_mul(page.limit);
                slots.skip(start).take(page.limit.saturating_add(self.further)).collect()
            }
            None => slots.collect(),
        }
    }
}

/// A run of an index from its end, where rows that no key tells apart still come in slot order.
struct Backward<'a> {
    table: &'a Table,
    ordered: &'a Ordered,
    rest: Range<usize>,
    /// Rows that no key tells apart, not given out yet.
    group: Range<usize>,
}

impl Iterator for Backward<'_> {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        if self.group.is_empty() {
            let last = self.rest.end.checked_sub(1).filter(|last| *last >= self.rest.start)?;
            let start = self.start_of_group(last);
            self.group = start..self.rest.end;
            self.rest.end = start;
        }
        self.group.next().and_then(|position| self.ordered.slots.get(position)).copied()
    }
}

impl Backward<'_> {
    /// Where the rows begin that no key tells from the last one: mostly it is alone.
    fn start_of_group(&self, last: usize) -> usize {
        let slots: &Rc<Vec<Slot>> = &self.ordered.slots;
        let Some(row) = slots.get(last).and_then(|slot| self.table.record(*slot)) else {
            return last;
        };
        let is_less = |slot: &Slot| {
            let other = self.table.record(*slot);
            other.is_some_and(|other| Sort::order(&self.ordered.keys, &other.row, &row.row).is_lt())
        };
        let before = slots.get(self.rest.start..last).unwrap_or_default();
        match before.last() {
            Some(neighbour) if !is_less(neighbour) => {
                self.rest.start + before.partition_point(is_less)
            }
            Some(_) | None => last,
        }
    }
}
