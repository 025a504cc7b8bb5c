//! What a record from the server does to the one stored here and to the edits that wait.
//!
//! One rule serves subscriptions, sync pages and answers to mutations, in whatever order and
//! however often they arrive:
//!
//! - A record older than the newest one known is ignored.
//! - A field that waits to be sent and that the server shows as we want it is done, unless another
//!   value of ours may still be on its way.
//! - One that the server has not changed since the base still waits, now based on the new record.
//!   So does one in which the server shows an earlier value of our own.
//! - One that another has changed to something else is theirs: the first to reach the server
//!   wins, as in the server's own merge (`resolver::merge`). Of lists both changes are merged.
//! - Where the base's row is a [guess](crate::import), an edit waits until it is shown or answered.
//! - A tombstone wins over edits; a delete that waits stays, and so does an undelete until a record
//!   that lives answers it.
//! - What waits to be added waits on top of whatever the server shows. Additions on their way are
//!   settled by the answer to them alone: a record that happens to show their sum may be another's
//!   doing. Until then the user sees them added, unless the record looks as if they were.

use espressync_model::remote::{Mutation, RemoteErrorKind};
use espressync_model::{
    FieldId, Key, Meta, Model, ModelId, Patch, Record, Row, Value, merge_lists,
};
use espressync_store::{Draft, Pending, PendingField, Rejection};

use crate::import;

/// How many answers in a row may leave a field as it was before the entry is set aside.
const MOST_UNHEEDED: u8 = 8;

/// Takes in a server's record. `answered` is the mutation it answers, if it answers one.
pub(crate) fn receive(
    draft: &mut Draft<'_>,
    model: ModelId,
    record: &Record,
    answered: Option<&Mutation>,
) {
    // A record that does not even have its key cannot be placed; the wire reports such.
    let definition = draft.schema().model(model);
    let Ok(key) = definition.key_of(&record.row) else { return };
    let Some(pending) = draft.pending(model, &key).cloned() else {
        let known = draft.record(model, &key).map_or(0, |stored| stored.meta.version);
        if record.meta.version >= known {
            draft.put(model, key, record.clone());
        }
        return;
    };
    let known = pending.base.as_ref().map_or(0, |base| base.meta.version);
    // An answer that was overtaken settles what it answers all the same.
    let newest = pending.base.clone().filter(|_| record.meta.version < known);
    let record = match &newest {
        Some(_) if answered.and_then(|sent| sent.once).is_none() => return,
        Some(newest) => newest,
        None => record,
    };
    let is_over = record.meta.deleted && !pending.is_undelete;
    let rebased = if is_over { None } else { rebase(definition, pending, record, answered) };
    let local = match &rebased {
        None => record.clone(),
        Some(pending) => laid_over(record, pending),
    };
    draft.put(model, key.clone(), local);
    draft.set_pending(model, key, rebased);
}

/// The entry as it is on the server's record; `None` when nothing is left to send.
fn rebase(
    definition: &Model,
    mut pending: Pending,
    record: &Record,
    answered: Option<&Mutation>,
) -> Option<Pending> {
    let base = pending.base.take();
    let is_guess = base.as_ref().is_some_and(import::is_guess);
    let base = base.map(|base| base.row);
    let was = |field| base.as_ref().map_or(&Value::Null, |row: &Row| row.get(field));
    pending.fields.retain(|field, waits| {
        let asked = answered.and_then(|sent| sent.fields.get(*field));
        if is_guess && asked.is_none() && waits.value != *record.row.get(*field) {
            return true;
        }
        still_waits(waits, asked, was(*field), record.row.get(*field))
    });
    // A delete that may be on its way can still make an end of the record that lives.
    if !record.meta.deleted && (answered.is_some() || !pending.is_attempted) {
        pending.is_undelete = false;
    }
    if let Some(sent) = answered {
        pending.attempt = pending.attempt.filter(|attempt| sent.once != Some(attempt.once));
        pending.is_attempted = pending.attempt.is_some();
        note_unheeded(definition, &mut pending, sent);
    }
    if pending.is_delete {
        pending.fields.clear();
    }
    pending.base = Some(record.clone());
    Some(pending).filter(|pending| !pending.is_idle())
}

/// Whether a field still waits to be sent. `asked` is what the answered mutation set it to.
fn still_waits(waits: &mut PendingField, asked: Option<&Value>, was: &Value, is: &Value) -> bool {
    if waits.value == *is {
        // An earlier value of ours may be on its way yet, and would win over the server's own.
        return !waits.earlier.is_empty() && asked != Some(&waits.value);
    }
    if is == was || waits.earlier.contains(is) {
        return true;
    }
    if let (Value::List(is_now), Value::List(wanted)) = (is, &waits.value) {
        let was: &[Value] = if let Value::List(was) = was { was } else { &[] };
        let merged = Value::List(merge_lists(was, is_now, wanted).into());
        if merged != *is {
            waits.earlier.push(std::mem::replace(&mut waits.value, merged));
            return true;
        }
    }
    false
}

/// A server may answer and leave a field as it was: once because the version was old, which the
/// next attempt mends. One that does so again and again has decided.
fn note_unheeded(definition: &Model, pending: &mut Pending, sent: &Mutation) {
    let mut waiting = pending.fields.iter();
    let Some((field, _)) =
        waiting.find(|(field, waits)| sent.fields.get(**field) == Some(&waits.value))
    else {
        pending.unheeded = 0;
        return;
    };
    pending.unheeded += 1;
    if pending.unheeded >= MOST_UNHEEDED {
        let (model, field) = (&definition.name, &definition.at(*field).name);
        let message = format!("the server answers and keeps its value of {model}.{field}");
        let kind = RemoteErrorKind::Conflict;
        pending.rejection = Some(Rejection { kind, message });
    }
}

/// What the user sees: the server's record with the waiting edits over it.
pub(crate) fn laid_over(record: &Record, pending: &Pending) -> Record {
    let edits = pending.fields.iter().map(|(field, waits)| (*field, waits.value.clone()));
    let mut edits: Patch = edits.collect();
    for (field, amount) in &unsettled(record, pending) {
        add(record, &mut edits, *field, amount);
    }
    for (field, amount) in &pending.additions {
        add(record, &mut edits, *field, amount);
    }
    let meta = Meta { deleted: pending.is_delete, ..record.meta };
    Record { row: record.row.with(&edits), meta }
}

fn add(record: &Record, edits: &mut Patch, field: FieldId, amount: &Value) {
    let sum = edits.get(field).unwrap_or(record.row.get(field)).plus(amount);
    edits.set(field, sum.unwrap_or_else(|| amount.clone()));
}

/// The additions on their way that this record does not seem to have.
fn unsettled(record: &Record, pending: &Pending) -> Vec<(FieldId, Value)> {
    let Some(attempt) = &pending.attempt else { return Vec::new() };
    let is_newer = record.meta.version > attempt.version;
    let mut fields = attempt.additions.iter();
    let shows_sums = fields.all(|(field, (from, amount))| {
        from.plus(amount).is_some_and(|sum| sum == *record.row.get(*field))
    });
    if is_newer && shows_sums {
        return Vec::new();
    }
    // A value set since is the last word.
    let fields = attempt.additions.iter().filter(|(field, _)| !pending.fields.contains_key(field));
    fields.map(|(field, (_, amount))| (*field, amount.clone())).collect()
}

/// Gives up an entry: the record is again what the server last showed.
pub(crate) fn discard(draft: &mut Draft<'_>, model: ModelId, key: &Key) {
    let Some(pending) = draft.pending(model, key).cloned() else { return };
    match pending.base {
        Some(base) => draft.put(model, key.clone(), base),
        None => draft.remove(model, key.clone()),
    }
    draft.set_pending(model, key.clone(), None);
}
