use std::collections::BTreeSet;

use espressync_model::remote::{Mutation, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{Key, ModelId, Predicate, Record, Timestamp};
use espressync_store::{Batch, Draft, Rejection, Store};

use crate::merge::{discard, receive};
use crate::write::{Outcome, write_all};
use crate::{Import, SyncError, Transact, Write, outbox};

/// A change that someone wants made to the store. It is looked at when its turn comes, against
/// the store as it then is.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// A user's writes: all or none.
    Write(Vec<Write>),
    /// What a user decides by what is stored: all or nothing.
    Transact(Transact),
    /// Queues the records that are only here, from when their models were local.
    Adopt,
    /// What another software kept for this app, into a store that is empty.
    Import(Import),
    /// Records from the server.
    Receive(ModelId, Vec<Record>),
    /// The answer to a mutation: the stored record, or a refusal that will not change.
    Acknowledge(Mutation, Result<Record, RemoteError>),
    /// These entries are about to be sent; the number is a name that no other mutation has.
    MarkSent(Vec<(ModelId, Key, u64)>),
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

fn carry_out(draft: &mut Draft<'_>, intent: &Intent) -> Outcome {
    match intent {
        Intent::Write(writes) => return write_all(draft, writes),
        Intent::Transact(transact) => return transact.carry_out(draft),
        Intent::Adopt => return Ok(adopt(draft)),
        Intent::Import(import) => return import.carry_out(draft),
        Intent::Receive(model, records) => {
            for record in records {
                receive(draft, *model, record, None);
            }
        }
        Intent::Acknowledge(sent, Ok(record)) => receive(draft, sent.model, record, Some(sent)),
        Intent::Acknowledge(sent, Err(error)) => refused(draft, sent, error),
        Intent::MarkSent(places) => {
            for (model, key, once) in places {
                amend(draft, *model, key, |pending| outbox::mark(pending, *once));
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

fn adopt(draft: &mut Draft<'_>) -> Vec<(ModelId, Record)> {
    let mut adopted = Vec::new();
    for (model, _) in draft.schema().models().filter(|(_, it)| !it.is_local) {
        for key in draft.matching(model, &Predicate::All) {
            let is_owed = draft.pending(model, &key).is_some();
            let record = draft.record(model, &key).filter(|it| it.meta.version == 0 && !is_owed);
            if let Some(record) = record.cloned() {
                outbox::create(draft, model, &key, &record);
                adopted.push((model, record));
            }
        }
    }
    adopted
}

/// A definite refusal. With the server's record at hand the change is based on that and sent
/// again; where that cannot help, the entry is set aside for a person.
fn refused(draft: &mut Draft<'_>, sent: &Mutation, error: &RemoteError) {
    let (model, key) = (sent.model, &sent.key);
    let definition = draft.schema().model(model);
    let is_what_was_sent = draft.pending(model, key).is_some_and(|pending| {
        let now = outbox::mutation(definition, model, key, pending);
        match sent.once {
            Some(_) => now.once == sent.once,
            None => (now.operation, &now.fields) == (sent.operation, &sent.fields),
        }
    });
    if is_what_was_sent && sent.once.is_some() {
        amend(draft, model, key, |pending| {
            outbox::withdraw(pending);
            pending.is_attempted = false;
        });
    }
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
        (RemoteErrorKind::ConditionFailed, None) if sent.operation == Operation::Undelete => {
            // Its tombstone is gone for good, so it is made anew.
            return recreate(draft, model, key);
        }
        _ => {}
    }
    let rejection = Rejection { kind: error.kind, message: message_of(draft, sent, error) };
    // What has been edited since deserves its own answer.
    if is_what_was_sent {
        amend(draft, model, key, |pending| pending.rejection = Some(rejection));
    }
}

fn recreate(draft: &mut Draft<'_>, model: ModelId, key: &Key) {
    if let Some(shown) = draft.record(model, key).filter(|record| !record.meta.deleted) {
        let record = Record::local(shown.row.clone());
        outbox::create(draft, model, key, &record);
        draft.put(model, key.clone(), record);
    }
}

/// The server's words, and ours where it does not know what it was asked.
fn message_of(draft: &Draft<'_>, sent: &Mutation, error: &RemoteError) -> String {
    if sent.operation != Operation::Undelete || error.kind != RemoteErrorKind::Invalid {
        return error.message.clone();
    }
    format!(
        "this server cannot bring {} {} back, as AWS AppSync has no undelete; discard the change, \
         or save the record under a new key. It said: {}",
        draft.schema().model(sent.model).name,
        sent.key,
        error.message
    )
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
