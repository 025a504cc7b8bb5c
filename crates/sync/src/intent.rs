use std::collections::BTreeSet;

use espressync_model::remote::{Mutation, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{Key, Model, ModelId, Patch, Predicate, Record, Row, Timestamp};
use espressync_store::{Batch, Draft, Rejection, Store};

use crate::merge::{discard, receive};
use crate::{SyncError, outbox};

/// A change that someone wants made to the store. It is looked at when its turn comes, against
/// the store as it then is.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// A user's writes: all or none.
    Write(Vec<Write>),
    /// Records from the server.
    Receive(ModelId, Vec<Record>),
    /// The answer to a mutation: the stored record, or a refusal that will not change.
    Acknowledge(Mutation, Result<Record, RemoteError>),
    /// These entries are about to be sent.
    MarkSent(Vec<(ModelId, Key)>),
    /// A model's sync has read its last page.
    FinishSync {
        /// The model.
        model: ModelId,
        /// When the server began: the next sync asks from here.
        started_at: Timestamp,
        /// Whether it read everything.
        is_full: bool,
        /// After a base sync, every key it held: what is not among them is gone. `None` where
        /// that is not known.
        seen: Option<BTreeSet<Key>>,
    },
    /// Sends a refused entry again.
    Retry(ModelId, Key),
    /// Gives up an entry; the record is what the server last showed.
    Discard(ModelId, Key),
}

/// One write of a user's.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Stores a row: a new record, or the fields in which it differs from the stored one.
    Save(ModelId, Row),
    /// Changes fields of a stored record, if it meets the condition.
    Update(ModelId, Key, Patch, Predicate),
    /// Deletes a stored record, if it meets the condition.
    Delete(ModelId, Key, Predicate),
}

/// What a run of intents comes to.
#[derive(Debug)]
pub struct Prepared {
    /// What to store, all at once.
    pub batch: Batch,
    /// For each intent the records it wrote, or why it was not taken.
    pub outcomes: Vec<Result<Vec<(ModelId, Record)>, SyncError>>,
}

/// Turns intents, in order, into one batch. One that is refused leaves no trace in it.
#[must_use]
pub fn prepare(store: &Store, intents: &[Intent]) -> Prepared {
    let mut draft = Draft::new(store);
    let outcomes = intents.iter().map(|intent| carry_out(&mut draft, intent)).collect();
    Prepared { batch: draft.into_batch(), outcomes }
}

type Outcome = Result<Vec<(ModelId, Record)>, SyncError>;

fn carry_out(draft: &mut Draft<'_>, intent: &Intent) -> Outcome {
    match intent {
        Intent::Write(writes) => return write_all(draft, writes),
        Intent::Receive(model, records) => {
            for record in records {
                receive(draft, *model, record, None);
            }
        }
        Intent::Acknowledge(sent, Ok(record)) => receive(draft, sent.model, record, Some(sent)),
        Intent::Acknowledge(sent, Err(error)) => refused(draft, sent, error),
        Intent::MarkSent(places) => {
            for (model, key) in places {
                amend(draft, *model, key, |pending| pending.is_attempted = true);
            }
        }
        Intent::FinishSync { model, started_at, is_full, seen } => {
            let mut cursor = draft.cursor(*model).unwrap_or_default();
            cursor.last_sync = *started_at;
            if *is_full {
                cursor.last_full_sync = *started_at;
            }
            draft.set_cursor(*model, cursor);
            if let Some(seen) = seen {
                prune(draft, *model, *started_at, seen);
            }
        }
        Intent::Retry(model, key) => amend(draft, *model, key, |pending| {
            pending.rejection = None;
            pending.unheeded = 0;
        }),
        Intent::Discard(model, key) => discard(draft, *model, key),
    }
    Ok(Vec::new())
}

/// Checks every write before the first is made, so that all are made or none. Several are checked
/// on a trial of the whole, as one may build on another.
fn write_all(draft: &mut Draft<'_>, writes: &[Write]) -> Outcome {
    if let [only] = writes {
        check(draft, only)?;
    } else {
        let mut trial = draft.clone();
        for write in writes {
            check(&trial, write)?;
            make(&mut trial, write);
        }
    }
    Ok(writes.iter().filter_map(|write| make(draft, write)).collect())
}

fn check(draft: &Draft<'_>, write: &Write) -> Result<(), SyncError> {
    let schema = draft.schema();
    match write {
        Write::Save(model, row) => {
            let definition = schema.model(*model);
            definition.check(schema, row)?;
            let key = definition.key_of(row)?;
            match draft.record(*model, &key) {
                Some(stored) if stored.meta.deleted => Err(deleted(definition, &key)),
                Some(_) | None => Ok(()),
            }
        }
        Write::Update(model, key, patch, condition) => {
            let definition = schema.model(*model);
            check_fields(definition, patch)?;
            let stored = stored(draft, *model, key, condition)?;
            Ok(definition.check(schema, &stored.row.with(patch))?)
        }
        Write::Delete(model, key, condition) => stored(draft, *model, key, condition).map(|_| ()),
    }
}

fn check_fields(model: &Model, patch: &Patch) -> Result<(), SyncError> {
    for (id, _) in patch.iter() {
        let reason = match model.fields.get(id.index()) {
            None => "the model has no such field",
            Some(_) if model.key.contains(&id) => "it is part of the key",
            Some(field) if field.is_read_only => "only the server writes it",
            Some(_) => continue,
        };
        let field = model.fields.get(id.index());
        let field = field.map_or_else(|| format!("field {}", id.0), |field| field.name.clone());
        return Err(SyncError::ReadOnly { model: model.name.clone(), field, reason });
    }
    Ok(())
}

/// The live record of a key, if it meets the condition.
fn stored<'d>(
    draft: &'d Draft<'_>,
    model: ModelId,
    key: &Key,
    condition: &Predicate,
) -> Result<&'d Record, SyncError> {
    let definition = draft.schema().model(model);
    match draft.record(model, key) {
        None => Err(SyncError::NotFound { model: definition.name.clone(), key: key.to_string() }),
        Some(record) if record.meta.deleted => Err(deleted(definition, key)),
        Some(record) if !condition.matches(&record.row) => {
            Err(SyncError::ConditionFailed { model: definition.name.clone(), key: key.to_string() })
        }
        Some(record) => Ok(record),
    }
}

fn deleted(model: &Model, key: &Key) -> SyncError {
    SyncError::Deleted { model: model.name.clone(), key: key.to_string() }
}

/// Makes a write that was checked. A second write to a record that the first deleted does nothing.
fn make(draft: &mut Draft<'_>, write: &Write) -> Option<(ModelId, Record)> {
    match write {
        Write::Save(model, row) => {
            let key = draft.schema().model(*model).key_of(row).ok()?;
            match draft.record(*model, &key).cloned() {
                None => Some((*model, create(draft, *model, &key, row))),
                Some(stored) => {
                    let patch = writable(draft.schema().model(*model), &stored.row, row);
                    Some((*model, change(draft, *model, &key, &stored, &patch)))
                }
            }
        }
        Write::Update(model, key, patch, _) => {
            let stored = draft.record(*model, key).filter(|record| !record.meta.deleted)?.clone();
            Some((*model, change(draft, *model, key, &stored, patch)))
        }
        Write::Delete(model, key, _) => {
            let mut record = draft.record(*model, key)?.clone();
            let leaves_tombstone = outbox::delete(draft, *model, key, &record);
            record.meta.deleted = true;
            if leaves_tombstone {
                draft.put(*model, key.clone(), record.clone());
            } else {
                draft.remove(*model, key.clone());
            }
            Some((*model, record))
        }
    }
}

/// The differences that a client may write.
fn writable(model: &Model, old: &Row, new: &Row) -> Patch {
    let mut patch = Patch::between(old, new);
    patch.retain(|field, _| !model.at(field).is_read_only);
    patch
}

fn create(draft: &mut Draft<'_>, model: ModelId, key: &Key, row: &Row) -> Record {
    let record = Record::local(row.clone());
    outbox::create(draft, model, key, &record);
    draft.put(model, key.clone(), record.clone());
    record
}

fn change(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    stored: &Record,
    patch: &Patch,
) -> Record {
    if patch.is_empty() {
        return stored.clone();
    }
    outbox::update(draft, model, key, stored, patch);
    let record = Record { row: stored.row.with(patch), meta: stored.meta };
    draft.put(model, key.clone(), record.clone());
    record
}

/// A definite refusal. With the server's record at hand the change is based on that and sent
/// again; where that cannot help, the entry is set aside for a person.
fn refused(draft: &mut Draft<'_>, sent: &Mutation, error: &RemoteError) {
    let (model, key) = (sent.model, &sent.key);
    match (error.kind, &error.stored) {
        (RemoteErrorKind::ConditionFailed, Some(_)) if is_foreign(draft, sent) => {}
        (RemoteErrorKind::Conflict | RemoteErrorKind::ConditionFailed, Some(stored)) => {
            receive(draft, model, stored, None);
            let stands_still = draft
                .pending(model, key)
                .and_then(|pending| pending.base.as_ref())
                .is_some_and(|base| base.meta.version == sent.version);
            if !stands_still {
                return;
            }
        }
        (RemoteErrorKind::ConditionFailed, None) if sent.operation == Operation::Delete => {
            // The server has no such record, so it is as deleted as it can be.
            draft.set_pending(model, key.clone(), None);
            draft.remove(model, key.clone());
            return;
        }
        _ => {}
    }
    let rejection = Rejection { kind: error.kind, message: error.message.clone() };
    let definition = draft.schema().model(model);
    let is_what_was_sent = draft.pending(model, key).is_some_and(|pending| {
        let now = outbox::mutation(definition, model, key, pending);
        (now.operation, &now.fields) == (sent.operation, &sent.fields)
    });
    // What has been edited since deserves its own answer.
    if is_what_was_sent {
        amend(draft, model, key, |pending| pending.rejection = Some(rejection));
    }
}

/// Whether a refused create met a record that someone else made under the same key: ids that
/// clients make up are their own, other keys need not be.
fn is_foreign(draft: &Draft<'_>, sent: &Mutation) -> bool {
    sent.operation == Operation::Create && !draft.schema().model(sent.model).has_managed_id()
}

fn amend(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    change: impl FnOnce(&mut espressync_store::Pending),
) {
    if let Some(mut pending) = draft.pending(model, key).cloned() {
        change(&mut pending);
        draft.set_pending(model, key.clone(), Some(pending));
    }
}

/// Removes what a base sync did not hold.
fn prune(draft: &mut Draft<'_>, model: ModelId, started_at: Timestamp, seen: &BTreeSet<Key>) {
    for key in draft.keys(model) {
        if !seen.contains(&key) && is_gone(draft, model, &key, started_at) {
            draft.remove(model, key);
        }
    }
}

/// Whether a record that a base sync did not hold is gone from the server: it was there, nothing
/// waits to be sent for it, and it is not newer than the sync.
fn is_gone(draft: &Draft<'_>, model: ModelId, key: &Key, started_at: Timestamp) -> bool {
    draft.pending(model, key).is_none()
        && draft
            .record(model, key)
            .is_some_and(|record| record.meta.version > 0 && record.meta.changed_at < started_at)
}
