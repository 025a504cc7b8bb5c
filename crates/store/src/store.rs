use std::collections::BTreeSet;
use std::iter::repeat;
use std::rc::Rc;

use espressync_model::{Key, ModelId, Record, Schema};

use crate::codec::{LogEntry, Orphan, Reading, decode_as, encode, encode_batch, layout_in};
use crate::layout::Layout;
use crate::relations;
use crate::table::Table;
use crate::{
    Applied, Batch, Cause, Contents, Cursor, LogPosition, LogRecord, Outbox, StoreError,
    StoreErrorKind,
};

/// Everything this client knows, in memory: the log, replayed.
#[derive(Debug, Clone)]
pub struct Store {
    schema: Rc<Schema>,
    tables: Vec<Table>,
    outbox: Outbox,
    cursors: Vec<Option<Cursor>>,
    /// In which layout the log's next batch is written, and how it is read.
    reading: Rc<Reading>,
    /// Whether that layout has been this schema's since the store was opened.
    is_settled: bool,
    /// Whether another app version's layout came after this one's: from then on nothing here is
    /// what the log says.
    is_superseded: bool,
    /// Records of models that are gone, for which changes wait.
    orphans: BTreeSet<(String, Key)>,
    position: LogPosition,
}

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Log records that could not be read, with the reason. They stay where they are; the sync
    /// cursors are forgotten, so that the server's records are read again.
    pub unreadable: Vec<(LogPosition, String)>,
    /// Whether the database was written with another schema and has been translated.
    pub is_migrated: bool,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(schema: Rc<Schema>) -> Self {
        let tables: Vec<Table> = schema
            .models()
            .map(|(id, _)| Table::with_indexes(relations::indexes(&schema, id)))
            .collect();
        let count = tables.len();
        Self {
            reading: Rc::new(Reading::new(&schema)),
            schema,
            tables,
            outbox: Outbox::default(),
            cursors: vec![None; count],
            is_settled: false,
            is_superseded: false,
            orphans: BTreeSet::new(),
            position: LogPosition::default(),
        }
    }

    /// The store that a storage holds. What cannot be read is left out and reported.
    ///
    /// # Errors
    /// [`StoreErrorKind::Newer`] when a newer version of the software wrote a record: then
    /// nothing may be written beside it. [`StoreErrorKind::Schema`] when what the log holds cannot
    /// become what the schema says; then nothing is touched, and the schema before opens it as
    /// ever.
    pub fn open(
        schema: Rc<Schema>,
        contents: impl Into<Contents>,
    ) -> Result<(Self, OpenReport), StoreError> {
        let mut store = Self::new(schema);
        let unreadable = store.catch_up(&contents.into().log, |_| {})?;
        store.check_migration()?;
        let is_migrated = store.reading.layout().is_some() && store.needs_layout();
        store.forget_outgrown(&Layout::of(&store.schema));
        store.is_settled = !store.needs_layout();
        Ok((store, OpenReport { unreadable, is_migrated }))
    }

    /// Refuses a schema that what is here cannot follow.
    fn check_migration(&self) -> Result<(), StoreError> {
        let plan = self.reading.layout().map_or(Ok(()), |layout| layout.plan(&self.schema));
        let mut reasons: Vec<String> =
            plan.err().into_iter().flatten().map(|refusal| refusal.to_string()).collect();
        let models: BTreeSet<&String> = self.orphans.iter().map(|(model, _)| model).collect();
        reasons.extend(models.into_iter().map(|model| {
            let count = self.orphans.iter().filter(|(of, _)| of == model).count();
            format!(
                "{model} cannot go from a model to nothing: changes to {count} of its records wait \
                 to be sent; keep it until they are, or say @renamed(from: \"{model}\")"
            )
        }));
        if reasons.is_empty() {
            return Ok(());
        }
        let message = format!(
            "this device's data cannot follow the schema, and is as it was: {}",
            reasons.join("; ")
        );
        Err(StoreError::new(StoreErrorKind::Schema, message))
    }

    /// Applies records of the log, tells what each changed, and returns those that cannot be read,
    /// with the reason. These are passed over, and the sync cursors are forgotten, so that the
    /// server's records are read again.
    ///
    /// # Errors
    /// [`StoreErrorKind::Newer`], as for [`Store::open`]; the records before are applied then.
    pub fn catch_up(
        &mut self,
        records: &[LogRecord],
        mut tell: impl FnMut(&[Applied]),
    ) -> Result<Vec<(LogPosition, String)>, StoreError> {
        let mut unreadable = Vec::new();
        let layouts: Vec<Layout> =
            records.iter().filter_map(|record| layout_in(&record.bytes)).collect();
        let mut next: Vec<&Layout> = layouts.iter().collect();
        for record in records {
            if layout_in(&record.bytes).is_some() {
                next.remove(0);
            }
            match self.replay_before(record, &next) {
                Ok(applied) => tell(&applied),
                Err(error) if error.kind == StoreErrorKind::Corrupt => {
                    unreadable.push((record.position, error.message));
                    self.position = record.position;
                }
                Err(error) => return Err(error),
            }
        }
        // Only now: a cursor that came after does not speak for what was lost before it.
        if !unreadable.is_empty() {
            self.cursors.fill(None);
        }
        Ok(unreadable)
    }

    /// Applies one record of the log.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] or [`StoreErrorKind::Newer`]; the store is unchanged then.
    pub fn replay(&mut self, record: &LogRecord) -> Result<Vec<Applied>, StoreError> {
        self.replay_before(record, &[])
    }

    /// Applies one record of the log, after which these layouts come.
    fn replay_before(
        &mut self,
        record: &LogRecord,
        next: &[&Layout],
    ) -> Result<Vec<Applied>, StoreError> {
        let (entry, orphans) = decode_as(&record.bytes, &self.reading).map_err(|error| {
            StoreError::new(
                error.kind,
                format!("log record {}: {}", record.position.0, error.message),
            )
        })?;
        self.position = record.position;
        Ok(match entry {
            LogEntry::Layout(layout) => {
                self.set_layout(layout, next);
                Vec::new()
            }
            LogEntry::Reset(layout) => {
                self.set_layout(layout, next);
                self.empty()
            }
            LogEntry::Batch(batch) => {
                for Orphan { model, key, waits } in orphans {
                    let place = (model, key);
                    if waits {
                        self.orphans.insert(place)
                    } else {
                        self.orphans.remove(&place)
                    };
                }
                self.apply(batch)
            }
        })
    }

    fn set_layout(&mut self, layout: Layout, next: &[&Layout]) {
        self.forget_outgrown(&layout);
        Rc::make_mut(&mut self.reading).turn_to(layout, next, &self.schema);
        self.is_superseded |= self.is_settled && self.needs_layout();
        self.is_settled |= !self.needs_layout();
    }

    /// Forgets the cursors of models that have fields which the layout until now has not: what
    /// is stored has no value there, and only reading everything again brings them.
    fn forget_outgrown(&mut self, next: &Layout) {
        let Some(layout) = self.reading.layout() else { return };
        for (id, model) in self.schema.models() {
            if layout.lacks(next, &model.name) {
                self.cursors[id.index()] = None;
            }
        }
    }

    /// The bytes to append for a batch.
    #[must_use]
    pub fn batch_record(&self, batch: &Batch) -> Vec<u8> {
        encode_batch(batch, &self.reading.own)
    }

    /// The bytes to append before the first batch of this schema; `None` when the log has it.
    #[must_use]
    pub fn layout_record(&self) -> Option<Vec<u8>> {
        let is_missing = self.needs_layout() && !self.is_settled;
        is_missing.then(|| encode_layout(LogEntry::Layout, &self.schema))
    }

    /// The bytes of a log that holds nothing but this schema's layout.
    #[must_use]
    pub fn reset_record(&self) -> Vec<u8> {
        encode_layout(LogEntry::Reset, &self.schema)
    }

    fn needs_layout(&self) -> bool {
        self.reading.layout() != Some(&self.reading.own.layout)
    }

    /// Refuses to go on when another tab, with a newer version of the app, has changed the
    /// layout: what this tab wrote would be misread.
    ///
    /// # Errors
    /// [`StoreErrorKind::Superseded`].
    pub fn check_current(&self) -> Result<(), StoreError> {
        if self.is_superseded {
            return Err(StoreError::new(
                StoreErrorKind::Superseded,
                "another tab runs a newer version of this app; reload this one to go on",
            ));
        }
        Ok(())
    }

    /// Applies a batch that is stored, and tells which records it changed.
    pub fn apply(&mut self, batch: Batch) -> Vec<Applied> {
        let waits = |(model, key, _): &(ModelId, Key, Option<Record>)| {
            self.outbox.get(*model, key).is_some()
        };
        let waited: Vec<bool> = match self.outbox.is_empty() {
            true => Vec::new(),
            false => batch.records.iter().map(waits).collect(),
        };
        for (model, key, pending) in batch.outbox {
            self.outbox.set(model, key, pending);
        }
        for (model, cursor) in batch.cursors {
            self.cursors[model.index()] = cursor;
        }
        // Counting is for large batches only: what is saved one by one costs nothing more.
        if batch.records.len() > Table::FEW {
            for (model, table) in ModelId::first(self.tables.len()).zip(&mut self.tables) {
                table.expect(batch.records.iter().filter(|(of, ..)| *of == model).count());
            }
        }
        let records = batch.records.into_iter().zip(waited.into_iter().chain(repeat(false)));
        let applied = records.map(|((model, key, after), waited)| {
            let table = &mut self.tables[model.index()];
            let (place, before) = table.set(&key, after.clone());
            let cause = Cause::of(before.as_ref(), after.as_ref(), waited);
            Applied { model, key, before, after, place, cause }
        });
        applied.collect()
    }

    /// Forgets everything, as [`LogEntry::Reset`] says, and tells which records went.
    fn empty(&mut self) -> Vec<Applied> {
        let mut gone = Vec::new();
        for (model, table) in ModelId::first(self.tables.len()).zip(&self.tables) {
            gone.extend(table.keys().map(|key| Applied {
                model,
                key: key.clone(),
                before: table.get(key).cloned(),
                after: None,
                place: table.slot(key).unwrap_or_default(),
                cause: Cause::Local,
            }));
        }
        let fresh = Self::new(Rc::clone(&self.schema));
        (self.tables, self.cursors) = (fresh.tables, fresh.cursors);
        self.outbox = fresh.outbox;
        self.orphans.clear();
        gone
    }

    /// A key's place in the order in which the store first saw the keys of a model.
    #[must_use]
    pub fn place(&self, model: ModelId, key: &Key) -> Option<u32> {
        self.tables[model.index()].slot(key)
    }

    /// Notes where the log ends now.
    pub fn advance(&mut self, position: LogPosition) {
        self.position = position;
    }

    /// Where the log ends, as far as this store has seen it.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        self.position
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The schema, shared.
    #[must_use]
    pub fn shared_schema(&self) -> Rc<Schema> {
        Rc::clone(&self.schema)
    }

    /// A record, tombstones included.
    #[must_use]
    pub fn record(&self, model: ModelId, key: &Key) -> Option<&Record> {
        self.tables[model.index()].get(key)
    }

    /// The live record of a key given as text.
    #[must_use]
    pub fn live_record(&self, model: ModelId, key: &str) -> Option<&Record> {
        let table = self.table(model);
        table.live_slot(key).and_then(|slot| table.record(slot))
    }

    /// Every key of a model, tombstones included.
    pub fn keys(&self, model: ModelId) -> impl Iterator<Item = &Key> {
        self.tables[model.index()].keys()
    }

    /// Every record of a model with its key, in the order in which this store first saw the keys,
    /// tombstones included.
    pub fn rows(&self, model: ModelId) -> impl Iterator<Item = (&Key, &Record)> {
        self.tables[model.index()].rows()
    }

    /// How many records of a model are no tombstones.
    #[must_use]
    pub fn live_count(&self, model: ModelId) -> usize {
        self.tables[model.index()].live_count()
    }

    pub(crate) fn table(&self, model: ModelId) -> &Table {
        &self.tables[model.index()]
    }

    /// What waits to be sent.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// How far a model is synced.
    #[must_use]
    pub fn cursor(&self, model: ModelId) -> Option<Cursor> {
        self.cursors[model.index()]
    }
}

fn encode_layout(entry: fn(Layout) -> LogEntry, schema: &Schema) -> Vec<u8> {
    let layout = Layout::of(schema);
    encode(&entry(layout.clone()), &layout)
}
