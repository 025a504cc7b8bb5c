//! Schema changes: what is here is read in the sense of the schema that the app has now, or the
//! schema is refused.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::cast_precision_loss,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Key, Model, ModelId, ObjectId, ObjectType, Record,
    Row, Scalar, Schema, Value,
};
use espressync_store::{
    Batch, Layout, LogPosition, LogRecord, Pending, PendingField, Store, StoreErrorKind,
};
use proptest::prelude::*;

const ITEM: ModelId = ModelId(0);

fn item(fields: Vec<Field>) -> Schema {
    let model = Model::new("Item", "Items").field(Field::new("id", Scalar::Id).required());
    let size = |name: &str, values: &[&str]| EnumType {
        name: name.into(),
        values: values.iter().map(ToString::to_string).collect(),
    };
    let object = |name: &str, fields| ObjectType { name: name.into(), fields };
    Schema::new(vec![fields.into_iter().fold(model, Model::field)])
        .with_enums(vec![size("Size", &["S", "L"]), size("Cup", &["S", "M", "L"])])
        .with_objects(vec![
            object("Note", vec![Field::new("a", Scalar::Int), Field::new("b", Scalar::Int)]),
            object("Memo", vec![Field::new("c", Scalar::String).renamed(&["b"])]),
            object("Must", vec![Field::new("z", Scalar::String).required()]),
        ])
}

fn scalar(scalar: Scalar) -> Field {
    Field::new("x", scalar)
}

fn kind(base: BaseType) -> Field {
    Field::new("x", base)
}

/// Goes from one field to another: to this value, or not at all, for this reason.
fn check(old: Option<Field>, new: Option<Field>, value: Value, expected: Result<Value, &str>) {
    let (old, new) = (item(old.into_iter().collect()), item(new.into_iter().collect()));
    let said = format!("{old:?} to {new:?}");
    let mut log = Log::default();
    let store = log.open(&old).unwrap();
    let mut values = vec!["1".into(), value];
    values.truncate(old.model(ITEM).fields.len());
    log.write(&store, put("1", values));
    match (log.open(&new), expected) {
        (Ok(store), Ok(expected)) => {
            let row = &store.record(ITEM, &Key::from("1")).unwrap().row;
            assert_eq!(row.values().get(1).cloned().unwrap_or_default(), expected, "{said}");
        }
        (Err(error), Err(expected)) => {
            assert_eq!(error.0, StoreErrorKind::Schema);
            assert!(error.1.contains(expected), "{}\n{expected}", error.1);
            assert!(log.open(&old).is_ok(), "the schema before opens it as ever");
        }
        (found, expected) => panic!("{said}: {:?}, not {expected:?}", found.err()),
    }
}

fn put(key: &str, values: Vec<Value>) -> Batch {
    let records = vec![(ITEM, Key::from(key), Some(Record::local(Row::new(values))))];
    Batch { records, ..Batch::default() }
}

#[derive(Default)]
struct Log(Vec<LogRecord>);

impl Log {
    fn open(&self, schema: &Schema) -> Result<Store, (StoreErrorKind, String)> {
        let opened = Store::open(Rc::new(schema.clone()), self.0.clone());
        let (store, report) = opened.map_err(|error| (error.kind, error.message))?;
        assert_eq!(report.unreadable, []);
        Ok(store)
    }

    fn write(&mut self, store: &Store, batch: Batch) {
        let records = store.layout_record().into_iter().chain([store.batch_record(&batch)]);
        for bytes in records {
            let position = LogPosition(self.0.len() as u64 + 1);
            self.0.push(LogRecord { position, bytes });
        }
    }
}

#[test]
fn a_type_may_become_wider() {
    use Scalar::{AwsDate, AwsTimestamp, Boolean, Float, Id, Int, String};
    let to = |old, new, value: Value, expected: Value| {
        check(Some(scalar(old)), Some(scalar(new)), value, Ok(expected));
    };
    to(Int, Float, 3.into(), 3.0.into());
    to(Int, AwsTimestamp, 3.into(), 3.into());
    to(Int, String, (-3).into(), "-3".into());
    to(Float, String, 2.5.into(), "2.5".into());
    to(Boolean, String, true.into(), "true".into());
    to(AwsDate, String, "2026-11-25".into(), "2026-11-25".into());
    to(Id, String, "a".into(), "a".into());
    to(Int, Float, Value::Null, Value::Null);
    let list = |values: &[Value]| Value::List(values.into());
    let wide = |old: Field, new: Field, value: Value, expected: Value| {
        check(Some(old), Some(new), value, Ok(expected));
    };
    wide(scalar(Int).required(), scalar(Int), 3.into(), 3.into());
    wide(scalar(Int), scalar(Float).list(true), 3.into(), list(&[3.0.into()]));
    wide(
        scalar(Int).list(true),
        scalar(String).list(false),
        list(&[3.into()]),
        list(&["3".into()]),
    );
    wide(scalar(Int), scalar(Int).list(true).required(), Value::Null, list(&[]));
    wide(scalar(Int), scalar(Int).required().with_default(7.into()), Value::Null, 7.into());
    let (size, cup) = (BaseType::Enum(EnumId(0)), BaseType::Enum(EnumId(1)));
    wide(kind(size), kind(cup), "L".into(), "L".into());
    wide(kind(size), scalar(String), "L".into(), "L".into());
    let note = Value::Object([1.into(), 2.into()].into());
    let memo = Value::Object(["2".into()].into());
    wide(kind(BaseType::Object(ObjectId(0))), kind(BaseType::Object(ObjectId(1))), note, memo);
}

#[test]
fn a_field_comes_goes_and_is_renamed() {
    check(None, Some(scalar(Scalar::Int)), Value::Null, Ok(Value::Null));
    let with_default = scalar(Scalar::Int).required().with_default(7.into());
    check(None, Some(with_default), Value::Null, Ok(7.into()));
    check(Some(scalar(Scalar::Int)), None, 3.into(), Ok(Value::Null));
    let named = |name: &str| Field::new(name, Scalar::Int);
    check(Some(named("x")), Some(named("y").renamed(&["w", "x"])), 3.into(), Ok(3.into()));
    check(Some(named("x")), Some(named("y")), 3.into(), Ok(Value::Null));
    // The version before recognises what the one after has renamed.
    check(Some(named("y").renamed(&["x"])), Some(named("x")), 3.into(), Ok(3.into()));
}

#[test]
fn what_would_lose_data_is_refused() {
    use Scalar::{Float, Int, String};
    let no = |old: Option<Field>, new: Field, expected: &str| {
        check(old, Some(new), Value::Null, Err(expected));
    };
    let keep = "keep the type, and make a new field of the new one";
    let narrow = format!("Item.x cannot go from Float to Int: {keep}");
    no(Some(scalar(Float)), scalar(Int), &narrow);
    no(Some(scalar(String)), scalar(Int), &format!("Item.x cannot go from String to Int: {keep}"));
    no(Some(scalar(Int).list(true)), scalar(Int), "Item.x cannot go from [Int!] to Int: keep");
    no(Some(scalar(Int)), scalar(Int).required(), "Item.x cannot go from Int to Int!: make it");
    no(None, scalar(Int).required(), "Item.x cannot go from nothing to Int!: make it optional");
    no(Some(scalar(Int).list(false)), scalar(Int).list(true), "from [Int] to [Int!]: allow");
    let (size, cup) = (BaseType::Enum(EnumId(0)), BaseType::Enum(EnumId(1)));
    no(Some(kind(cup)), kind(size), "Item.x cannot go from Cup to Size: keep the type");
    let (note, must) = (BaseType::Object(ObjectId(0)), BaseType::Object(ObjectId(2)));
    no(Some(kind(note)), kind(must), "Must.z cannot go from nothing to String!: make it");
    let key = Model::new("Item", "Items").field(Field::new("code", Scalar::Id).required());
    let refusals = Layout::of(&item(vec![])).plan(&Schema::new(vec![key])).unwrap_err();
    let expected = "Item cannot go from the key (id: ID!) to the key (code: ID!): keep the key, or \
                    make a new model for the new key";
    assert_eq!(refusals.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_model_goes_when_nothing_of_it_waits() {
    let old = item(vec![]);
    let other =
        |model: Model| Schema::new(vec![model.field(Field::new("id", Scalar::Id).required())]);
    let mut log = Log::default();
    let mut store = log.open(&old).unwrap();
    let waits = |pending| Batch {
        outbox: vec![(ITEM, Key::from("1"), pending)],
        ..put("1", vec!["1".into()])
    };
    log.write(&store, waits(Some(Pending::new(1, None))));
    let error = log.open(&other(Model::new("Order", "Orders"))).err().unwrap();
    let expected = "this device's data cannot follow the schema, and is as it was: Item cannot go \
                    from a model to nothing: changes to 1 of its records wait to be sent; keep it \
                    until they are, or say @renamed(from: \"Item\")";
    assert_eq!(error, (StoreErrorKind::Schema, expected.to_owned()));
    let renamed = log.open(&other(Model::new("Thing", "Things").renamed(&["Item"]))).unwrap();
    assert!(renamed.outbox().get(ITEM, &Key::from("1")).is_some());
    store = log.open(&old).unwrap();
    log.write(&store, waits(None));
    assert!(log.open(&other(Model::new("Order", "Orders"))).is_ok());
}

#[test]
fn additions_follow_their_field() {
    let after = |new: Option<Scalar>| {
        let mut log = Log::default();
        let store = log.open(&item(vec![scalar(Scalar::Int)])).unwrap();
        let base = Record::local(Row::new(vec!["1".into(), 5.into()]));
        let mut pending = Pending::new(1, Some(base));
        pending.additions.insert(FieldId(1), 2.into());
        let outbox = vec![(ITEM, Key::from("1"), Some(pending))];
        log.write(&store, Batch { outbox, ..put("1", vec!["1".into(), 7.into()]) });
        let store = log.open(&item(new.map(scalar).into_iter().collect())).unwrap();
        store.outbox().get(ITEM, &Key::from("1")).cloned()
    };
    let float = after(Some(Scalar::Float)).unwrap();
    assert_eq!(float.additions, BTreeMap::from([(FieldId(1), 2.0.into())]));
    let text = after(Some(Scalar::String)).unwrap();
    assert!(text.additions.is_empty());
    assert_eq!(text.fields[&FieldId(1)].value, "7".into());
    assert_eq!(after(None), None, "nothing is left to send");
}

#[test]
fn an_older_tab_stops_for_good() {
    let (old, new) = (item(vec![]), item(vec![scalar(Scalar::Int)]));
    let mut log = Log::default();
    let first = log.open(&old).unwrap();
    log.write(&first, put("1", vec!["1".into()]));
    let (mut tab, before) = (log.open(&old).unwrap(), log.0.len());
    let newer = log.open(&new).unwrap();
    log.write(&newer, put("2", vec!["2".into(), 2.into()]));
    // A third tab of the old version opens what the newer wrote: the field it knows not is left.
    let third = log.open(&old).unwrap();
    log.write(&third, put("3", vec!["3".into()]));
    tab.catch_up(&log.0[before..], |_| {}).unwrap();
    assert_eq!(tab.check_current().unwrap_err().kind, StoreErrorKind::Superseded);
    let again = log.open(&new).unwrap();
    let row = |key: &str| again.record(ITEM, &Key::from(key)).unwrap().row.get(FieldId(1)).clone();
    assert_eq!([row("1"), row("2"), row("3")], [Value::Null, 2.into(), Value::Null]);
}

/// A field through all versions of the schema.
#[derive(Debug, Clone)]
struct Known {
    number: usize,
    field: Field,
}

/// What a device should have, by the numbers of the fields.
type Expected = BTreeMap<String, BTreeMap<usize, Value>>;

#[derive(Debug, Clone, Copy)]
enum Step {
    Add,
    AddRequired,
    Remove(usize),
    Rename(usize),
    Widen(usize, bool),
    Require(usize),
    Move(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0..8usize;
    prop_oneof![
        Just(Step::Add),
        Just(Step::AddRequired),
        at.clone().prop_map(Step::Remove),
        at.clone().prop_map(Step::Rename),
        (at.clone(), any::<bool>()).prop_map(|(at, list)| Step::Widen(at, list)),
        at.clone().prop_map(Step::Require),
        at.prop_map(Step::Move),
    ]
}

fn widened(field: &Field, is_list: bool) -> (Field, fn(Value) -> Value) {
    let mut next = field.clone();
    let is_free = !field.is_required;
    if is_list && !field.is_list && is_free {
        return (next.list(true), |value| match value {
            Value::Null => Value::Null,
            one => Value::List([one].into()),
        });
    }
    if field.is_list || !is_free {
        return (next, |value| value);
    }
    match field.base {
        BaseType::Scalar(Scalar::Int) => {
            next.base = Scalar::Float.into();
            (next, |value| value.as_number().map_or(Value::Null, Value::Float))
        }
        BaseType::Scalar(Scalar::Float) => {
            next.base = Scalar::String.into();
            (next, |value| value.as_number().map_or(Value::Null, |it| it.to_string().into()))
        }
        _ => (next, |value| value),
    }
}

/// Changes the schema, and says what becomes of each value.
fn change(known: &mut Vec<Known>, count: &mut usize, step: Step, rows: &mut [&mut Expected]) {
    let all = rows.iter_mut().flat_map(|rows| rows.values_mut());
    let place = |at: usize| (!known.is_empty()).then(|| at % known.len().max(1));
    let name = |count: usize| format!("f{count}");
    *count += 1;
    match step {
        Step::Add => {
            known.push(Known { number: *count, field: Field::new(name(*count), Scalar::Int) });
        }
        Step::AddRequired => {
            let field = Field::new(name(*count), Scalar::Int).required().with_default(7.into());
            all.for_each(|row| drop(row.insert(*count, 7.into())));
            known.push(Known { number: *count, field });
        }
        Step::Remove(at) => {
            let Some(at) = place(at) else { return };
            let gone = known.remove(at).number;
            all.for_each(|row| drop(row.remove(&gone)));
        }
        Step::Rename(at) => {
            let Some(at) = place(at) else { return };
            let field = &mut known[at].field;
            field.formerly.push(std::mem::replace(&mut field.name, name(*count)));
        }
        Step::Widen(at, is_list) => {
            let Some(at) = place(at) else { return };
            let (field, convert) = widened(&known[at].field, is_list);
            known[at].field = field;
            let number = known[at].number;
            all.filter_map(|row| row.get_mut(&number)).for_each(|it| *it = convert(it.clone()));
        }
        Step::Require(at) => {
            let Some(at) = place(at) else { return };
            let Known { number, field } = &mut known[at];
            if field.base != Scalar::Int.into() || field.is_list || field.is_required {
                return;
            }
            *field = field.clone().required().with_default(7.into());
            for row in all {
                let value = row.entry(*number).or_default();
                if value.is_null() {
                    *value = 7.into();
                }
            }
        }
        Step::Move(at) => {
            let Some(at) = place(at) else { return };
            known.rotate_left(at);
        }
    }
}

fn value_of(field: &Field, number: i64) -> Value {
    let one = match field.base {
        BaseType::Scalar(Scalar::Int) => number.into(),
        BaseType::Scalar(Scalar::Float) => Value::Float(number as f64 / 4.0),
        _ => number.to_string().into(),
    };
    match (field.is_list, number % 5 == 0 && !field.is_required) {
        (_, true) => Value::Null,
        (true, false) => Value::List([one].into()),
        (false, false) => one,
    }
}

/// The field of a waiting change, and what it is to be; required fields only fill rows.
fn found(store: &Store, known: &[Known], is_outbox: bool) -> Expected {
    let number = |field: FieldId| known[field.index() - 1].number;
    if is_outbox {
        let entries = store.outbox().iter().map(|(_, key, pending)| {
            let fields = pending.fields.iter().map(|(field, waits)| {
                assert_eq!(waits.earlier, std::slice::from_ref(&waits.value));
                (number(*field), waits.value.clone())
            });
            (key.to_string(), fields.collect())
        });
        return entries.collect();
    }
    let rows = store.rows(ITEM).map(|(key, record)| {
        let values = record.row.values().iter().skip(1).zip(known);
        (key.to_string(), values.map(|(value, known)| (known.number, value.clone())).collect())
    });
    rows.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Versions come one after the other, and a device that was asleep skips some; in each that it
    /// sees it is edited offline.
    #[test]
    fn no_chain_of_schemas_loses_an_edit(
        chain in prop::collection::vec(
            (prop::collection::vec(step(), 1..4),
             prop::collection::vec((0..6usize, 1..100i64), 0..4)), 1..8),
    ) {
        let (mut known, mut count, mut sequence) = (Vec::new(), 0, 0);
        let (mut rows, mut waiting) = (Expected::new(), Expected::new());
        let mut log = Log::default();
        for (steps, edits) in chain {
            for step in steps {
                let required = matches!(step, Step::AddRequired | Step::Require(_));
                let mut both = [&mut rows, &mut waiting];
                if required { change(&mut known, &mut count, step, &mut both[..1]) }
                else { change(&mut known, &mut count, step, &mut both) }
            }
            // What waited for a field alone that is gone waits no more; a null that waits for what
            // is required now is its default.
            for row in waiting.values_mut() {
                for Known { number, field } in &known {
                    let value = row.get_mut(number).filter(|value| value.is_null());
                    if let Some(value) = value.filter(|_| field.is_required) {
                        *value = 7.into();
                    }
                }
            }
            waiting.retain(|_, row| !row.is_empty());
            if edits.is_empty() {
                continue;
            }
            let schema = item(known.iter().map(|known| known.field.clone()).collect());
            let store = log.open(&schema).unwrap();
            for row in rows.values_mut() {
                for known in &known {
                    row.entry(known.number).or_default();
                }
            }
            prop_assert_eq!(&found(&store, &known, false), &rows);
            prop_assert_eq!(&found(&store, &known, true), &waiting);
            for (key, number) in edits {
                let key = key.to_string();
                let values: BTreeMap<usize, Value> = known.iter()
                    .map(|known| (known.number, value_of(&known.field, number))).collect();
                sequence += 1;
                let base = Record::local(Row::new(vec![Value::Null; known.len() + 1]));
                let mut pending = Pending::new(sequence, Some(base));
                for (known, place) in known.iter().zip(1..) {
                    let value = values[&known.number].clone();
                    let earlier = vec![value.clone()];
                    pending.fields.insert(FieldId(place), PendingField { value, earlier });
                }
                let row = [Value::from(key.as_str())].into_iter()
                    .chain(known.iter().map(|known| values[&known.number].clone()));
                let waits = !values.is_empty();
                let outbox = vec![(ITEM, Key::from(&key), waits.then_some(pending))];
                let store = log.open(&schema).unwrap();
                log.write(&store, Batch { outbox, ..put(&key, row.collect()) });
                waiting.remove(&key);
                if waits {
                    waiting.insert(key.clone(), values.clone());
                }
                rows.insert(key, values);
            }
        }
    }
}
