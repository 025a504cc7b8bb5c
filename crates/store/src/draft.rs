use std::collections::{BTreeMap, BTreeSet};

use espressync_model::{FieldId, Key, ModelId, Predicate, Query, Record, Row, Schema, Value};

use crate::{Batch, Cursor, Pending, Store};

/// A drafted record with its place among the draft's records, which becomes the order in which
/// queries show them.
#[derive(Debug, Clone)]
struct Drafted {
    ordinal: usize,
    record: Option<Record>,
}

/// Changes laid over a store and not yet stored. Reads see them; the store does not.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    store: &'a Store,
    records: BTreeMap<Place, Drafted>,
    outbox: BTreeMap<Place, Option<Pending>>,
    cursors: BTreeMap<ModelId, Option<Cursor>>,
    next_sequence: u64,
    undo: Option<Undo>,
}

/// What was drafted where, before each change since [`Draft::begin`].
#[derive(Debug, Clone)]
struct Undo {
    records: Vec<(Place, Option<Drafted>)>,
    outbox: Vec<(Place, Option<Option<Pending>>)>,
    next_sequence: u64,
}

/// A record's model and key.
type Place = (ModelId, Key);

impl<'a> Draft<'a> {
    /// No changes yet.
    #[must_use]
    pub fn new(store: &'a Store) -> Self {
        Self {
            store,
            records: BTreeMap::new(),
            outbox: BTreeMap::new(),
            cursors: BTreeMap::new(),
            next_sequence: store.outbox().next_sequence(),
            undo: None,
        }
    }

    /// Begins a run of changes to records and outbox that are kept or taken back together. Runs
    /// do not nest: a second one begins where the first then ends.
    pub fn begin(&mut self) {
        let next_sequence = self.next_sequence;
        self.undo = Some(Undo { records: Vec::new(), outbox: Vec::new(), next_sequence });
    }

    /// Keeps the changes since [`Draft::begin`].
    pub fn keep(&mut self) {
        self.undo = None;
    }

    /// Takes back the changes since [`Draft::begin`].
    pub fn roll_back(&mut self) {
        let Some(undo) = self.undo.take() else { return };
        for (place, before) in undo.records.into_iter().rev() {
            match before {
                Some(drafted) => drop(self.records.insert(place, drafted)),
                None => drop(self.records.remove(&place)),
            }
        }
        for (place, before) in undo.outbox.into_iter().rev() {
            match before {
                Some(pending) => drop(self.outbox.insert(place, pending)),
                None => drop(self.outbox.remove(&place)),
            }
        }
        self.next_sequence = undo.next_sequence;
    }

    /// The schema of the store.
    #[must_use]
    pub fn schema(&self) -> &'a Schema {
        self.store.schema()
    }

    /// A record, tombstones included.
    #[must_use]
    pub fn record(&self, model: ModelId, key: &Key) -> Option<&Record> {
        match self.records.get(&(model, key.clone())) {
            Some(drafted) => drafted.record.as_ref(),
            None => self.store.record(model, key),
        }
    }

    /// A record's outbox entry.
    #[must_use]
    pub fn pending(&self, model: ModelId, key: &Key) -> Option<&Pending> {
        match self.outbox.get(&(model, key.clone())) {
            Some(drafted) => drafted.as_ref(),
            None => self.store.outbox().get(model, key),
        }
    }

    /// A model's cursor.
    #[must_use]
    pub fn cursor(&self, model: ModelId) -> Option<Cursor> {
        self.cursors.get(&model).copied().unwrap_or_else(|| self.store.cursor(model))
    }

    /// Every key of a model that the store or this draft holds, tombstones included.
    #[must_use]
    pub fn keys(&self, model: ModelId) -> Vec<Key> {
        let drafted = self.records.keys().filter(|(of, _)| *of == model);
        let known = self.store.keys(model).chain(drafted.map(|(_, key)| key));
        let mut keys = BTreeSet::new();
        keys.extend(known.filter(|key| self.record(model, key).is_some()).cloned());
        keys.into_iter().collect()
    }

    /// The live records that a query asks for, as the store will be.
    #[must_use]
    pub fn query(&self, model: ModelId, query: &Query) -> Vec<Record> {
        if self.records.is_empty() {
            return self.store.query(model, query).into_iter().cloned().collect();
        }
        if query.predicate.asks_relations() || query.after.is_some() {
            // What drafted records do to this only a store can say.
            let mut trial = self.store.clone();
            trial.apply(self.clone().into_batch());
            return trial.query(model, query).into_iter().cloned().collect();
        }
        let live = |record: &&Record| !record.meta.deleted && query.predicate.matches(&record.row);
        let stored = self.store.rows(model).filter_map(|(key, _)| self.record(model, key));
        let mut found: Vec<Record> = stored.filter(live).cloned().collect();
        let drafted = self.records.range((model, Key::from(""))..);
        let drafted = drafted.take_while(|((of, _), _)| *of == model);
        let mut new: Vec<&Drafted> = drafted
            .filter(|((_, key), _)| self.store.record(model, key).is_none())
            .map(|(_, drafted)| drafted)
            .collect();
        new.sort_unstable_by_key(|drafted| drafted.ordinal);
        found.extend(new.into_iter().filter_map(|it| it.record.as_ref()).filter(live).cloned());
        if !query.sort.is_empty() {
            found.sort_by(|a, b| query.order(&a.row, &b.row));
        }
        match query.page {
            Some(page) => {
                let passed = page.number.saturating_mul(page.limit);
                found.into_iter().skip(passed).take(page.limit).collect()
            }
            None => found,
        }
    }

    /// The keys of the live records that match a predicate without relations.
    #[must_use]
    pub fn matching(&self, model: ModelId, predicate: &Predicate) -> Vec<Key> {
        let query = Query::filter(predicate.clone());
        self.overlaid(model, self.store.query(model, &query), |row| predicate.matches(row))
    }

    /// The keys of the live records in which these fields have these values, as foreign keys.
    #[must_use]
    pub fn pointing(&self, model: ModelId, fields: &[FieldId], values: &[Value]) -> Vec<Key> {
        let pairs = fields.iter().zip(values);
        let all = pairs.map(|(field, value)| (*field).eq(value.clone())).collect();
        self.matching(model, &Predicate::And(all))
    }

    /// What the store found, with what is drafted over it.
    fn overlaid(
        &self,
        model: ModelId,
        found: Vec<&Record>,
        matches: impl Fn(&Row) -> bool,
    ) -> Vec<Key> {
        let definition = self.schema().model(model);
        let found = found.into_iter().filter_map(|record| definition.key_of(&record.row).ok());
        let mut keys: Vec<Key> =
            found.filter(|key| !self.records.contains_key(&(model, key.clone()))).collect();
        let drafted = self.records.range((model, Key::from(""))..);
        let drafted = drafted.take_while(|((of, _), _)| *of == model);
        keys.extend(drafted.filter_map(|((_, key), drafted)| {
            let record = drafted.record.as_ref()?;
            (!record.meta.deleted && matches(&record.row)).then(|| key.clone())
        }));
        keys
    }

    /// A sequence number for a new outbox entry.
    pub fn take_sequence(&mut self) -> u64 {
        self.next_sequence += 1;
        self.next_sequence - 1
    }

    /// Stores a record.
    pub fn put(&mut self, model: ModelId, key: Key, record: Record) {
        self.set(model, key, Some(record));
    }

    /// Removes a record without a trace.
    pub fn remove(&mut self, model: ModelId, key: Key) {
        self.set(model, key, None);
    }

    fn set(&mut self, model: ModelId, key: Key, record: Option<Record>) {
        let place = (model, key);
        if let Some(undo) = &mut self.undo {
            undo.records.push((place.clone(), self.records.get(&place).cloned()));
        }
        let ordinal = self.records.len();
        let drafted = self.records.entry(place);
        drafted.or_insert(Drafted { ordinal, record: None }).record = record;
    }

    /// Stores or removes a record's outbox entry.
    pub fn set_pending(&mut self, model: ModelId, key: Key, pending: Option<Pending>) {
        let before = self.outbox.insert((model, key.clone()), pending);
        if let Some(undo) = &mut self.undo {
            undo.outbox.push(((model, key), before));
        }
    }

    /// Stores a model's cursor.
    pub fn set_cursor(&mut self, model: ModelId, cursor: Cursor) {
        self.cursors.insert(model, Some(cursor));
    }

    /// Forgets a model's cursor, so that the next sync reads everything.
    pub fn forget_cursor(&mut self, model: ModelId) {
        self.cursors.insert(model, None);
    }

    /// The changes, less those that change nothing.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        let Self { store, records, outbox, cursors, .. } = self;
        let mut in_order = vec![None; records.len()];
        for ((model, key), Drafted { ordinal, record }) in records {
            if store.record(model, &key) != record.as_ref() {
                in_order[ordinal] = Some((model, key, record));
            }
        }
        let records = in_order.into_iter().flatten().collect();
        let outbox = outbox
            .into_iter()
            .filter(|((model, key), entry)| store.outbox().get(*model, key) != entry.as_ref())
            .map(|((model, key), entry)| (model, key, entry))
            .collect();
        let cursors =
            cursors.into_iter().filter(|(model, cursor)| store.cursor(*model) != *cursor).collect();
        Batch { records, outbox, cursors }
    }
}
