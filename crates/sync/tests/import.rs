//! What becomes of another software's queue, by value.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::rc::Rc;

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{
    Field, FieldId, Key, Meta, Model, ModelId, Patch, Predicate, Record, Row, Scalar, Schema,
    Timestamp, Value,
};
use espressync_store::{Cursor, Store};
use espressync_sync::{Import, Intent, SyncError, Write, prepare, waiting_mutation};

const PRODUCT: ModelId = ModelId(0);
const NAME: FieldId = FieldId(1);
const STOCK: FieldId = FieldId(2);

fn schema() -> Rc<Schema> {
    let product = Model::new("Product", "Products")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("name", Scalar::String).required())
        .field(Field::new("stock", Scalar::Int));
    Rc::new(Schema::new(vec![product]))
}

fn record(id: &str, name: &str, stock: i64, version: u64) -> (ModelId, Record) {
    let row = Row::new(vec![id.into(), name.into(), stock.into()]);
    let meta = Meta { version, changed_at: Timestamp(7), deleted: false };
    (PRODUCT, Record { row, meta })
}

fn event(operation: Operation, id: &str, fields: &[(FieldId, Value)], version: u64) -> Mutation {
    let mut patch: Patch = fields.iter().cloned().collect();
    patch.set(FieldId(0), id.into());
    Mutation {
        model: PRODUCT,
        key: Key::from(id),
        operation,
        fields: patch,
        version,
        condition: Predicate::All,
        once: None,
    }
}

fn create(id: &str) -> Mutation {
    event(Operation::Create, id, &[(NAME, "Tea".into()), (STOCK, 1.into())], 0)
}

fn update(id: &str, field: FieldId, value: impl Into<Value>, version: u64) -> Mutation {
    event(Operation::Update, id, &[(field, value.into())], version)
}

fn take(store: &mut Store, intent: Intent) -> Result<(), SyncError> {
    let mut prepared = prepare(store, &[intent]);
    store.apply(prepared.batch);
    prepared.outcomes.remove(0).map(|_| ())
}

fn imported(records: Vec<(ModelId, Record)>, mutations: Vec<Mutation>) -> Store {
    let mut store = Store::new(schema());
    take(&mut store, Intent::Import(Import { records, mutations, cursors: Vec::new() })).unwrap();
    store
}

/// Another record's edit, so that what is tested is not at the head of the queue.
fn head() -> Mutation {
    update("head", STOCK, 5, 1)
}

type Sent = (Operation, u64, Vec<(u16, Value)>);

fn waits(store: &Store, id: &str) -> Option<Sent> {
    waiting_mutation(store, PRODUCT, &Key::from(id)).map(|it| {
        let fields = it.fields.iter().map(|(field, value)| (field.0, value.clone())).collect();
        (it.operation, it.version, fields)
    })
}

#[test]
fn the_mutations_of_a_record_become_one_entry() {
    let check =
        |shown: Option<(ModelId, Record)>, events: Vec<Mutation>, expected: Option<Sent>| {
            let mut all = vec![head()];
            all.extend(events);
            let store = imported(shown.into_iter().collect(), all);
            assert_eq!(waits(&store, "p"), expected);
            store.live_record(PRODUCT, "p").cloned()
        };
    let whole = |stock: i64| vec![(0, "p".into()), (1, "Tea".into()), (2, stock.into())];
    let key_and = |field: u16, value: Value| vec![(0, "p".into()), (field, value)];
    let p = |stock, version| Some(record("p", "Tea", stock, version));

    check(p(1, 0), vec![create("p")], Some((Operation::Create, 0, whole(1))));
    let events = vec![create("p"), update("p", STOCK, 2, 0)];
    check(p(2, 0), events, Some((Operation::Create, 0, whole(2))));
    let gone = event(Operation::Delete, "p", &[], 0);
    let events = vec![create("p"), update("p", STOCK, 2, 0), gone];
    assert_eq!(check(None, events, None), None, "it never left");
    // The version is the first event's, though the row has a newer one.
    let events = vec![update("p", STOCK, 2, 3), update("p", STOCK, 4, 3)];
    let shown = check(p(4, 5), events, Some((Operation::Update, 3, key_and(2, 4.into()))));
    assert_eq!(shown.map(|shown| shown.row.get(STOCK).clone()), Some(4.into()));
    let gone = event(Operation::Delete, "p", &[(NAME, "Tea".into())], 3);
    let events = vec![update("p", STOCK, 2, 3), gone];
    assert_eq!(check(None, events, Some((Operation::Delete, 3, Vec::new()))), None);
    // Nobody knows of its create.
    let events = vec![update("p", STOCK, 2, 0)];
    check(p(2, 0), events, Some((Operation::Create, 0, whole(2))));
    // Its create was answered, and not yet taken off the queue.
    check(p(1, 1), vec![create("p")], Some((Operation::Update, 1, whole(1))));
}

#[test]
fn order_and_cursors_are_kept() {
    let records = ["a", "b", "c"].map(|id| record(id, "Tea", 1, 1));
    let mutations = vec![update("c", STOCK, 2, 1), update("a", STOCK, 2, 1), create("b")];
    let cursor = Cursor { last_sync: Timestamp(9), last_full_sync: Timestamp(5) };
    let import = Import { records: records.to_vec(), mutations, cursors: vec![(PRODUCT, cursor)] };
    let mut store = Store::new(schema());
    take(&mut store, Intent::Import(import)).unwrap();
    let order: Vec<_> = store.outbox().iter().map(|(_, key, _)| key.as_str()).collect();
    assert_eq!(order, ["c", "a", "b"]);
    assert_eq!(store.cursor(PRODUCT), Some(cursor));
}

#[test]
fn a_create_that_may_have_left_is_followed_by_its_delete() {
    let gone = event(Operation::Delete, "p", &[], 0);
    let mut store = imported(Vec::new(), vec![create("p"), gone]);
    let (_, answered) = record("p", "Tea", 1, 1);
    take(&mut store, Intent::Receive(PRODUCT, vec![answered])).unwrap();
    assert_eq!(waits(&store, "p"), Some((Operation::Delete, 1, Vec::new())));
}

/// What the server shows, how the edit of the stock from 1 to 2 goes on, and what the user sees.
#[test]
fn an_edit_waits_until_it_is_shown_or_answered() {
    let edited =
        || imported(vec![record("p", "Tea", 2, 3)], vec![head(), update("p", STOCK, 2, 3)]);
    let check = |name: &str, stock: i64, version: u64, expected: Option<u64>| {
        let mut store = edited();
        let (_, server) = record("p", name, stock, version);
        take(&mut store, Intent::Receive(PRODUCT, vec![server])).unwrap();
        let waiting = waits(&store, "p").map(|(_, version, _)| version);
        assert_eq!(waiting, expected, "{name} {stock}");
        assert_eq!(store.live_record(PRODUCT, "p").unwrap().row.get(STOCK), &2.into());
    };
    check("Tea", 1, 3, Some(3));
    check("Mocha", 1, 4, Some(4));
    check("Tea", 8, 4, Some(4));
    check("Tea", 2, 4, None);

    let mut store = edited();
    let sent = waiting_mutation(&store, PRODUCT, &Key::from("p")).unwrap();
    let (_, kept) = record("p", "Tea", 8, 5);
    take(&mut store, Intent::Acknowledge(sent, Ok(kept))).unwrap();
    assert_eq!(waits(&store, "p"), None, "the server has decided");
}

#[test]
fn what_is_set_back_to_what_was_imported_is_still_sent() {
    let mut store =
        imported(vec![record("p", "Tea", 2, 3)], vec![head(), update("p", STOCK, 2, 3)]);
    for stock in [7, 2] {
        let (_, saved) = record("p", "Tea", stock, 3);
        take(&mut store, Intent::Write(vec![Write::save(PRODUCT, saved.row)])).unwrap();
    }
    let expected = vec![(0, "p".into()), (2, 2.into())];
    assert_eq!(waits(&store, "p"), Some((Operation::Update, 3, expected)));
}

#[test]
fn a_store_that_is_not_empty_takes_nothing_in() {
    let mut store = imported(vec![record("p", "Tea", 2, 3)], Vec::new());
    let again = Import { records: vec![record("q", "Tea", 1, 1)], ..Import::default() };
    let error = take(&mut store, Intent::Import(again)).unwrap_err();
    assert_eq!(error, SyncError::NotEmpty { count: 1 });
    assert_eq!(store.live_count(PRODUCT), 1);
}
