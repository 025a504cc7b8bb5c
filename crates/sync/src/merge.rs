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
//! - A tombstone wins over edits; a delete that waits stays.

use espressync_model::remote::{Mutation, RemoteErrorKind};
use espressync_model::{Key, Meta, Model, ModelId, Record, Row, Value, merge_lists};
use espressync_store::{Draft, Pending, PendingField, Rejection};

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
    if record.meta.version < known {
        return;
    }
    let rebased =
        if record.meta.deleted { None } else { rebase(definition, pending, record, answered) };
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
    let base = pending.base.take().map(|base| base.row);
    let was = |field| base.as_ref().map_or(&Value::Null, |row: &Row| row.get(field));
    pending.fields.retain(|field, waits| {
        let asked = answered.and_then(|sent| sent.fields.get(*field));
        still_waits(waits, asked, was(*field), record.row.get(*field))
    });
    if let Some(sent) = answered {
        pending.is_attempted = false;
        note_unheeded(definition, &mut pending, sent);
    }
    if pending.is_delete {
        pending.fields.clear();
    } else if pending.fields.is_empty() {
        return None;
    }
    pending.base = Some(record.clone());
    Some(pending)
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
    let meta = Meta { deleted: pending.is_delete, ..record.meta };
    Record { row: record.row.with(&edits.collect()), meta }
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
