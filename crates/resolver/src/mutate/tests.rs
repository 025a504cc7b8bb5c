use espressync_model::{Key, ModelId, Predicate, Scalar};

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

    fn send(&mut self, operation: Operation, version: u64, fields: &[(FieldId, Value)]) -> Outcome {
        self.carry_out(&Self::mutation(operation, version, fields))
    }

    fn carry_out(&mut self, mutation: &Mutation) -> Outcome {
        self.now += 1;
        let (now, caller) = (Timestamp(self.now), Caller::with_api_key());
        let Ok(outcome) = mutate(&self.rules, &mut self.tables, &caller, mutation, now);
        outcome
    }

    /// Sends a contested mutation with what a handler says of a version.
    fn settle(&mut self, mutation: &Mutation, version: u64, resolution: Resolution) -> Outcome {
        self.now += 1;
        let (now, caller) = (Timestamp(self.now), Caller::with_api_key());
        let decision = Decision { version, resolution };
        let tables = &mut self.tables;
        let Ok(outcome) = settle(&self.rules, tables, &caller, mutation, &decision, now);
        outcome
    }

    fn mutation(operation: Operation, version: u64, fields: &[(FieldId, Value)]) -> Mutation {
        let mut patch: Patch = fields.iter().cloned().collect();
        patch.set(FieldId(0), "p".into());
        Mutation {
            model: ModelId(0),
            key: Key::from("p"),
            operation,
            fields: patch,
            version,
            condition: Predicate::All,
            once: None,
        }
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

#[test]
fn a_mutation_with_a_name_counts_once_and_on_its_version_alone() {
    for strategy in [
        ConflictStrategy::AutoMerge,
        ConflictStrategy::AutoMergeStrict,
        ConflictStrategy::Optimistic,
        ConflictStrategy::Handler,
    ] {
        let mut shop = Server::new(strategy);
        shop.create("Coffee");
        let named = |once: u64, version: u64, price: f64| Mutation {
            once: Some(once),
            condition: PRICE.eq(price - 1.0),
            ..Server::mutation(Operation::Update, version, &[(PRICE, price.into())])
        };
        let mut send = |mutation: &Mutation| shop.carry_out(mutation);
        assert_eq!(version(&send(&named(7, 1, 4.0))), 2);
        // Sent again it is known, whatever the condition says by now; another's twin is not.
        assert!(matches!(send(&named(7, 1, 4.0)), Outcome::Unchanged(_)));
        let Outcome::Refused(error) = send(&named(8, 1, 4.0)) else { panic!("it counted twice") };
        assert_eq!(error.kind, RemoteErrorKind::Conflict);
        assert_eq!(error.stored.unwrap().meta.version, 2);
        assert_eq!(version(&send(&named(8, 2, 5.0))), 3);
        // Late copies find their version gone.
        assert!(matches!(send(&named(7, 1, 4.0)), Outcome::Unchanged(_)));
        assert!(matches!(send(&named(9, 1, 4.0)), Outcome::Refused(_)));
        assert_eq!(shop.stored().meta.version, 3);
    }
}

fn version(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Written(change) => change.record.meta.version,
        Outcome::Unchanged(record) => record.meta.version,
        Outcome::Refused(error) => panic!("refused: {error}"),
        Outcome::Contested(stored) => panic!("contested by {stored:?}"),
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
fn a_create_of_another_record_is_not_the_same_create() {
    let mut server = Server::new(ConflictStrategy::AutoMerge);
    server.send(Operation::Create, 0, &[(NAME, "Flat white".into()), (PRICE, 3.0.into())]);
    let less = server.send(Operation::Create, 0, &[(NAME, "Flat white".into())]);
    assert_eq!(refusal(less).kind, RemoteErrorKind::ConditionFailed, "it would have no price");
    server.update(1, PRICE, 4.0);
    let newer = [(NAME, "Flat white".into()), (PRICE, 4.0.into())];
    let newer = refusal(server.send(Operation::Create, 0, &newer));
    assert_eq!(newer.kind, RemoteErrorKind::ConditionFailed, "it was not made so");
    // Of an imported record the journal may not tell how it began.
    server.tables.remove(ModelId(0), &Key::from("p"));
    let row = Row::new(vec!["p".into(), "Flat white".into(), 5.0.into(), Value::Null]);
    let meta = Meta { version: 7, ..Meta::default() };
    let Ok(()) = server.tables.put(ModelId(0), &Key::from("p"), &Record { row, meta });
    let same =
        server.send(Operation::Create, 0, &[(NAME, "Flat white".into()), (PRICE, 5.0.into())]);
    assert_eq!(version(&same), 7);
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
fn an_undelete_brings_back_what_is_there() {
    let mut server = Server::new(ConflictStrategy::AutoMerge);
    let missing = refusal(server.send(Operation::Undelete, 0, &[]));
    assert_eq!(missing.kind, RemoteErrorKind::ConditionFailed);
    server.create("Flat white");
    assert!(matches!(server.send(Operation::Undelete, 1, &[]), Outcome::Unchanged(_)));
    server.send(Operation::Delete, 1, &[]);
    server.update(2, PRICE, 4.5);
    let stale = refusal(server.send(Operation::Undelete, 2, &[]));
    assert_eq!((stale.kind, stale.stored.unwrap().meta.version), (RemoteErrorKind::Conflict, 3));
    let Outcome::Written(change) = server.send(Operation::Undelete, 3, &[]) else { panic!() };
    assert_eq!(change.operation, Operation::Update, "it is told as an update");
    let Record { row, meta } = server.stored();
    assert_eq!((meta.version, meta.deleted, row.get(PRICE)), (4, false, &4.5.into()));
    assert_eq!(row.get(FieldId(3)), &"1970-01-01T00:00:01.007Z".into());
    server.send(Operation::Delete, 4, &[]);
    assert_eq!(version(&server.send(Operation::Undelete, 0, &[])), 6, "of whatever version");
    assert_eq!(server.tables.journal().len(), 6);
}

/// Server at version 2, and a client's update of the name on version 1.
fn contested() -> (Server, Mutation) {
    let mut server = Server::new(ConflictStrategy::Handler);
    server.create("Flat white");
    server.update(1, PRICE, 4.5);
    let late = Server::mutation(Operation::Update, 1, &[(NAME, "x".into())]);
    let Outcome::Contested(stored) = server.send(Operation::Update, 1, &[(NAME, "x".into())])
    else {
        panic!("no conflict")
    };
    assert_eq!(stored, server.stored());
    (server, late)
}

fn item(fields: &[(FieldId, Value)]) -> Resolution {
    Resolution::Resolve(fields.iter().cloned().collect())
}

#[test]
fn a_handler_decides_about_a_version() {
    let (mut server, late) = contested();
    let (kept, other) = (FieldId(0), Value::from("another key"));
    let resolution = item(&[(kept, other), (NAME, "both".into()), (PRICE, Value::Null)]);
    assert_eq!(version(&server.settle(&late, 2, resolution.clone())), 3);
    let row = server.stored().row;
    let expected = (&Value::from("p"), &Value::from("both"), &Value::Null);
    assert_eq!((row.get(kept), row.get(NAME), row.get(PRICE)), expected);
    // What it has said of a version that is no more is no decision.
    let Outcome::Contested(stored) = server.settle(&late, 2, resolution) else { panic!() };
    assert_eq!(stored.meta.version, 3);
    let error = refusal(server.settle(&late, 3, Resolution::Reject));
    assert_eq!(
        (error.kind, error.stored.map(|it| *it)),
        (RemoteErrorKind::Conflict, Some(server.stored()))
    );
    let agrees = item(&[(NAME, "both".into())]);
    assert!(matches!(server.settle(&late, 3, agrees), Outcome::Unchanged(_)));
}

#[test]
fn a_handler_is_not_asked_about_what_is_so_already() {
    let (mut server, _) = contested();
    assert!(matches!(server.update(1, PRICE, 4.5), Outcome::Unchanged(_)));
    assert_eq!(version(&server.update(2, NAME, "on the newest")), 3);
}

#[test]
fn a_handler_decides_about_deletes() {
    let (mut server, _) = contested();
    let delete = Server::mutation(Operation::Delete, 1, &[]);
    assert!(matches!(server.send(Operation::Delete, 1, &[]), Outcome::Contested(_)));
    let error = refusal(server.settle(&delete, 2, item(&[])));
    let expected = "the conflict handler answered RESOLVE to a delete of a Product; say REMOVE or \
                    REJECT";
    assert_eq!((error.kind, &*error.message), (RemoteErrorKind::ConflictHandler, expected));
    assert_eq!(
        refusal(server.settle(&delete, 2, Resolution::Reject)).kind,
        RemoteErrorKind::Conflict
    );
    assert_eq!(version(&server.settle(&delete, 2, Resolution::Remove)), 3);
    assert!(server.stored().meta.deleted);
}

#[test]
fn a_decision_that_does_not_fit_changes_nothing() {
    let (mut server, late) = contested();
    for (resolution, reason) in [
        (item(&[(NAME, Value::Null)]), "answered a wrong item: Product.name is required"),
        (Resolution::Remove, "answered REMOVE to an update of a Product"),
    ] {
        let error = refusal(server.settle(&late, 2, resolution));
        assert_eq!(error.kind, RemoteErrorKind::ConflictHandler);
        assert!(error.message.contains(reason) && error.is_retryable(), "{error}");
    }
    assert_eq!(server.stored().meta.version, 2);
}

#[test]
fn a_record_made_anew_goes_on_from_the_version_of_the_one_removed() {
    let mut server = Server::new(ConflictStrategy::AutoMerge);
    server.create("Flat white");
    server.send(Operation::Delete, 1, &[]);
    server.tables.remove(ModelId(0), &Key::from("p"));
    assert_eq!(version(&server.create("Flat white")), 3);
    server.update(3, PRICE, 4.5);
    assert!(matches!(server.create("Flat white"), Outcome::Unchanged(_)), "sent again");
}

#[test]
fn what_is_so_already_is_no_conflict() {
    for strategy in [ConflictStrategy::Optimistic, ConflictStrategy::AutoMergeStrict] {
        let mut server = Server::new(strategy);
        server.create("Flat white");
        server.update(1, PRICE, 4.5);
        assert!(matches!(server.update(1, PRICE, 4.5), Outcome::Unchanged(_)), "{strategy:?}");
    }
}

#[test]
fn a_version_above_the_stored_one_is_current() {
    let mut server = Server::new(ConflictStrategy::AutoMerge);
    server.create("Flat white");
    assert_eq!(version(&server.update(7, PRICE, 4.5)), 8);
}

#[test]
fn versions_cannot_be_used_up() {
    let mut server = Server::new(ConflictStrategy::AutoMerge);
    server.create("Flat white");
    let error = refusal(server.update(1_000_002, PRICE, 4.5));
    let message = "_version 1000002 is far above that of Product p; send the one that you have \
                   read";
    assert_eq!((error.kind, error.message.as_str()), (RemoteErrorKind::Invalid, message));
    assert_eq!(version(&server.update(1_000_001, PRICE, 4.5)), 1_000_002);
    let (last, mut record) = (Meta::LAST_VERSION, server.stored());
    record.meta.version = last - 1;
    let Ok(()) = server.tables.put(ModelId(0), &Key::from("p"), &record);
    assert_eq!(version(&server.update(last - 1, PRICE, 5.0)), last);
    let message = "Product p has no version left: it has come to the last one";
    for operation in [Operation::Update, Operation::Delete] {
        let error = refusal(server.send(operation, last, &[(PRICE, 6.0.into())]));
        assert_eq!((error.kind, error.message.as_str()), (RemoteErrorKind::Invalid, message));
    }
    assert_eq!(server.stored().meta.version, last);
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

#[test]
fn a_format_is_asked_of_what_is_new_only() {
    const MAIL: FieldId = FieldId(2);
    let mut server = Server::new(ConflictStrategy::AutoMerge);
    let guest = Model::new("Guest", "Guests")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("name", Scalar::String))
        .field(Field::new("mail", Scalar::AwsEmail));
    server.rules = Rules::of(Schema::new(vec![guest]), ConflictStrategy::AutoMerge);
    let message = "Guest.mail should be AWSEmail (such as ann@example.com), found \"ann\"";
    let error = refusal(server.send(Operation::Create, 0, &[(MAIL, "ann".into())]));
    assert_eq!((error.kind, error.message.as_str()), (RemoteErrorKind::Invalid, message));
    // A server of before the formats were checked may have taken it.
    let row = Row::new(vec!["p".into(), Value::Null, "ann".into()]);
    let meta = Meta { version: 1, ..Meta::default() };
    let Ok(()) = server.tables.put(ModelId(0), &Key::from("p"), &Record { row, meta });
    let fields = [(NAME, "Ann".into()), (MAIL, "ann".into())];
    assert_eq!(version(&server.send(Operation::Update, 1, &fields)), 2);
    let error = refusal(server.update(2, MAIL, "bob"));
    assert!(error.message.ends_with("found \"bob\"") && error.stored.is_some());
    assert_eq!(version(&server.update(2, MAIL, "ann@example.com")), 3);
}
