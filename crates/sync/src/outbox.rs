//! What a user's write does to the record's outbox entry.
//!
//! Invariants:
//! - A record has at most one entry; its sequence number never changes.
//! - An entry with neither fields nor a delete does not exist.
//! - A create that may have left is never taken back: its delete follows it.

use std::collections::BTreeMap;

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{Edit, FieldId, Key, Model, ModelId, Patch, Predicate, Record, Value};
use espressync_store::{Attempt, Draft, Pending, PendingField, Store};

use crate::import::is_guess;
use crate::merge::laid_over;

/// How many values of a field on their way are remembered. Beyond that the oldest is forgotten,
/// and its echo is taken for another's write.
const MAX_EARLIER: usize = 16;

/// Notes the creation of a record.
pub(crate) fn create(draft: &mut Draft<'_>, model: ModelId, key: &Key, record: &Record) {
    let definition = draft.schema().model(model);
    if definition.is_local {
        return;
    }
    let mut pending = Pending::new(draft.take_sequence(), None);
    for (field, value) in Patch::whole(&record.row).iter() {
        if !definition.at(field).is_read_only {
            pending.fields.insert(field, waiting(value.clone()));
        }
    }
    draft.set_pending(model, key.clone(), Some(pending));
}

/// Notes what is done to fields of a record that is stored. Returns the record as it is with all
/// that waits, where there is a server's record below.
pub(crate) fn update(
    draft: &mut Draft<'_>,
    model: ModelId,
    key: &Key,
    stored: &Record,
    edit: &Edit,
) -> Option<Record> {
    if draft.schema().model(model).is_local {
        return None;
    }
    let mut pending = entry(draft, model, key, stored);
    for (field, value) in edit.set.iter() {
        set(&mut pending, field, value);
    }
    for (field, amount) in edit.add.iter() {
        add(&mut pending, field, amount);
    }
    pending.rejection = None;
    pending.unheeded = 0;
    let record = pending.base.as_ref().map(|base| laid_over(base, &pending));
    draft.set_pending(model, key.clone(), Some(pending).filter(|pending| !pending.is_idle()));
    record
}

/// A value set is the last word: what was to be added before is in it.
fn set(pending: &mut Pending, field: FieldId, value: &Value) {
    pending.additions.remove(&field);
    let added = pending.attempt.as_ref().and_then(|attempt| attempt.additions.get(&field));
    let added = added.and_then(|(from, amount)| from.plus(amount));
    let is_attempted = pending.is_attempted;
    let waits = pending.fields.entry(field).or_insert_with(|| waiting(value.clone()));
    if waits.value != *value {
        let before = std::mem::replace(&mut waits.value, value.clone());
        if is_attempted {
            remember(waits, before);
        }
    }
    // An addition that left before may yet be carried out: its sum is no other's write.
    if let Some(sum) = added {
        remember(waits, sum);
    }
    let is_undone =
        !is_attempted && known(pending).is_some_and(|base| base.row.get(field) == value);
    if is_undone {
        pending.fields.remove(&field);
    }
}

/// The base, if its row is the server's.
fn known(pending: &Pending) -> Option<&Record> {
    pending.base.as_ref().filter(|base| !is_guess(base))
}

pub(crate) fn remember(waits: &mut PendingField, value: Value) {
    if !waits.earlier.contains(&value) {
        waits.earlier.push(value);
        if waits.earlier.len() > MAX_EARLIER {
            waits.earlier.remove(0);
        }
    }
}

/// An amount joins a value that has not left yet; else it waits on top of what the server shows.
fn add(pending: &mut Pending, field: FieldId, amount: &Value) {
    if !pending.is_attempted
        && let Some(waits) = pending.fields.get_mut(&field)
        && let Some(sum) = waits.value.plus(amount)
    {
        waits.value = sum;
        return;
    }
    if pending.base.is_none() && !pending.is_attempted {
        pending.fields.insert(field, waiting(amount.clone()));
        return;
    }
    let waits = pending.additions.remove(&field).unwrap_or_default();
    let sum = waits.plus(amount).unwrap_or_else(|| amount.clone());
    // One added to nothing and taken away again leaves 0, not nothing: that is owed too.
    let is_nothing = pending.base.as_ref().is_some_and(|base| base.row.get(field).is_null());
    let is_on_its_way =
        pending.attempt.as_ref().is_some_and(|it| it.additions.contains_key(&field));
    if sum.as_number() != Some(0.0) || (is_nothing && !is_on_its_way) {
        pending.additions.insert(field, sum);
    }
}

/// Fixes what an entry asks for before it is sent for the first time: additions that wait become
/// an attempt of this name on the server's record.
pub(crate) fn mark(pending: &mut Pending, once: u64) {
    pending.is_attempted = true;
    let Some(base) = &pending.base else { return };
    // Fields go first, then additions on what has become of them.
    if pending.is_undelete || pending.is_delete || !pending.fields.is_empty() {
        return;
    }
    if !pending.additions.is_empty() && pending.attempt.is_none() {
        let waits = std::mem::take(&mut pending.additions);
        let mut additions = BTreeMap::new();
        for (field, amount) in waits {
            additions.insert(field, (base.row.get(field).clone(), amount));
        }
        pending.attempt = Some(Attempt { once, version: base.meta.version, additions });
    }
}

/// Takes an attempt back: the server has refused it, and will whenever it comes again.
pub(crate) fn withdraw(pending: &mut Pending) {
    let Some(attempt) = pending.attempt.take() else { return };
    for (field, (from, amount)) in attempt.additions {
        // A value that was set since is the last word, and the sum is no longer on its way.
        if let Some(waits) = pending.fields.get_mut(&field) {
            waits.earlier.retain(|value| Some(value) != from.plus(&amount).as_ref());
        } else {
            let waits = pending.additions.remove(&field).unwrap_or_default();
            let sum = amount.plus(&waits).unwrap_or(amount);
            if sum.as_number() != Some(0.0) {
                pending.additions.insert(field, sum);
            }
        }
    }
}

/// Notes the deletion of a record that is stored. Returns whether the server may know the record,
/// so that a tombstone must stay.
pub(crate) fn delete(draft: &mut Draft<'_>, model: ModelId, key: &Key, stored: &Record) -> bool {
    if draft.schema().model(model).is_local {
        return false;
    }
    let mut pending = entry(draft, model, key, stored);
    let is_unknown_there = !pending.is_attempted || pending.rejection.is_some();
    if pending.base.is_none() && is_unknown_there {
        draft.set_pending(model, key.clone(), None);
        return false;
    }
    if pending.base.is_some() {
        pending.fields.clear();
    }
    pending.additions.clear();
    pending.attempt = None;
    pending.rejection = None;
    let is_tombstone = pending.base.as_ref().is_some_and(|base| base.meta.deleted);
    if pending.is_undelete && is_tombstone && !pending.is_attempted {
        // It was about to be brought back, and never was.
        draft.set_pending(model, key.clone(), None);
        return true;
    }
    pending.is_undelete = false;
    pending.is_delete = true;
    draft.set_pending(model, key.clone(), Some(pending));
    true
}

/// Notes that a record that is a tombstone here is to be brought back.
pub(crate) fn undelete(draft: &mut Draft<'_>, model: ModelId, key: &Key, stored: &Record) {
    let definition = draft.schema().model(model);
    let mut pending = entry(draft, model, key, stored);
    pending.rejection = None;
    pending.unheeded = 0;
    // A delete that has not left is taken back. One that may have is undone when it is answered.
    let may_be_gone = pending.is_delete && pending.is_attempted;
    pending.is_undelete =
        pending.base.as_ref().is_some_and(|base| may_be_gone || base.meta.deleted);
    pending.is_delete = false;
    if let Some(base) = &pending.base {
        let edits = Patch::between(&base.row, &stored.row);
        for (field, value) in edits.iter().filter(|(field, _)| !definition.at(*field).is_read_only)
        {
            pending.fields.insert(field, waiting(value.clone()));
        }
    }
    draft.set_pending(model, key.clone(), Some(pending).filter(|pending| !pending.is_idle()));
}

/// The record's entry, or a new one based on the server's record as it is stored.
fn entry(draft: &mut Draft<'_>, model: ModelId, key: &Key, stored: &Record) -> Pending {
    match draft.pending(model, key) {
        Some(pending) => pending.clone(),
        None => {
            let base = (stored.meta.version > 0).then(|| stored.clone());
            Pending::new(draft.take_sequence(), base)
        }
    }
}

pub(crate) fn waiting(value: Value) -> PendingField {
    PendingField { value, earlier: Vec::new() }
}

/// What would be sent for a record now, if anything waits.
#[must_use]
pub fn waiting_mutation(store: &Store, model: ModelId, key: &Key) -> Option<Mutation> {
    let pending = store.outbox().get(model, key)?;
    Some(mutation(store.schema().model(model), model, key, pending))
}

/// The mutation that an entry asks for now.
pub(crate) fn mutation(
    definition: &Model,
    model: ModelId,
    key: &Key,
    pending: &Pending,
) -> Mutation {
    if let (Some(base), Some(attempt)) = (&pending.base, &pending.attempt) {
        return addition(definition, model, key, (base, attempt));
    }
    let base = known(pending);
    let mut fields: Patch =
        pending.fields.iter().map(|(field, waits)| (*field, next(*field, waits, base))).collect();
    let (operation, version) = match &pending.base {
        None => {
            complete_keys(definition, &mut fields, |_| Value::Null);
            (Operation::Create, 0)
        }
        Some(base) if pending.is_delete => (Operation::Delete, base.meta.version),
        Some(_) if pending.is_undelete => (Operation::Undelete, 0),
        Some(base) => {
            complete(definition, &mut fields, base);
            (Operation::Update, base.meta.version)
        }
    };
    if operation == Operation::Undelete {
        fields = Patch::default();
    }
    let condition = Predicate::All;
    Mutation { model, key: key.clone(), operation, fields, version, condition, once: None }
}

/// The value that a field is sent with. One that was taken back while another may have left goes
/// second: as it changes nothing, the server would make no version of it, and a late copy of the
/// other would find the field as it was and be taken. Once the other is answered, the field has
/// been there and back, which no merge takes for unchanged. Lists merge by what was added and
/// removed, so an older one must not go on a newer version.
fn next(field: FieldId, waits: &PendingField, base: Option<&Record>) -> Value {
    let taken_back = base.map(|base| base.row.get(field)).filter(|was| **was == waits.value);
    let taken_back = taken_back.filter(|was| !matches!(was, Value::List(_)));
    let is_other = |value: &&Value, was: &Value| *value != was && !matches!(value, Value::List(_));
    let left = taken_back.and_then(|was| waits.earlier.iter().find(|value| is_other(value, was)));
    left.unwrap_or(&waits.value).clone()
}

/// The mutation of additions on their way. Where the server does not know names, it carries out
/// what meets the condition: another's write in between makes it refuse. What AppSync then cannot
/// tell is whether it was this very mutation, sent before, whose answer was lost.
fn addition(
    definition: &Model,
    model: ModelId,
    key: &Key,
    (base, attempt): (&Record, &Attempt),
) -> Mutation {
    let (mut fields, mut conditions) = (Patch::default(), Vec::new());
    for (field, (from, amount)) in &attempt.additions {
        fields.set(*field, from.plus(amount).unwrap_or_default());
        conditions.push((*field).eq(from.clone()));
    }
    complete(definition, &mut fields, base);
    Mutation {
        model,
        key: key.clone(),
        operation: Operation::Update,
        fields,
        version: attempt.version,
        condition: Predicate::And(conditions),
        once: Some(attempt.once),
    }
}

/// Adds the key, and the rest of what an index sorts by.
fn complete(definition: &Model, fields: &mut Patch, base: &Record) {
    for field in &definition.key {
        fields.set(*field, base.row.get(*field).clone());
    }
    complete_keys(definition, fields, |field| base.row.get(field).clone());
}

/// Adds what is missing where a part of what an index sorts by is written: AppSync stores it as
/// one text and refuses less than all of it. A merge takes what is as it was for no change.
fn complete_keys(definition: &Model, fields: &mut Patch, value: impl Fn(FieldId) -> Value) {
    for index in definition.indexes.iter().filter(|index| index.fields.len() > 2) {
        let parts = &index.fields[1..];
        if parts.iter().any(|part| fields.get(*part).is_some()) {
            for part in parts {
                if fields.get(*part).is_none() {
                    fields.set(*part, value(*part));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use espressync_model::{Field, Meta, Row, Scalar};

    use super::*;

    #[test]
    fn a_part_of_a_composite_key_is_sent_with_the_rest() {
        let field = |name: &str| Field::new(name, Scalar::String);
        let ids = |ids: &[u16]| ids.iter().map(|id| FieldId(*id)).collect::<Vec<_>>();
        let names = ["id", "shop", "day", "till", "note"];
        let visit = names
            .into_iter()
            .fold(Model::new("Visit", "Visits"), |model, name| model.field(field(name)));
        let visit =
            visit.index("byShop", ids(&[1, 2, 3]), None).index("byTill", ids(&[3, 4]), None);
        let row = Row::new(vec!["v".into(), "s".into(), "d".into(), Value::Null, "n".into()]);
        let base = Record { row, meta: Meta { version: 3, ..Meta::default() } };
        let sent = |base: Option<&Record>, field: u16| {
            let mut pending = Pending::new(0, base.cloned());
            pending.fields.insert(FieldId(field), waiting("x".into()));
            let sent = mutation(&visit, ModelId(0), &Key::from("v"), &pending).fields;
            sent.iter().map(|(field, value)| (field.0, value.clone())).collect::<Vec<_>>()
        };
        let text = |text: &str| Value::from(text);
        let whole = vec![(0, text("v")), (2, text("d")), (3, text("x"))];
        assert_eq!(sent(Some(&base), 3), whole);
        assert_eq!(sent(Some(&base), 2)[1..], [(2, text("x")), (3, Value::Null)]);
        assert_eq!(sent(Some(&base), 4), [(0, text("v")), (4, text("x"))]);
        assert_eq!(sent(Some(&base), 1), [(0, text("v")), (1, text("x"))]);
        assert_eq!(sent(None, 2), [(2, text("x")), (3, Value::Null)]);
    }
}
