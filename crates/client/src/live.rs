//! Live queries: answers that are kept current change by change.
//!
//! A [`Live`] holds the rows of its answer in their order. A change of a record costs a look at
//! that record and a binary search; a write to another model, or to no record of the answer, costs
//! no more, however many rows the answer has. Of a query with a page it holds the rows up to the
//! page's end and a few behind it, and asks the store anew when those run out.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::task::Waker;

use espressync_model::{Key, ModelId, Predicate, Query, Row, Schema};
use espressync_store::{Applied, Store};

/// How many rows behind a page's end are held, so that a row that leaves does not ask anew.
const SPARE: usize = 32;

/// From how many changes at once on the store is asked anew, if they are also an eighth of the
/// rows: each moves the rows behind it.
const MANY: usize = 256;

/// What became of the rows, to be repeated by whoever mirrors them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Edit {
    Insert(usize, Row),
    Replace(usize, Row),
    Remove(usize),
    /// All are others.
    Reset,
}

/// A row of an answer with its place among rows that sort the same.
type Entry = (Row, u32);

/// An answer that is kept current.
#[derive(Debug)]
pub(crate) struct Live {
    model: ModelId,
    query: Query,
    /// The models whose records the predicate asks about by relations.
    related: BTreeSet<ModelId>,
    rows: Vec<Entry>,
    /// Whether there are no matching rows behind these.
    is_complete: bool,
    edits: Vec<Edit>,
    /// Whether what is shown has changed since it was last looked at.
    pub(crate) is_dirty: bool,
    /// Who waits for that.
    pub(crate) waker: Option<Waker>,
    /// Whether the model was synced when it was last looked at.
    pub(crate) was_synced: bool,
    /// How many rows were looked at since it was made, those of the store aside.
    pub(crate) looked_at: u64,
}

impl Live {
    /// The answer to a query that was checked.
    pub(crate) fn new(store: &Store, model: ModelId, query: Query) -> Self {
        let mut related = BTreeSet::new();
        models_of(store.schema(), model, &query.predicate, &mut related);
        let mut live = Self {
            model,
            query,
            related,
            rows: Vec::new(),
            is_complete: true,
            edits: Vec::new(),
            is_dirty: true,
            waker: None,
            was_synced: store.cursor(model).is_some(),
            looked_at: 0,
        };
        live.ask(store);
        live
    }

    /// The model.
    pub(crate) fn model(&self) -> ModelId {
        self.model
    }

    /// How many rows lie before the page, and how many at its end.
    pub(crate) fn window(&self) -> (usize, usize) {
        match self.query.page {
            None => (0, usize::MAX),
            Some(page) => {
                let start = page.number.saturating_mul(page.limit);
                (start, start.saturating_add(page.limit))
            }
        }
    }

    /// The rows, those before the page and behind it included.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().map(|(row, _)| row)
    }

    /// What has become of the rows since this was last asked.
    pub(crate) fn take_edits(&mut self) -> Vec<Edit> {
        std::mem::take(&mut self.edits)
    }

    /// Has whoever mirrors the rows read all of them when it looks again.
    pub(crate) fn lose_track(&mut self) {
        self.edits = vec![Edit::Reset];
    }

    /// Marks the answer as worth another look.
    pub(crate) fn touch(&mut self) {
        self.is_dirty = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Takes in what was stored.
    pub(crate) fn apply(&mut self, store: &Store, applied: &[Applied]) {
        let own = applied.iter().filter(|change| change.model == self.model);
        let own: Vec<&Applied> = own.collect();
        let further = applied.iter().filter(|change| self.related.contains(&change.model));
        let further: Vec<&Applied> = further.collect();
        if own.is_empty() && further.is_empty() {
            return;
        }
        let count = own.len() + further.len();
        let is_much = count >= MANY && count >= self.rows.len() / 8;
        if is_much || self.query.after.is_some() {
            self.ask(store);
        } else {
            own.into_iter().for_each(|change| self.take(store, change));
            // Each once, however many of the changes turn it.
            let affected = further
                .into_iter()
                .map(|change| store.affected(self.model, &self.query.predicate, change));
            let affected: BTreeSet<Key> = affected.flatten().collect();
            affected.iter().for_each(|key| self.look_again(store, key));
            let (_, end) = self.window();
            if !self.is_complete && self.rows.len() < end {
                self.ask(store);
            }
        }
        if self.is_dirty {
            self.touch();
        }
    }

    /// Takes in a change of a record of this model.
    fn take(&mut self, store: &Store, change: &Applied) {
        let live = |record: &Option<espressync_model::Record>| {
            record.as_ref().filter(|record| !record.meta.deleted).map(|record| record.row.clone())
        };
        let was = live(&change.before).map(|row| (row, change.place));
        let is = live(&change.after).filter(|row| self.matches(store, row));
        let is = is.map(|row| (row, change.place));
        match (was.and_then(|entry| self.find(&entry)), is) {
            (None, None) => {}
            (None, Some(entry)) => self.insert(entry),
            (Some(position), None) => self.remove(position),
            (Some(position), Some(entry)) if entry.0 == self.rows[position].0 => {}
            (Some(position), Some(entry)) => self.replace(position, entry),
        }
    }

    /// Looks whether a record that did not change itself still matches.
    fn look_again(&mut self, store: &Store, key: &Key) {
        let record = store.record(self.model, key).filter(|record| !record.meta.deleted);
        let Some((record, place)) = record.zip(store.place(self.model, key)) else { return };
        let entry = (record.row.clone(), place);
        match (self.find(&entry), self.matches(store, &entry.0)) {
            (None, true) => self.insert(entry),
            (Some(position), false) => self.remove(position),
            (None, false) | (Some(_), true) => {}
        }
    }

    fn matches(&mut self, store: &Store, row: &Row) -> bool {
        self.looked_at += 1;
        store.matches(self.model, &self.query.predicate, row)
    }

    fn find(&mut self, entry: &Entry) -> Option<usize> {
        self.search(entry).ok()
    }

    fn search(&mut self, entry: &Entry) -> Result<usize, usize> {
        let (query, mut looked_at) = (&self.query, 0);
        let found = self.rows.binary_search_by(|other| {
            looked_at += 1;
            order(query, other, entry)
        });
        self.looked_at += looked_at;
        found
    }

    fn insert(&mut self, entry: Entry) {
        let (Ok(position) | Err(position)) = self.search(&entry);
        if position == self.rows.len() && !self.is_complete {
            // It lies behind all that is held, and others may lie between.
            return;
        }
        self.edits.push(Edit::Insert(position, entry.0.clone()));
        self.rows.insert(position, entry);
        self.note(position);
        let (_, end) = self.window();
        if self.rows.len() > end.saturating_add(2 * SPARE) {
            self.rows.pop();
            self.edits.push(Edit::Remove(self.rows.len()));
            self.is_complete = false;
        }
    }

    fn remove(&mut self, position: usize) {
        self.rows.remove(position);
        self.edits.push(Edit::Remove(position));
        self.note(position);
    }

    fn replace(&mut self, position: usize, entry: Entry) {
        let stays = |neighbour: Option<&Entry>, expected: Ordering| {
            neighbour.is_none_or(|neighbour| order(&self.query, neighbour, &entry) == expected)
        };
        let before = position.checked_sub(1).and_then(|before| self.rows.get(before));
        let is_last = position + 1 == self.rows.len();
        let has_end = self.is_complete || !is_last;
        if has_end
            && stays(before, Ordering::Less)
            && stays(self.rows.get(position + 1), Ordering::Greater)
        {
            self.edits.push(Edit::Replace(position, entry.0.clone()));
            self.rows[position] = entry;
            self.note(position);
        } else {
            self.remove(position);
            self.insert(entry);
        }
    }

    /// Notes that rows from this position on are others.
    fn note(&mut self, position: usize) {
        let (_, end) = self.window();
        self.is_dirty |= position < end;
        // Whoever mirrors the rows is not quicker by more edits than rows.
        if self.edits.len() > self.rows.len().max(MANY) {
            self.edits = vec![Edit::Reset];
        }
    }

    /// Asks the store for all of it.
    fn ask(&mut self, store: &Store) {
        let (_, end) = self.window();
        let most = end.saturating_add(SPARE);
        let mut query = self.query.clone();
        query.page = None;
        if self.query.page.is_some() {
            query = query.limit(most);
        }
        let found = store.query_with_keys(self.model, &query);
        let rows: Vec<Entry> = found
            .into_iter()
            .filter_map(|(key, record)| Some((record.row.clone(), store.place(self.model, key)?)))
            .collect();
        self.is_complete = rows.len() < most;
        let shown = |rows: &[Entry]| rows.len().min(end);
        let is_same = shown(&rows) == shown(&self.rows)
            && rows.iter().zip(&self.rows).take(end).all(|(new, old)| new.0 == old.0);
        self.is_dirty |= !is_same;
        self.rows = rows;
        self.edits = vec![Edit::Reset];
    }
}

fn order(query: &Query, a: &Entry, b: &Entry) -> Ordering {
    query.order(&a.0, &b.0).then(a.1.cmp(&b.1))
}

/// The models that a predicate asks about by relations.
fn models_of(
    schema: &Schema,
    model: ModelId,
    predicate: &Predicate,
    models: &mut BTreeSet<ModelId>,
) {
    match predicate {
        Predicate::All | Predicate::Field(..) => {}
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| models_of(schema, model, part, models));
        }
        Predicate::Not(part) => models_of(schema, model, part, models),
        Predicate::Related(relation, part) => {
            let target = schema.model(model).relation_at(*relation).target;
            models.insert(target);
            models_of(schema, target, part, models);
        }
    }
}

/// Repeats edits on a mirror of the rows; says whether that can be done.
pub(crate) fn repeat<T, E>(
    mirror: &mut Vec<T>,
    edits: Vec<Edit>,
    make: impl Fn(&Row) -> Result<T, E>,
) -> Result<bool, E> {
    for edit in edits {
        match edit {
            Edit::Insert(position, row) => mirror.insert(position, make(&row)?),
            Edit::Replace(position, row) => mirror[position] = make(&row)?,
            Edit::Remove(position) => drop(mirror.remove(position)),
            Edit::Reset => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
