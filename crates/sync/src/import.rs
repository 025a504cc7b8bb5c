//! Taking over what another software kept: rows as the user saw them, and queued mutations.
//!
//! Amplify queues one mutation per save and we one entry per record, so the mutations of a record
//! are laid over one another. Decisions, each in favour of never losing an edit:
//! - Amplify keeps no server's row below a changed one. The entry's base is then a *guess*: the
//!   version is the mutation's, the row is the one shown. What the server shows meanwhile is never
//!   taken for another's write: the edit waits until it is shown or answered. The version is sent
//!   as Amplify would have sent it, so that the server merges as it would have.
//! - The head of the queue may have left: its create is not taken back, its delete follows it.
//! - An update of a record that the server never had is its create.
//! - Conditions were met when the user saved; as with our own saves, they are not sent.

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{Meta, ModelId, Record, Row, Timestamp, Value};
use espressync_store::{Cursor, Draft, Pending};

use crate::write::Outcome;
use crate::{SyncError, outbox};

/// What is taken over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Import {
    /// Rows as the user saw them; version 0 where the server has never seen the record.
    pub records: Vec<(ModelId, Record)>,
    /// What waits to be sent, in order.
    pub mutations: Vec<Mutation>,
    /// How far models were synced.
    pub cursors: Vec<(ModelId, Cursor)>,
}

/// The moment of change of a base whose row nobody knows. No server's record has it.
const GUESSED: Timestamp = Timestamp(i64::MIN);

/// Whether a base's row is what the user saw, because the server's is not known.
pub(crate) fn is_guess(base: &Record) -> bool {
    base.meta.changed_at == GUESSED
}

impl Import {
    /// # Errors
    /// [`SyncError::NotEmpty`]; a row without a key.
    pub(crate) fn carry_out(&self, draft: &mut Draft<'_>) -> Outcome {
        let count: usize = draft.schema().models().map(|(id, _)| draft.keys(id).len()).sum();
        if count > 0 {
            return Err(SyncError::NotEmpty { count });
        }
        let mut keys = Vec::with_capacity(self.records.len());
        for (model, record) in &self.records {
            keys.push(draft.schema().model(*model).key_of(&record.row)?);
        }
        for ((model, record), key) in self.records.iter().zip(keys) {
            draft.put(*model, key, record.clone());
        }
        let schema = draft.schema();
        let sent = self.mutations.iter().filter(|it| !schema.model(it.model).is_local);
        for (position, mutation) in sent.enumerate() {
            queue(draft, mutation, position == 0);
        }
        for (model, cursor) in &self.cursors {
            draft.set_cursor(*model, *cursor);
        }
        Ok(Vec::new())
    }
}

/// Lays a queued mutation over the record's entry.
fn queue(draft: &mut Draft<'_>, mutation: &Mutation, is_head: bool) {
    let (model, key) = (mutation.model, &mutation.key);
    let stored = draft.record(model, key).cloned().unwrap_or_else(|| {
        let nothing = vec![Value::Null; draft.schema().model(model).fields.len()];
        let row = Row::new(nothing).with(&mutation.fields);
        Record { row, meta: Meta { version: mutation.version, ..Meta::default() } }
    });
    let version = if mutation.version > 0 { mutation.version } else { stored.meta.version };
    let is_known_there = draft.pending(model, key).is_some() || version > 0;
    let guess = Record {
        row: stored.row.clone(),
        meta: Meta { version, changed_at: GUESSED, deleted: false },
    };
    match mutation.operation {
        Operation::Delete => {
            let is_tombstone = outbox::delete(draft, model, key, &guess);
            if !is_tombstone {
                return draft.remove(model, key.clone());
            }
            let meta = Meta { version, deleted: true, ..stored.meta };
            draft.put(model, key.clone(), Record { row: stored.row, meta });
        }
        Operation::Create | Operation::Update | Operation::Undelete if is_known_there => {
            let pending = laid_on(draft, mutation, guess);
            let pending = Some(pending).filter(|pending| !pending.is_idle());
            draft.set_pending(model, key.clone(), pending);
            let row = stored.row.with(&mutation.fields);
            draft.put(model, key.clone(), Record { row, meta: stored.meta });
        }
        Operation::Create => {
            let sent = vec![Value::Null; draft.schema().model(model).fields.len()];
            let sent = Record::local(Row::new(sent).with(&mutation.fields));
            outbox::create(draft, model, key, &sent);
            draft.put(model, key.clone(), stored);
        }
        Operation::Update | Operation::Undelete => {
            let whole = Record::local(stored.row.with(&mutation.fields));
            outbox::create(draft, model, key, &whole);
            draft.put(model, key.clone(), whole);
        }
    }
    if is_head && let Some(mut pending) = draft.pending(model, key).cloned() {
        pending.is_attempted = true;
        draft.set_pending(model, key.clone(), Some(pending));
    }
}

fn laid_on(draft: &mut Draft<'_>, mutation: &Mutation, guess: Record) -> Pending {
    let (model, key) = (mutation.model, &mutation.key);
    let mut pending = match draft.pending(model, key) {
        Some(pending) => pending.clone(),
        None => Pending::new(draft.take_sequence(), Some(guess)),
    };
    let definition = draft.schema().model(model);
    for (field, value) in mutation
        .fields
        .iter()
        .filter(|(field, _)| !definition.key.contains(field) && !definition.at(*field).is_read_only)
    {
        let is_attempted = pending.is_attempted;
        let waits = pending.fields.entry(field).or_insert_with(|| outbox::waiting(value.clone()));
        let before = std::mem::replace(&mut waits.value, value.clone());
        if is_attempted && before != *value {
            outbox::remember(waits, before);
        }
    }
    pending
}
