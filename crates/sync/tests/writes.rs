//! What writes do on a client, by value: conditions, edits, cascades, tombstones, additions.

use std::rc::Rc;

use espressync_model::remote::{Mutation, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{
    BaseType, Edit, EnumId, EnumType, Field, FieldId, Key, Meta, Model, ModelId, OnDelete, Patch,
    Predicate, Query, Record, RelationKind, Row, Scalar, Schema, Timestamp, Value,
};
use espressync_store::{LogPosition, Store};
use espressync_sync::{Intent, SyncError, Target, Transact, Write, prepare};

const SHELF: ModelId = ModelId(0);
const PRODUCT: ModelId = ModelId(1);
const LABEL: ModelId = ModelId(2);

const NAME: FieldId = FieldId(1);
const SHELF_ID: FieldId = FieldId(2);
const STOCK: FieldId = FieldId(3);
const SIZE: FieldId = FieldId(4);

/// Shelves have many products, which may lie about; a product has labels, each of one product.
fn schema() -> Schema {
    let id = || Field::new("id", Scalar::Id).required();
    Schema::new(vec![
        Model::new("Shelf", "Shelves")
            .field(id())
            .field(Field::new("above", Scalar::Id))
            .relation("products", RelationKind::HasMany, PRODUCT, vec![SHELF_ID])
            .relation("shelves", RelationKind::HasMany, SHELF, vec![FieldId(1)]),
        Model::new("Product", "Products")
            .field(id())
            .field(Field::new("name", Scalar::String).required())
            .field(Field::new("shelfId", Scalar::Id))
            .field(Field::new("stock", Scalar::Int))
            .field(Field::new("size", BaseType::Enum(EnumId(0))))
            .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
            .relation("shelf", RelationKind::BelongsTo, SHELF, vec![SHELF_ID])
            .relation("labels", RelationKind::HasMany, LABEL, vec![FieldId(1)]),
        Model::new("Label", "Labels")
            .field(id())
            .field(Field::new("productId", Scalar::Id).required())
            .relation("product", RelationKind::BelongsTo, PRODUCT, vec![FieldId(1)]),
    ])
    .with_enums(vec![EnumType { name: "Size".into(), values: vec!["SMALL".into()] }])
}

fn product(id: &str, shelf: Option<&str>, stock: Option<i64>) -> Row {
    let shelf = shelf.map_or(Value::Null, Value::from);
    let stock = stock.map_or(Value::Null, Value::from);
    Row::new(vec![id.into(), "Tea".into(), shelf, stock, Value::Null, Value::Null])
}

fn row(values: &[&str]) -> Row {
    Row::new(values.iter().map(|value| Value::from(*value)).collect())
}

struct Client {
    store: Store,
    /// How many batches were not empty.
    commits: usize,
}

impl Client {
    fn new(schema: Schema) -> Self {
        Self { store: Store::new(Rc::new(schema)), commits: 0 }
    }

    fn take(&mut self, intent: Intent) -> Result<Vec<(ModelId, Record)>, SyncError> {
        let mut prepared = prepare(&self.store, &[intent]);
        self.commits += usize::from(!prepared.batch.is_empty());
        self.store.apply(prepared.batch);
        self.store.advance(LogPosition(self.store.position().0 + 1));
        prepared.outcomes.remove(0)
    }

    fn write(&mut self, writes: Vec<Write>) -> Result<Vec<(ModelId, Record)>, SyncError> {
        self.take(Intent::Write(writes))
    }

    fn done(&mut self, writes: Vec<Write>) {
        let written = self.write(writes);
        assert!(written.is_ok(), "{written:?}");
    }

    /// The words with which writes are refused; nothing of them is stored.
    fn refused(&mut self, writes: Vec<Write>) -> String {
        let commits = self.commits;
        let Err(error) = self.write(writes) else { panic!("it was taken") };
        assert_eq!(self.commits, commits, "a refused write left something");
        error.to_string()
    }

    fn receive(&mut self, model: ModelId, row: Row, version: u64, deleted: bool) {
        let meta = Meta { version, changed_at: Timestamp(5), deleted };
        let record = Record { row, meta };
        assert!(self.take(Intent::Receive(model, vec![record])).is_ok());
    }

    fn keys(&self, model: ModelId) -> Vec<String> {
        let definition = self.store.schema().model(model);
        let found = self.store.query(model, &Query::all());
        found.iter().filter_map(|it| Some(definition.key_of(&it.row).ok()?.to_string())).collect()
    }

    fn shown(&self, key: &str, field: FieldId) -> Value {
        let record = self.store.record(PRODUCT, &Key::from(key));
        let Some(record) = record else { panic!("there is no {key}") };
        assert!(!record.meta.deleted);
        record.row.get(field).clone()
    }

    /// Marks a product's entry, and gives what leaves for it.
    fn leave(&mut self, key: &str, once: u64) -> Mutation {
        let mark = Intent::MarkSent(vec![(PRODUCT, Key::from(key), once)]);
        assert!(self.take(mark).is_ok());
        self.mutation(key)
    }

    fn mutation(&self, key: &str) -> Mutation {
        let waits = espressync_sync::waiting_mutation(&self.store, PRODUCT, &Key::from(key));
        let Some(mutation) = waits else { panic!("nothing waits for {key}") };
        mutation
    }

    fn waiting(&self) -> usize {
        self.store.outbox().waiting()
    }
}

fn add(key: &str, amount: impl Into<Value>) -> Write {
    let add = [(STOCK, amount.into())].into_iter().collect();
    let edit = Edit { set: Patch::default(), add };
    Write::Update { model: PRODUCT, key: key.into(), edit, condition: Predicate::All }
}

fn set(key: &str, field: FieldId, value: impl Into<Value>) -> Write {
    Write::update(PRODUCT, key, [(field, value.into())].into_iter().collect())
}

#[test]
fn what_changes_nothing_is_no_commit() {
    let mut client = Client::new(schema());
    client.done(vec![Write::save(PRODUCT, product("p", None, Some(3)))]);
    assert_eq!((client.commits, client.waiting()), (1, 1));
    client.done(vec![Write::save(PRODUCT, product("p", None, Some(3)))]);
    client.done(vec![set("p", STOCK, 3), add("p", 0)]);
    client.done(vec![set("p", STOCK, 4), set("p", STOCK, 3)]);
    let target = Target::Matching(NAME.eq("Mocha"));
    client.done(vec![Write::Delete { model: PRODUCT, target }]);
    assert_eq!(client.commits, 1);
}

#[test]
fn a_condition_is_asked_of_what_is_stored() {
    let mut client = Client::new(schema());
    let save = |stock, condition| Write::Save {
        model: PRODUCT,
        row: product("p", None, Some(stock)),
        condition,
    };
    // A new record has none to meet.
    client.done(vec![save(3, STOCK.gt(10))]);
    let refusal = "Product p does not meet the condition; it was left as it is";
    assert_eq!(client.refused(vec![save(4, STOCK.gt(10))]), refusal);
    client.done(vec![save(4, STOCK.eq(3))]);
    let delete = |condition| {
        let target = Target::Record(Key::from("p"), condition);
        Write::Delete { model: PRODUCT, target }
    };
    assert_eq!(client.refused(vec![delete(STOCK.eq(3))]), refusal);
    // It is asked when its turn comes.
    client.done(vec![set("p", STOCK, 5), delete(STOCK.eq(5))]);
    assert_eq!(client.keys(PRODUCT), [""; 0]);
}

#[test]
fn what_does_not_fit_is_named() {
    let mut client = Client::new(schema());
    let mut check = |write: Write, expected: &str| {
        // The first write of the two is taken back with the second.
        let good = Write::save(SHELF, row(&["s", "x"]));
        assert_eq!(client.refused(vec![good, write]), expected);
    };
    let with = |field: FieldId, value: Value| {
        let patch = [(field, value)].into_iter().collect();
        Write::save(PRODUCT, product("p", None, None).with(&patch))
    };
    check(with(STOCK, 1.5.into()), "Product.stock should be Int, found 1.5");
    check(with(STOCK, (1_i64 << 40).into()), "Product.stock should be Int, found 1099511627776");
    check(with(STOCK, f64::NAN.into()), "Product.stock should be Int, found NaN");
    check(with(SIZE, "HUGE".into()), "Product.size should be Size, found \"HUGE\"");
    check(with(NAME, Value::Null), "Product.name is required; set it before saving");
    check(with(FieldId(0), "".into()), "Product.id is required; set it before saving");
    let short = Write::save(PRODUCT, row(&["p"]));
    check(short, "a row of `Product` has 6 values, 1 given");
    let model = "there is no model `number 9` in the schema; it has Shelf, Product, Label";
    check(Write::save(ModelId(9), row(&["p"])), model);
    check(Write::delete(ModelId(9), "p"), model);
    check(Write::Undelete { model: ModelId(9), key: "p".into() }, model);
    check(set("p", NAME, "x"), "there is no Product with key p");
    let save = || Write::save(PRODUCT, product("p", None, Some(1)));
    let mut check = |write: Write, expected: &str| {
        assert_eq!(client.refused(vec![save(), write]), expected);
    };
    let key = "Product.id cannot be changed: it is part of the key";
    check(set("p", FieldId(0), "q"), key);
    let read_only = "Product.updatedAt cannot be changed: only the server writes it";
    check(set("p", FieldId(5), "now"), read_only);
    let unknown = "Product.field 9 cannot be changed: the model has no such field";
    check(set("p", FieldId(9), "x"), unknown);
    let amount = "Product.stock should be given a number of its own type to add, found 0.5";
    check(add("p", 0.5), amount);
    check(add("p", i64::from(i32::MAX)), "Product.stock should be Int, found 2147483648");
    let related = Write::Delete {
        model: PRODUCT,
        target: Target::Matching(espressync_model::RelationId(0).exists()),
    };
    check(
        related,
        "Product.shelf leads to other records, for which only queries can ask; use fields of \
         `Product`",
    );
}

#[test]
fn texts_are_checked_when_the_schema_says_so() {
    let fits = |_: Scalar, text: &str| !text.is_empty();
    let named = || Write::save(PRODUCT, product("p", None, None));
    assert!(!espressync_model::is_plausible(Scalar::AwsTime, "99:99"));
    let mut client = Client::new(schema().checking(fits));
    client.done(vec![named()]);
    let error = client.refused(vec![set("p", NAME, "")]);
    assert_eq!(error, "Product.name should be String (such as ), found \"\"");
    let mut client = Client::new(schema());
    client.done(vec![named(), set("p", NAME, "")]);
}

#[test]
fn a_child_needs_its_required_parent() {
    let mut client = Client::new(schema());
    let label = || Write::save(LABEL, row(&["l", "p"]));
    let refusal =
        "Label.product points at Product \"p\", which is not here; save the Product first";
    assert_eq!(client.refused(vec![label()]), refusal);
    client.done(vec![Write::save(PRODUCT, product("p", Some("nowhere"), None)), label()]);
    // Where the parent went, the child can still be written; only the link is asked.
    client.receive(PRODUCT, product("p", None, None), 1, false);
    client.receive(PRODUCT, product("p", None, None), 2, true);
    client.done(vec![label()]);
    let refusal =
        "Label.product points at Product \"q\", which is not here; save the Product first";
    let patch: Patch = [(FieldId(1), "q".into())].into_iter().collect();
    assert_eq!(client.refused(vec![Write::update(LABEL, "l", patch)]), refusal);
}

/// Two shelves, one above the other, two products on the lower one with a label each, and one
/// that lies about.
fn shop(schema: Schema) -> Client {
    let mut client = Client::new(schema);
    let models = [SHELF, PRODUCT, LABEL];
    let records: [&[Row]; 3] = [
        &[Row::new(vec!["top".into(), Value::Null]), row(&["low", "top"])],
        &[
            product("p", Some("low"), None),
            product("q", Some("low"), None),
            product("r", None, None),
        ],
        &[row(&["l", "p"]), row(&["m", "q"])],
    ];
    for (model, rows) in models.into_iter().zip(records) {
        for row in rows {
            client.receive(model, row.clone(), 1, false);
        }
    }
    client
}

#[test]
fn children_go_first_and_each_owes_a_delete() {
    let mut client = shop(schema());
    let written = client.write(vec![Write::delete(SHELF, "top")]).unwrap();
    assert_eq!(written.len(), 1, "only what was asked for is told");
    let order: Vec<String> = client
        .store
        .outbox()
        .iter()
        .map(|(_, key, pending)| {
            assert!(pending.is_delete);
            key.to_string()
        })
        .collect();
    assert_eq!(order, ["l", "p", "m", "q", "low", "top"]);
    assert_eq!(client.keys(PRODUCT), ["r"]);
    // All of a model, of which some have gone with others.
    let mut client = shop(schema());
    let target = Target::Matching(Predicate::All);
    let written = client.write(vec![Write::Delete { model: SHELF, target }]).unwrap();
    assert_eq!(written.len(), 1);
    assert_eq!((client.keys(SHELF).len(), client.keys(LABEL).len()), (0, 0));
}

#[test]
fn a_relation_may_restrict_or_unlink() {
    let restricted = schema().on_delete("Product", "labels", OnDelete::Restrict).unwrap();
    let mut client = shop(restricted);
    let refusal = "Product p has 1 record(s) as labels, which restricts its deletion; delete or \
                   move them first";
    assert_eq!(client.refused(vec![Write::delete(SHELF, "top")]), refusal);
    client.done(vec![
        Write::delete(LABEL, "l"),
        Write::delete(LABEL, "m"),
        Write::delete(SHELF, "top"),
    ]);
    let unlinked = schema().on_delete("Shelf", "products", OnDelete::SetNull).unwrap();
    let mut client = shop(unlinked);
    client.done(vec![Write::delete(SHELF, "top")]);
    assert_eq!(client.keys(PRODUCT), ["p", "q", "r"]);
    assert_eq!(client.shown("p", SHELF_ID), Value::Null);
    let fixed = schema().on_delete("Product", "labels", OnDelete::SetNull).unwrap();
    let refusal = "Label.productId cannot be changed: it is required or part of the key, and the \
                   record it points at is deleted";
    assert_eq!(shop(fixed).refused(vec![Write::delete(PRODUCT, "p")]), refusal);
    let error = schema().on_delete("Product", "shelfs", OnDelete::SetNull).unwrap_err();
    assert_eq!(error.to_string(), "`Product` has no relation `shelfs`; it has shelf, labels");
}

#[test]
fn a_long_chain_and_a_circle_are_deleted() {
    let mut client = Client::new(schema());
    client.receive(SHELF, row(&["0", "19999"]), 1, false);
    let rows = (1..20_000).map(|number: usize| {
        let meta = Meta { version: 1, ..Meta::default() };
        Record { row: row(&[&number.to_string(), &(number - 1).to_string()]), meta }
    });
    client.take(Intent::Receive(SHELF, rows.collect())).unwrap();
    let mut circle = shop(schema());
    circle.receive(SHELF, row(&["top", "low"]), 2, false);
    circle.done(vec![Write::delete(SHELF, "low")]);
    assert_eq!(circle.keys(SHELF), [""; 0]);
}

#[test]
fn a_local_model_owes_nothing() {
    let mut client = Client::new(schema().local());
    client.done(vec![Write::save(PRODUCT, product("p", None, Some(1))), add("p", 2)]);
    client.done(vec![set("p", NAME, "Mocha")]);
    assert_eq!((client.shown("p", STOCK), client.waiting()), (3.into(), 0));
    client.done(vec![Write::delete(PRODUCT, "p")]);
    assert_eq!(client.store.record(PRODUCT, &Key::from("p")), None, "it leaves no tombstone");
    assert_eq!(client.waiting(), 0);
    client.done(vec![Write::save(PRODUCT, product("p", None, None))]);
}

#[test]
fn a_tombstone_comes_back() {
    let back = || Write::Undelete { model: PRODUCT, key: "p".into() };
    // A delete that has not left is taken back, with the edits before it.
    let mut client = Client::new(schema());
    client.receive(PRODUCT, product("p", None, Some(1)), 1, false);
    client.done(vec![set("p", NAME, "Mocha"), Write::delete(PRODUCT, "p"), back()]);
    assert_eq!(client.shown("p", NAME), "Mocha".into());
    assert_eq!(client.mutation("p").operation, Operation::Update);
    // One that may have left is undone by an undelete.
    let mut client = Client::new(schema());
    client.receive(PRODUCT, product("p", None, Some(1)), 1, false);
    client.done(vec![Write::delete(PRODUCT, "p")]);
    let delete = client.leave("p", 1);
    client.done(vec![back(), set("p", NAME, "Mocha")]);
    assert_eq!(client.mutation("p").operation, Operation::Undelete);
    let gone = |version, deleted| Record {
        row: product("p", None, Some(1)),
        meta: Meta { version, deleted, ..Meta::default() },
    };
    client.take(Intent::Acknowledge(delete, Ok(gone(2, true)))).unwrap();
    assert_eq!(client.shown("p", NAME), "Mocha".into());
    let undelete = client.leave("p", 2);
    assert_eq!((undelete.operation, undelete.fields.len()), (Operation::Undelete, 0));
    client.take(Intent::Acknowledge(undelete, Ok(gone(3, false)))).unwrap();
    let update = client.mutation("p");
    assert_eq!((update.operation, update.version), (Operation::Update, 3));
    assert_eq!(client.shown("p", NAME), "Mocha".into());
    // A tombstone of the server's.
    let mut client = Client::new(schema());
    client.receive(PRODUCT, product("p", None, Some(1)), 4, true);
    client.done(vec![back()]);
    assert_eq!(client.keys(PRODUCT), ["p"]);
    client.receive(PRODUCT, product("p", None, Some(1)), 4, true);
    assert_eq!(client.keys(PRODUCT), ["p"], "the tombstone again does not delete it");
    client.done(vec![Write::delete(PRODUCT, "p")]);
    assert_eq!((client.keys(PRODUCT).len(), client.waiting()), (0, 0));
    let missing = Write::Undelete { model: PRODUCT, key: "x".into() };
    assert_eq!(client.refused(vec![missing]), "there is no Product with key x");
}

#[test]
fn a_server_without_undelete_is_named() {
    let mut client = Client::new(schema());
    client.receive(PRODUCT, product("p", None, Some(1)), 4, true);
    client.done(vec![Write::Undelete { model: PRODUCT, key: "p".into() }]);
    let sent = client.leave("p", 1);
    let error = RemoteError::new(RemoteErrorKind::Invalid, "FieldUndefined: undeleteProduct");
    client.take(Intent::Acknowledge(sent.clone(), Err(error))).unwrap();
    let (_, _, pending) = client.store.outbox().iter().next().unwrap();
    assert_eq!(
        pending.rejection.as_ref().unwrap().message,
        "this server cannot bring Product p back, as AWS AppSync has no undelete; discard the \
         change, or save the record under a new key. It said: FieldUndefined: undeleteProduct"
    );
    client.take(Intent::Discard(PRODUCT, Key::from("p"))).unwrap();
    assert_eq!(client.keys(PRODUCT), [""; 0]);
    // Where the tombstone is gone for good, the record is made anew.
    client.done(vec![Write::Undelete { model: PRODUCT, key: "p".into() }]);
    let sent = client.leave("p", 2);
    let error = RemoteError::new(RemoteErrorKind::ConditionFailed, "there is none");
    client.take(Intent::Acknowledge(sent, Err(error))).unwrap();
    assert_eq!(client.mutation("p").operation, Operation::Create);
    assert_eq!(client.shown("p", STOCK), 1.into());
}

#[test]
fn additions_wait_on_top_of_what_the_server_shows() {
    let mut client = Client::new(schema());
    client.receive(PRODUCT, product("p", None, Some(10)), 1, false);
    client.done(vec![add("p", -1)]);
    client.done(vec![add("p", -2)]);
    assert_eq!(client.shown("p", STOCK), 7.into());
    client.receive(PRODUCT, product("p", None, Some(20)), 2, false);
    assert_eq!(client.shown("p", STOCK), 17.into());
    let sent = client.leave("p", 77);
    assert_eq!((sent.version, sent.once), (2, Some(77)));
    assert_eq!(sent.fields.get(STOCK), Some(&17.into()));
    // What comes meanwhile changes nothing about what is on its way.
    client.done(vec![add("p", -4), set("p", NAME, "Mocha")]);
    client.receive(PRODUCT, product("p", None, Some(19)), 3, false);
    assert_eq!(client.shown("p", STOCK), 12.into());
    assert_eq!(client.mutation("p"), sent);
    // Refused, it goes on what is stored now, after the fields.
    let stored =
        Record { row: product("p", None, Some(19)), meta: Meta { version: 3, ..Meta::default() } };
    let conflict = RemoteError::new(RemoteErrorKind::Conflict, "no").with_stored(stored);
    client.take(Intent::Acknowledge(sent, Err(conflict))).unwrap();
    assert_eq!(client.shown("p", STOCK), 12.into());
    let sent = client.leave("p", 78);
    assert_eq!((sent.once, sent.fields.get(STOCK)), (None, None));
    let patch = [(NAME, "Mocha".into())].into_iter().collect();
    let named = |stock: i64| product("p", None, Some(stock)).with(&patch);
    let answer = |row, version| Ok(Record { row, meta: Meta { version, ..Meta::default() } });
    client.take(Intent::Acknowledge(sent, answer(named(19), 4))).unwrap();
    let sent = client.leave("p", 79);
    assert_eq!((sent.once, sent.fields.get(STOCK)), (Some(79), Some(&12.into())));
    // Another's write overtakes the answer.
    client.receive(PRODUCT, named(11), 6, false);
    client.take(Intent::Acknowledge(sent, answer(named(12), 5))).unwrap();
    assert_eq!((client.shown("p", STOCK), client.waiting()), (11.into(), 0));
}

#[test]
fn what_was_local_is_queued_when_there_is_a_server() {
    let mut client = Client::new(schema().local());
    client.done(vec![
        Write::save(PRODUCT, product("p", None, Some(1))),
        Write::save(SHELF, row(&["s", "x"])),
    ]);
    let rows: Vec<_> = [PRODUCT, SHELF]
        .into_iter()
        .flat_map(|model| client.store.rows(model).map(move |(key, it)| (model, key, it)))
        .map(|(model, key, record)| (model, key.clone(), Some(record.clone())))
        .collect();
    let mut synced = Client::new(schema());
    synced.store.apply(espressync_store::Batch { records: rows, ..Default::default() });
    synced.receive(PRODUCT, product("q", None, None), 1, false);
    let adopted = synced.take(Intent::Adopt).unwrap();
    assert_eq!((adopted.len(), synced.waiting()), (2, 2));
    assert_eq!(synced.mutation("p").operation, Operation::Create);
    assert_eq!(synced.take(Intent::Adopt).map(|again| again.len()), Ok(0));
}

#[test]
fn a_value_set_is_the_last_word_over_additions() {
    let mut client = Client::new(schema());
    client.receive(PRODUCT, product("p", None, Some(10)), 1, false);
    client.done(vec![add("p", -1)]);
    let sent = client.leave("p", 7);
    client.done(vec![set("p", STOCK, 50), add("p", 1)]);
    assert_eq!(client.shown("p", STOCK), 51.into());
    let nine =
        Record { row: product("p", None, Some(9)), meta: Meta { version: 2, ..Meta::default() } };
    client.receive(PRODUCT, nine.row.clone(), 2, false);
    assert_eq!(client.shown("p", STOCK), 51.into(), "its own sum is no other's write");
    client.take(Intent::Acknowledge(sent, Ok(nine))).unwrap();
    assert_eq!(client.shown("p", STOCK), 51.into());
    let sent = client.leave("p", 8);
    assert_eq!((sent.once, sent.fields.get(STOCK)), (None, Some(&50.into())));
}

#[test]
fn what_is_added_to_a_new_record_is_part_of_it_until_it_leaves() {
    let mut client = Client::new(schema());
    client.done(vec![Write::save(PRODUCT, product("p", None, None)), add("p", 3)]);
    client.done(vec![add("p", -1)]);
    let sent = client.leave("p", 7);
    assert_eq!((sent.operation, sent.fields.get(STOCK)), (Operation::Create, Some(&2.into())));
    client.done(vec![add("p", 5)]);
    assert_eq!((client.mutation("p"), client.shown("p", STOCK)), (sent.clone(), 7.into()));
    // Another has added as much since.
    client.receive(PRODUCT, product("p", None, Some(7)), 2, false);
    let meta = Meta { version: 1, ..Meta::default() };
    let answer = Record { row: product("p", None, Some(2)), meta };
    client.take(Intent::Acknowledge(sent, Ok(answer))).unwrap();
    assert_eq!((client.shown("p", STOCK), client.waiting()), (12.into(), 1));
}

#[test]
fn a_transaction_reads_its_own_writes_and_is_all_or_nothing() {
    let mut client = shop(schema());
    let work = |gives_up: bool| {
        Intent::Transact(Transact::new(move |transaction| {
            let on_shelf = Query::filter(SHELF_ID.eq("low"));
            assert_eq!(transaction.records(PRODUCT, &on_shelf)?.len(), 2);
            transaction.write(&Write::save(PRODUCT, product("s", Some("low"), Some(1))))?;
            transaction.write(&add("s", 4))?;
            transaction.write(&Write::delete(PRODUCT, "p"))?;
            let found = transaction.records(PRODUCT, &on_shelf.clone().descending(FieldId(0)))?;
            let keys: Vec<&str> =
                found.iter().filter_map(|it| it.row.get(FieldId(0)).as_text()).collect();
            assert_eq!(keys, ["s", "q"]);
            let related = Query::filter(espressync_model::RelationId(1).exists());
            assert_eq!(transaction.records(PRODUCT, &related)?.len(), 1);
            if gives_up { Err(SyncError::GivenUp) } else { Ok(()) }
        }))
    };
    let commits = client.commits;
    assert_eq!(client.take(work(true)), Err(SyncError::GivenUp));
    assert_eq!(client.commits, commits);
    assert_eq!(client.take(work(false)).map(|written| written.len()), Ok(3));
    assert_eq!(client.keys(PRODUCT), ["q", "r", "s"]);
    // Who hides a refusal loses the transaction all the same.
    let hides = Transact::new(|transaction| {
        transaction.write(&Write::delete(PRODUCT, "q"))?;
        let _ = transaction.write(&Write::delete(PRODUCT, "x"));
        Ok(())
    });
    let error = client.take(Intent::Transact(hides)).unwrap_err();
    assert_eq!(error.to_string(), "there is no Product with key x");
    assert_eq!(client.keys(PRODUCT), ["q", "r", "s"]);
}
