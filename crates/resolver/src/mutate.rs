//! The write algorithm (contract 4.2 to 4.4), where it is unsure decided in favour of never
//! losing data:
//!
//! - A create of an id that exists is success when it would make the very row that the first
//!   create made (where the journal no longer has that, the row that is stored): it is the same
//!   create, sent again after a lost answer. Anything else is refused with the stored record. So
//!   that nobody can try out guesses, it is refused as well if the caller may not read the record,
//!   or a field that they have sent; a hidden field that they have not sent is not compared. Times
//!   that the server sets are not compared either, nor is the default of a field that the schema
//!   has got since.
//! - An update of a tombstone changes its fields and leaves it deleted, so that an undelete finds
//!   the edit too. It does not undelete, even on the tombstone's own version.
//! - A write that changes nothing is answered with the stored record and makes no new version,
//!   whatever its version and the strategy: it is a write sent again, or one that agrees. But under
//!   strategies by which a stale write that differs is a conflict, one that sends a field which its
//!   caller may not read is a conflict too where it agrees: else it would tell a guess from a miss.
//!   On the stored version one may still guess, once: a miss overwrites what was asked about.
//! - A delete on an old version is a conflict under every strategy but that of a handler, which
//!   decides: the client looks at the stored record. A delete of a tombstone is done already.
//! - An undelete is an operation of its own, `undeleteX`, which AppSync has not. It is told as an
//!   update: an `aws-amplify` client merges any record that a subscription brings, and shows one
//!   whose `_deleted` is null, known to it or not; a create it would be only for who never saw it.
//!   Without a version it brings back whatever is there; on a version older than the tombstone's
//!   it is a conflict, as a delete is. The row is not checked against the schema, which may have
//!   moved on: better back and incomplete than gone.
//! - Who may not do what they ask gets the same answer whether there is such a record or not, so
//!   with `@auth` rules an update of a record that does not exist is `Unauthorized` (contract 1.6).
//!   A condition on a field that one may not read is so too, for it would tell of the field.
//!   Who may delete a record may undelete it.
//! - A mutation with a [name](Mutation::once) is carried out on exactly its version, under every
//!   strategy, and refused as a conflict on a newer one: so a copy of it that comes late finds
//!   its version gone and cannot count twice. Sent again after a lost answer it is known by the
//!   name, which the journal keeps; once the journal has forgotten it, it is a conflict.
//! - A version above the stored one (a server restored from a backup) is taken for the current
//!   one, and the next version is above both.
//! - Versions end at 2147483647, the largest GraphQL `Int`: a write that would go past it is
//!   refused. So that no caller can use them up, one that is further above the stored version than
//!   any backup explains is refused too.
//! - A record made under a key whose tombstone has been removed for good goes on from the
//!   tombstone's version instead of from 1: clients take a lower version for an older one.
//! - AppSync says `BadRequest` to a client that writes `_lastChangedAt` or `_deleted`. No input
//!   has them, so such a request fails validation, as with AppSync's generated API.
//! - The text of a failed condition says what failed, of which record. AppSync's has the request's
//!   id at DynamoDB instead; clients look at the type alone.

use espressync_model::remote::{Change, Mutation, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{
    Action, Field, FieldId, Meta, Model, ModelApi, Offer, Patch, Record, Row, Schema, Timestamp,
    Value,
};
use jiff::fmt::temporal::DateTimePrinter;

use crate::access::{Rights, Sight};
use crate::caller::Caller;
use crate::conflict::{ConflictStrategy, Decision, Resolution, bad_decision};
use crate::derived::Derived;
use crate::merge::{merge, merge_strict};
use crate::rules::Rules;
use crate::tables::Tables;

/// Prints milliseconds always. Every create prints two times, so no pattern is read for it.
const DATE_TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// How many versions since the client's own are looked at for changes that were taken back.
const MOST_BETWEEN: usize = 200;

/// How far above the stored version one may be. A backup that is a year old explains one change in
/// half a minute.
const MOST_AHEAD: u64 = 1_000_000;

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A new version was stored; subscribers are told.
    Written(Change),
    /// Everything it asks for is so already; nobody is told.
    Unchanged(Record),
    /// It was refused, and nothing is changed.
    Refused(RemoteError),
    /// It was made on an older version than this stored record, and a handler is to decide. Nothing
    /// is changed until [`settle`] is called with what it says.
    Contested(Record),
}

/// Carries out one mutation of a caller inside the backend's open transaction. `now` becomes the
/// record's `_lastChangedAt`, so it must not lie before the time of an earlier commit.
///
/// # Errors
/// The backend's own; refusals are an [`Outcome`].
pub fn mutate<T: Tables>(
    rules: &Rules,
    tables: &mut T,
    caller: &Caller,
    mutation: &Mutation,
    now: Timestamp,
) -> Result<Outcome, T::Error> {
    attempt(rules, tables, caller, (mutation, None), now)
}

/// Carries out a contested mutation as a handler has decided, by the same rules as [`mutate`]: who
/// may do it, whether the record is there, whether it meets the condition is asked anew. When the
/// record has changed since the handler saw it, it is [`Contested`](Outcome::Contested) again.
///
/// # Errors
/// The backend's own; refusals are an [`Outcome`].
pub fn settle<T: Tables>(
    rules: &Rules,
    tables: &mut T,
    caller: &Caller,
    mutation: &Mutation,
    decision: &Decision,
    now: Timestamp,
) -> Result<Outcome, T::Error> {
    attempt(rules, tables, caller, (mutation, Some(decision)), now)
}

fn attempt<T: Tables>(
    rules: &Rules,
    tables: &mut T,
    caller: &Caller,
    (mutation, decision): (&Mutation, Option<&Decision>),
    now: Timestamp,
) -> Result<Outcome, T::Error> {
    let (schema, strategy) = (rules.schema(), rules.strategy(mutation.model));
    let model = schema.model(mutation.model);
    let api = rules.model(mutation.model);
    let (rights, asked) = (Rights::of(model, &api.access, caller), mutation);
    let owned = with_owners(rights, asked);
    let mutation = owned.as_ref().unwrap_or(asked);
    let write = Write { schema, model, api, strategy, mutation, decision, now };
    let stored = tables.record(mutation.model, &mutation.key)?;
    if !rights.are_unlimited() && !write.is_allowed(rights, asked, stored.as_ref()) {
        return Ok(write.refuse_unauthorized(api));
    }
    match (mutation.operation, stored) {
        (Operation::Create, None) => write.create(tables),
        (Operation::Create, Some(stored)) => {
            let sight = rights.sight(Action::Get);
            write.create_again(tables, (&sight, &asked.fields), stored)
        }
        (_, None) => Ok(write.refuse_missing()),
        (_, Some(stored)) if write.is_repeat(tables)? => Ok(Outcome::Unchanged(stored)),
        (_, Some(stored)) if mutation.once.is_some() && write.is_stale(&stored) => {
            Ok(write.conflict(stored))
        }
        (_, Some(stored)) if !Derived::of(write.model).matches(&mutation.condition, &stored) => {
            Ok(write.refuse("The conditional request failed: the condition is not met", stored))
        }
        (_, Some(stored)) if mutation.version > stored.meta.version.saturating_add(MOST_AHEAD) => {
            Ok(write.refuse_version(mutation.version, stored))
        }
        (Operation::Update, Some(stored)) => write.update(tables, rights, stored),
        (Operation::Delete, Some(stored)) => write.delete(tables, stored),
        (Operation::Undelete, Some(stored)) => write.undelete(tables, stored),
    }
}

/// A create with the owners that it leaves to the server; `None` where there are none.
fn with_owners(rights: Rights<'_>, mutation: &Mutation) -> Option<Mutation> {
    if mutation.operation != Operation::Create {
        return None;
    }
    let owners = rights.owners(&mutation.fields);
    if owners.is_empty() {
        return None;
    }
    let mut owned = mutation.clone();
    owners.iter().for_each(|(field, owner)| owned.fields.set(field, owner.clone()));
    Some(owned)
}

/// One mutation with what it needs at hand.
struct Write<'a> {
    schema: &'a Schema,
    model: &'a Model,
    api: &'a ModelApi,
    strategy: ConflictStrategy,
    mutation: &'a Mutation,
    decision: Option<&'a Decision>,
    now: Timestamp,
}

impl Write<'_> {
    /// Whether the caller may do what they asked for at all, with what is stored as it is.
    fn is_allowed(&self, rights: Rights<'_>, asked: &Mutation, stored: Option<&Record>) -> bool {
        match (asked.operation, stored) {
            (Operation::Create, _) => rights.may_create(&asked.fields, &self.new_row()),
            (_, None) => false,
            (Operation::Update, Some(Record { row, .. })) => {
                rights.may_update(&asked.fields, row) && rights.may_ask(&asked.condition, row)
            }
            (Operation::Delete | Operation::Undelete, Some(Record { row, .. })) => {
                rights.may_delete(row) && rights.may_ask(&asked.condition, row)
            }
        }
    }

    /// The row that a create makes.
    fn new_row(&self) -> Row {
        let mut values = vec![Value::Null; self.model.fields.len()];
        for (id, field) in self.model.fields() {
            let sent = self.mutation.fields.get(id).filter(|value| !value.is_null());
            values[id.index()] = match sent {
                Some(value) => value.clone(),
                None => self.filled_in(id, field),
            };
        }
        Row::new(values)
    }

    fn create<T: Tables>(&self, tables: &mut T) -> Result<Outcome, T::Error> {
        let row = self.new_row();
        let formats = self.schema.check_formats(self.model, &self.mutation.fields);
        if let Err(error) = formats.and_then(|()| self.model.check(self.schema, &row)) {
            return Ok(Outcome::Refused(invalid(&error)));
        }
        let version = tables.removed_version(self.mutation.model, &self.mutation.key)?;
        let version = version.saturating_add(1);
        let meta = Meta { version, changed_at: self.now, deleted: false };
        self.store(tables, Record { row, meta })
    }

    /// What the server puts where a create says nothing: the default, or the time for the fields
    /// that `@model` fills (contract 1.3).
    fn filled_in(&self, id: FieldId, field: &Field) -> Value {
        if self.api.is_stamped(id) {
            return Value::from(date_time(self.now));
        }
        field.default.clone().unwrap_or_default()
    }

    fn create_again<T: Tables>(
        &self,
        tables: &mut T,
        (sight, asked): (&Sight, &Patch),
        stored: Record,
    ) -> Result<Outcome, T::Error> {
        let (model, key) = (self.mutation.model, &self.mutation.key);
        let first = tables.removed_version(model, key)?.saturating_add(1);
        let first = tables.row_at(model, key, first)?;
        let made = first.as_ref().unwrap_or(&stored.row);
        if sight.sees(made) && sight.sees(&stored.row) {
            let sees = |field| [made, &stored.row].iter().all(|row| sight.sees_field(row, field));
            if self.makes(made, asked, sees) {
                return Ok(Outcome::Unchanged(stored));
            }
        }
        Ok(self.refuse("The conditional request failed: a record with this key exists", stored))
    }

    /// Whether this create makes such a row, as far as its caller may know.
    fn makes(&self, row: &Row, asked: &Patch, sees: impl Fn(FieldId) -> bool) -> bool {
        let new = self.new_row();
        let mut fields = self.model.fields().filter(|(id, _)| !self.model.key.contains(id));
        fields.all(|(id, field)| {
            let is_sent = asked.get(id).is_some_and(|value| !value.is_null());
            let is_newer = field.default.is_some() && row.get(id).is_null();
            let is_same = row.get(id) == new.get(id);
            match sees(id) {
                true => is_same || (!is_sent && (is_newer || self.api.is_stamped(id))),
                false => !is_sent,
            }
        })
    }

    fn update<T: Tables>(
        &self,
        tables: &mut T,
        rights: Rights<'_>,
        stored: Record,
    ) -> Result<Outcome, T::Error> {
        let sent = &self.mutation.fields;
        let mut changes = changes(&stored.row, sent);
        if let Err(error) = self.schema.check_formats(self.model, &changes) {
            return Ok(Outcome::Refused(invalid(&error).with_stored(stored)));
        }
        if self.is_stale(&stored) {
            let is_contested = !changes.is_empty() || self.is_guess(rights, &stored.row);
            changes = match self.strategy {
                ConflictStrategy::Optimistic if is_contested => return Ok(self.conflict(stored)),
                ConflictStrategy::Handler if is_contested => return self.decided(tables, stored),
                _ if changes.is_empty() => changes,
                ConflictStrategy::AutoMerge => self.merge(tables, &stored)?,
                ConflictStrategy::Optimistic
                | ConflictStrategy::Handler
                | ConflictStrategy::AutoMergeStrict => {
                    merge_strict(self.schema, self.model, &stored.row, sent)
                }
            };
        }
        self.apply(tables, stored, changes)
    }

    /// Whether what is sent could be a guess of what the caller may not read.
    fn is_guess(&self, rights: Rights<'_>, stored: &Row) -> bool {
        if rights.are_unlimited() {
            return false;
        }
        let sight = rights.sight(Action::Get);
        let mut sent = self.mutation.fields.iter().map(|(field, _)| field);
        sent.any(|field| !self.model.key.contains(&field) && !sight.sees_field(stored, field))
    }

    /// Whether this mutation has a name under which it was carried out already.
    fn is_repeat<T: Tables>(&self, tables: &mut T) -> Result<bool, T::Error> {
        let Mutation { model, key, version, .. } = self.mutation;
        match self.mutation.once {
            Some(once) => tables.is_named(*model, key, version.saturating_add(1), once),
            None => Ok(false),
        }
    }

    /// Whether the record has changed since the version that the client wrote on.
    fn is_stale(&self, stored: &Record) -> bool {
        self.mutation.version < stored.meta.version
    }

    /// Merges with what became of the record since the client's version.
    fn merge<T: Tables>(&self, tables: &mut T, stored: &Record) -> Result<Patch, T::Error> {
        let Mutation { model, key, version, fields, .. } = self.mutation;
        let Some(base) = tables.row_at(*model, key, *version)? else {
            return Ok(merge_strict(self.schema, self.model, &stored.row, fields));
        };
        let mut between = Vec::new();
        for version in (version + 1..stored.meta.version).take(MOST_BETWEEN) {
            between.extend(tables.row_at(*model, key, version)?);
        }
        Ok(merge(self.schema, self.model, &base, &between, &stored.row, fields))
    }

    /// Carries out what a handler has decided about this very version, else asks for it.
    fn decided<T: Tables>(&self, tables: &mut T, stored: Record) -> Result<Outcome, T::Error> {
        let Some(decision) = self.decision.filter(|it| it.version == stored.meta.version) else {
            return Ok(Outcome::Contested(stored));
        };
        if let Some(error) = decision.resolution.misfit(self.mutation.operation, self.model) {
            return Ok(Outcome::Refused(error.with_stored(stored)));
        }
        match &decision.resolution {
            Resolution::Reject => Ok(self.conflict(stored)),
            Resolution::Remove => self.bury(tables, stored),
            Resolution::Resolve(item) => {
                let mut changes = changes(&stored.row, item);
                changes.retain(|field, _| !self.model.key.contains(&field));
                let row = stored.row.with(&changes);
                match self.model.check(self.schema, &row) {
                    Ok(()) => self.apply(tables, stored, changes),
                    Err(error) => {
                        let error = bad_decision(&format!("answered a wrong item: {error}"));
                        Ok(Outcome::Refused(error.with_stored(stored)))
                    }
                }
            }
        }
    }

    fn apply<T: Tables>(
        &self,
        tables: &mut T,
        stored: Record,
        mut changes: Patch,
    ) -> Result<Outcome, T::Error> {
        changes.retain(|field, _| !self.model.key.contains(&field));
        if changes.is_empty() {
            return Ok(Outcome::Unchanged(stored));
        }
        self.stamp(&mut changes);
        let row = stored.row.with(&changes);
        if let Err(error) = self.model.check(self.schema, &row) {
            return Ok(Outcome::Refused(invalid(&error).with_stored(stored)));
        }
        let meta = self.next(stored.meta);
        self.store(tables, Record { row, meta })
    }

    /// Sets the time of the change where the client does not.
    fn stamp(&self, changes: &mut Patch) {
        if let Some(updated_at) = self.api.updated_at
            && changes.get(updated_at).is_none()
        {
            changes.set(updated_at, Value::from(date_time(self.now)));
        }
    }

    fn delete<T: Tables>(&self, tables: &mut T, stored: Record) -> Result<Outcome, T::Error> {
        if stored.meta.deleted {
            return Ok(Outcome::Unchanged(stored));
        }
        match self.strategy {
            _ if !self.is_stale(&stored) => self.bury(tables, stored),
            ConflictStrategy::Handler => self.decided(tables, stored),
            ConflictStrategy::AutoMerge
            | ConflictStrategy::AutoMergeStrict
            | ConflictStrategy::Optimistic => Ok(self.conflict(stored)),
        }
    }

    fn undelete<T: Tables>(&self, tables: &mut T, stored: Record) -> Result<Outcome, T::Error> {
        if !stored.meta.deleted {
            return Ok(Outcome::Unchanged(stored));
        }
        if self.mutation.version > 0 && self.is_stale(&stored) {
            return Ok(self.conflict(stored));
        }
        let mut changes = Patch::default();
        self.stamp(&mut changes);
        let meta = Meta { deleted: false, ..self.next(stored.meta) };
        self.store(tables, Record { row: stored.row.with(&changes), meta })
    }

    fn bury<T: Tables>(&self, tables: &mut T, stored: Record) -> Result<Outcome, T::Error> {
        let meta = Meta { deleted: true, ..self.next(stored.meta) };
        self.store(tables, Record { row: stored.row, meta })
    }

    fn next(&self, meta: Meta) -> Meta {
        Meta {
            version: meta.version.max(self.mutation.version).saturating_add(1),
            changed_at: self.now.max(meta.changed_at),
            deleted: meta.deleted,
        }
    }

    fn store<T: Tables>(&self, tables: &mut T, record: Record) -> Result<Outcome, T::Error> {
        let model = self.mutation.model;
        if record.meta.version > Meta::LAST_VERSION {
            let (name, key) = (&self.model.name, &self.mutation.key);
            let message = format!("{name} {key} has no version left: it has come to the last one");
            let error = RemoteError::new(RemoteErrorKind::Invalid, message);
            return Ok(Outcome::Refused(error));
        }
        tables.put(model, &self.mutation.key, &record)?;
        if let Some(once) = self.mutation.once {
            tables.name(model, &self.mutation.key, record.meta.version, once)?;
        }
        let operation = match self.mutation.operation {
            Operation::Undelete | Operation::Update => Operation::Update,
            operation @ (Operation::Create | Operation::Delete) => operation,
        };
        Ok(Outcome::Written(Change { model, operation, record }))
    }

    fn conflict(&self, stored: Record) -> Outcome {
        let message = "Conflict resolver rejects mutation.";
        let error = RemoteError::new(RemoteErrorKind::Conflict, message);
        Outcome::Refused(error.with_stored(stored))
    }

    fn refuse_version(&self, version: u64, stored: Record) -> Outcome {
        let message = format!(
            "_version {version} is far above that of {} {}; send the one that you have read",
            self.model.name, self.mutation.key
        );
        let error = RemoteError::new(RemoteErrorKind::Invalid, message);
        Outcome::Refused(error.with_stored(stored))
    }

    fn refuse(&self, message: &str, stored: Record) -> Outcome {
        let message = format!("{message} ({} {})", self.model.name, self.mutation.key);
        let error = RemoteError::new(RemoteErrorKind::ConditionFailed, message);
        Outcome::Refused(error.with_stored(stored))
    }

    /// AppSync's words (contract 1.6), for a record that is not there too.
    fn refuse_unauthorized(&self, api: &ModelApi) -> Outcome {
        let (verb, offer) = match self.mutation.operation {
            Operation::Create => ("create", &api.create),
            Operation::Update => ("update", &api.update),
            Operation::Delete => ("delete", &api.delete),
            Operation::Undelete => ("undelete", &Offer::Usual),
        };
        let usual = format!("{verb}{}", self.model.name);
        let name = offer.name(usual.clone()).unwrap_or(usual);
        let message = format!("Not Authorized to access {name} on type Mutation");
        Outcome::Refused(RemoteError::new(RemoteErrorKind::Unauthorized, message))
    }

    fn refuse_missing(&self) -> Outcome {
        let message = format!(
            "The conditional request failed: there is no {} with key {}",
            self.model.name, self.mutation.key
        );
        Outcome::Refused(RemoteError::new(RemoteErrorKind::ConditionFailed, message))
    }
}

/// The fields of a patch that differ from the row.
fn changes(row: &Row, sent: &Patch) -> Patch {
    let changed = sent.iter().filter(|(field, value)| row.get(*field) != *value);
    changed.map(|(field, value)| (field, value.clone())).collect()
}

fn invalid(error: &espressync_model::ModelError) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Invalid, error.to_string())
}

/// The time as `AWSDateTime` prints it, with milliseconds and `Z` (contract 4.7).
fn date_time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    DATE_TIME.timestamp_to_string(&time)
}

#[cfg(test)]
mod tests;
