//! The write algorithm (contract 4.2 to 4.4), where it is unsure decided in favour of never
//! losing data:
//!
//! - A create of an id that exists is success when it says what the first create said: it is the
//!   same create, sent again after a lost answer. Anything else is refused with the stored record.
//! - An update of a tombstone changes its fields and leaves it deleted, so that an undelete finds
//!   the edit too.
//! - A write that changes nothing is answered with the stored record and makes no new version.
//! - A delete on an old version is a conflict under every strategy: the client looks at the
//!   stored record and decides. A delete of a tombstone is done already.
//! - Who may not do what they ask gets the same answer whether there is such a record or not, so
//!   with `@auth` rules an update of a record that does not exist is `Unauthorized` (contract 1.6).
//!   A condition on a field that one may not read is so too, for it would tell of the field.
//! - A version above the stored one (a server restored from a backup) is taken for the current
//!   one, and the next version is above both.

use espressync_model::remote::{Change, Mutation, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{
    Field, Meta, Model, ModelApi, Patch, Record, Row, Schema, Timestamp, Value,
};

use crate::access::Rights;
use crate::caller::Caller;
use crate::merge::{merge, merge_strict};
use crate::rules::Rules;
use crate::tables::Tables;

/// How many versions since the client's own are looked at for changes that were taken back.
const MOST_BETWEEN: usize = 200;

/// What happens to an update that was made on an older version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConflictStrategy {
    /// Three-way merge with the row of the client's version; AppSync's rules without one.
    #[default]
    AutoMerge,
    /// AppSync's documented rules (contract 4.3).
    AutoMergeStrict,
    /// Refused with the stored record.
    Optimistic,
}

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A new version was stored; subscribers are told.
    Written(Change),
    /// Everything it asks for is so already; nobody is told.
    Unchanged(Record),
    /// It was refused, and nothing is changed.
    Refused(RemoteError),
}

/// Carries out one mutation of a caller inside the backend's open transaction. `now` becomes the record's
/// `_lastChangedAt`, so it must not lie before the time of an earlier commit.
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
    let (schema, strategy) = (rules.schema(), rules.strategy(mutation.model));
    let model = schema.model(mutation.model);
    let api = rules.model(mutation.model);
    let (rights, asked) = (Rights::of(model, &api.access, caller), mutation);
    let owned = with_owners(rights, asked);
    let mutation = owned.as_ref().unwrap_or(asked);
    let write = Write { schema, model, mutation, now };
    let stored = tables.record(mutation.model, &mutation.key)?;
    if !rights.are_unlimited() && !write.is_allowed(rights, asked, stored.as_ref()) {
        return Ok(write.refuse_unauthorized(api));
    }
    match (mutation.operation, stored) {
        (Operation::Create, None) => write.create(tables),
        (Operation::Create, Some(stored)) => write.create_again(tables, stored),
        (Operation::Update | Operation::Delete, None) => Ok(write.refuse_missing()),
        (_, Some(stored)) if !mutation.condition.matches(&stored.row) => {
            Ok(write.refuse("The conditional request failed: the condition is not met", stored))
        }
        (Operation::Update, Some(stored)) => write.update(strategy, tables, stored),
        (Operation::Delete, Some(stored)) => write.delete(tables, stored),
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
    mutation: &'a Mutation,
    now: Timestamp,
}

impl Write<'_> {
    /// Whether the caller may do what they asked for at all, with what is stored as it is.
    fn is_allowed(&self, rights: Rights<'_>, asked: &Mutation, stored: Option<&Record>) -> bool {
        match (asked.operation, stored) {
            (Operation::Create, _) => rights.may_create(&asked.fields, &self.new_row()),
            (Operation::Update | Operation::Delete, None) => false,
            (Operation::Update, Some(Record { row, .. })) => {
                rights.may_update(&asked.fields, row) && rights.may_ask(&asked.condition, row)
            }
            (Operation::Delete, Some(Record { row, .. })) => {
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
                None => self.filled_in(field),
            };
        }
        Row::new(values)
    }

    fn create<T: Tables>(&self, tables: &mut T) -> Result<Outcome, T::Error> {
        let row = self.new_row();
        if let Err(error) = self.model.check(self.schema, &row) {
            return Ok(Outcome::Refused(invalid(&error)));
        }
        let meta = Meta { version: 1, changed_at: self.now, deleted: false };
        self.store(tables, Record { row, meta })
    }

    /// What the server puts where a create says nothing: the default, or the time for the fields
    /// that `@model` fills (contract 1.3).
    fn filled_in(&self, field: &Field) -> Value {
        match field.name.as_str() {
            "createdAt" | "updatedAt" => Value::from(date_time(self.now)),
            _ => field.default.clone().unwrap_or_default(),
        }
    }

    fn create_again<T: Tables>(&self, tables: &mut T, stored: Record) -> Result<Outcome, T::Error> {
        let first = tables.row_at(self.mutation.model, &self.mutation.key, 1)?;
        let says_the_same = |row: &Row| {
            let mut sent = self.mutation.fields.iter().filter(|(_, value)| !value.is_null());
            sent.all(|(field, value)| row.get(field) == value)
        };
        if says_the_same(&stored.row) || first.as_ref().is_some_and(says_the_same) {
            return Ok(Outcome::Unchanged(stored));
        }
        Ok(self.refuse("The conditional request failed: a record with this key exists", stored))
    }

    fn update<T: Tables>(
        &self,
        strategy: ConflictStrategy,
        tables: &mut T,
        stored: Record,
    ) -> Result<Outcome, T::Error> {
        let (sent, version) = (&self.mutation.fields, self.mutation.version);
        let changes = if version >= stored.meta.version {
            changes(&stored.row, sent)
        } else {
            match strategy {
                ConflictStrategy::Optimistic => return Ok(self.conflict(stored)),
                ConflictStrategy::AutoMergeStrict => merge_strict(self.model, &stored.row, sent),
                ConflictStrategy::AutoMerge => self.merge(tables, &stored)?,
            }
        };
        self.apply(tables, stored, changes)
    }

    /// Merges with what became of the record since the client's version.
    fn merge<T: Tables>(&self, tables: &mut T, stored: &Record) -> Result<Patch, T::Error> {
        let Mutation { model, key, version, fields, .. } = self.mutation;
        let Some(base) = tables.row_at(*model, key, *version)? else {
            return Ok(merge_strict(self.model, &stored.row, fields));
        };
        let mut between = Vec::new();
        for version in (version + 1..stored.meta.version).take(MOST_BETWEEN) {
            between.extend(tables.row_at(*model, key, version)?);
        }
        Ok(merge(self.model, &base, &between, &stored.row, fields))
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
        if let Ok(updated_at) = self.model.field_named("updatedAt")
            && changes.get(updated_at).is_none()
        {
            changes.set(updated_at, Value::from(date_time(self.now)));
        }
        let row = stored.row.with(&changes);
        if let Err(error) = self.model.check(self.schema, &row) {
            return Ok(Outcome::Refused(invalid(&error).with_stored(stored)));
        }
        let meta = self.next(stored.meta);
        self.store(tables, Record { row, meta })
    }

    fn delete<T: Tables>(&self, tables: &mut T, stored: Record) -> Result<Outcome, T::Error> {
        if stored.meta.deleted {
            return Ok(Outcome::Unchanged(stored));
        }
        if self.mutation.version < stored.meta.version {
            return Ok(self.conflict(stored));
        }
        let meta = Meta { deleted: true, ..self.next(stored.meta) };
        self.store(tables, Record { row: stored.row, meta })
    }

    fn next(&self, meta: Meta) -> Meta {
        Meta {
            version: meta.version.max(self.mutation.version) + 1,
            changed_at: self.now.max(meta.changed_at),
            deleted: meta.deleted,
        }
    }

    fn store<T: Tables>(&self, tables: &mut T, record: Record) -> Result<Outcome, T::Error> {
        let (model, operation) = (self.mutation.model, self.mutation.operation);
        tables.put(model, &self.mutation.key, &record)?;
        Ok(Outcome::Written(Change { model, operation, record }))
    }

    fn conflict(&self, stored: Record) -> Outcome {
        let message = "Conflict resolver rejects mutation.";
        let error = RemoteError::new(RemoteErrorKind::Conflict, message);
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
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use espressync_model::{FieldId, Key, ModelId, Predicate, Scalar};

    use super::*;
    use crate::MemoryTables;

    const NAME: FieldId = FieldId(1);
    const PRICE: FieldId = FieldId(2);

    /// A server with one model and a clock that ticks at every write.
    struct Server {
        rules: Rules,
        tables: MemoryTables,
        now: i64,
    }

    impl Server {
        fn new(strategy: ConflictStrategy) -> Self {
            let product = Model::new("Product", "Products")
                .field(Field::new("id", Scalar::Id).required())
                .field(Field::new("name", Scalar::String).required())
                .field(Field::new("price", Scalar::Float))
                .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only());
            let rules = Rules::of(Schema::new(vec![product]), strategy);
            Self { rules, tables: MemoryTables::default(), now: 1_000 }
        }

        fn send(
            &mut self,
            operation: Operation,
            version: u64,
            fields: &[(FieldId, Value)],
        ) -> Outcome {
            self.now += 1;
            let mut patch: Patch = fields.iter().cloned().collect();
            patch.set(FieldId(0), "p".into());
            let mutation = Mutation {
                model: ModelId(0),
                key: Key::from("p"),
                operation,
                fields: patch,
                version,
                condition: Predicate::All,
            };
            let now = Timestamp(self.now);
            let caller = Caller::with_api_key();
            let Ok(outcome) = mutate(&self.rules, &mut self.tables, &caller, &mutation, now);
            outcome
        }

        fn create(&mut self, name: &str) -> Outcome {
            self.send(Operation::Create, 0, &[(NAME, name.into()), (PRICE, 3.0.into())])
        }

        fn update(&mut self, version: u64, field: FieldId, value: impl Into<Value>) -> Outcome {
            self.send(Operation::Update, version, &[(field, value.into())])
        }

        fn stored(&mut self) -> Record {
            let Ok(record) = self.tables.record(ModelId(0), &Key::from("p"));
            record.unwrap()
        }
    }

    fn version(outcome: &Outcome) -> u64 {
        match outcome {
            Outcome::Written(change) => change.record.meta.version,
            Outcome::Unchanged(record) => record.meta.version,
            Outcome::Refused(error) => panic!("refused: {error}"),
        }
    }

    fn refusal(outcome: Outcome) -> RemoteError {
        let Outcome::Refused(error) = outcome else { panic!("{outcome:?}") };
        error
    }

    #[test]
    fn a_create_sent_again_is_the_same_create() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        assert_eq!(version(&server.create("Flat white")), 1);
        assert!(matches!(server.create("Flat white"), Outcome::Unchanged(_)));
        server.update(1, PRICE, 4.0);
        let Outcome::Unchanged(record) = server.create("Flat white") else { panic!("changed") };
        assert_eq!((record.meta.version, record.row.get(PRICE)), (2, &Value::from(4.0)));
        let error = refusal(server.create("Latte"));
        assert_eq!(error.kind, RemoteErrorKind::ConditionFailed);
        assert_eq!(error.stored.unwrap().meta.version, 2);
        assert_eq!(server.tables.journal().len(), 2);
    }

    #[test]
    fn edits_to_two_fields_on_one_version_both_survive() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        server.create("Flat white");
        assert_eq!(version(&server.update(1, PRICE, 4.5)), 2);
        assert_eq!(version(&server.update(1, NAME, "Flat White")), 3);
        assert_eq!(version(&server.update(1, PRICE, 9.0)), 3, "the first to change a field wins");
        let row = server.stored().row;
        assert_eq!((row.get(NAME), row.get(PRICE)), (&"Flat White".into(), &4.5.into()));
    }

    #[test]
    fn an_update_sent_again_makes_no_new_version() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        server.create("Flat white");
        server.update(1, PRICE, 4.5);
        assert!(matches!(server.update(1, PRICE, 4.5), Outcome::Unchanged(_)));
        assert!(matches!(server.update(2, PRICE, 4.5), Outcome::Unchanged(_)));
    }

    #[test]
    fn a_late_copy_of_an_update_does_not_undo_what_followed_it() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        server.create("Flat white");
        server.update(1, PRICE, 4.5);
        server.update(2, PRICE, 3.0);
        assert!(matches!(server.update(1, PRICE, 4.5), Outcome::Unchanged(_)));
        assert_eq!(server.stored().row.get(PRICE), &3.0.into());
    }

    #[test]
    fn without_a_base_the_servers_values_stay() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        server.create("Flat white");
        assert!(matches!(server.update(0, PRICE, 4.5), Outcome::Unchanged(_)));
    }

    #[test]
    fn optimistic_concurrency_refuses_with_the_stored_record() {
        let mut server = Server::new(ConflictStrategy::Optimistic);
        server.create("Flat white");
        server.update(1, PRICE, 4.5);
        let error = refusal(server.update(1, NAME, "x"));
        assert_eq!(error.kind, RemoteErrorKind::Conflict);
        assert_eq!(error.stored.unwrap().meta.version, 2);
    }

    #[test]
    fn deletes() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        let missing = refusal(server.send(Operation::Delete, 0, &[]));
        assert_eq!(missing.kind, RemoteErrorKind::ConditionFailed);
        server.create("Flat white");
        server.update(1, PRICE, 4.5);
        let stale = refusal(server.send(Operation::Delete, 1, &[]));
        assert_eq!(stale.kind, RemoteErrorKind::Conflict);
        assert_eq!(version(&server.send(Operation::Delete, 2, &[])), 3);
        assert!(server.stored().meta.deleted);
        assert!(matches!(server.send(Operation::Delete, 2, &[]), Outcome::Unchanged(_)));
        assert_eq!(version(&server.update(2, NAME, "late edit")), 4);
        assert!(server.stored().meta.deleted, "an edit does not undelete");
    }

    #[test]
    fn a_version_above_the_stored_one_is_current() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        server.create("Flat white");
        assert_eq!(version(&server.update(7, PRICE, 4.5)), 8);
    }

    #[test]
    fn what_does_not_fit_the_schema_is_refused_by_name() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        let error = refusal(server.send(Operation::Create, 0, &[(PRICE, 1.0.into())]));
        assert_eq!(error.kind, RemoteErrorKind::Invalid);
        assert_eq!(error.message, "Product.name is required; set it before saving");
        server.create("Flat white");
        let error = refusal(server.update(1, NAME, Value::Null));
        assert_eq!(error.message, "Product.name is required; set it before saving");
        assert_eq!(server.stored().meta.version, 1);
    }

    #[test]
    fn times_are_the_servers() {
        let mut server = Server::new(ConflictStrategy::AutoMerge);
        server.create("Flat white");
        let stamped = |server: &mut Server| server.stored().row.get(FieldId(3)).clone();
        assert_eq!(stamped(&mut server), "1970-01-01T00:00:01.001Z".into());
        server.update(1, PRICE, 5.0);
        assert_eq!(stamped(&mut server), "1970-01-01T00:00:01.002Z".into());
    }
}
