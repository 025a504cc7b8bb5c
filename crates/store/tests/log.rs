//! The log as a file format: what is written comes back, through schema changes too, and what
//! cannot be read is said by name and left alone.

use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_model::remote::RemoteErrorKind;
use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Key, Meta, Model, ModelId, ObjectId, ObjectType,
    Query, Record, Row, Scalar, Schema, Timestamp, Value,
};
use espressync_store::{
    Attempt, Batch, Cursor, Layout, LogEntry, LogPosition, LogRecord, Pending, PendingField,
    Rejection, Store, StoreErrorKind, decode, encode,
};
use proptest::prelude::*;

const PRODUCT: ModelId = ModelId(0);

fn product(fields: &[&str]) -> Model {
    let model = Model::new("Product", "Products").field(Field::new("id", Scalar::Id).required());
    fields.iter().fold(model, |model, name| model.field(Field::new(*name, Scalar::String)))
}

fn schema(fields: &[&str]) -> Schema {
    Schema::new(vec![product(fields)])
}

fn record(values: &[&str], version: u64) -> Record {
    let row = Row::new(values.iter().map(|value| Value::from(*value)).collect());
    Record { row, meta: Meta { version, changed_at: Timestamp(1_700_000_000_000), deleted: false } }
}

/// A batch with one of everything.
fn everything() -> Batch {
    let waits = PendingField { value: "3.50".into(), earlier: vec!["3.40".into(), Value::Null] };
    let rejection = Rejection { kind: RemoteErrorKind::Unauthorized, message: "no".into() };
    let pending = Pending {
        fields: BTreeMap::from([(FieldId(2), waits)]),
        is_attempted: true,
        unheeded: 1,
        rejection: Some(rejection),
        ..Pending::new(7, Some(record(&["p1", "Flat white", "3.20"], 4)))
    };
    let cursor = Cursor { last_sync: Timestamp(1_700_000_000_001), last_full_sync: Timestamp(-5) };
    Batch {
        records: vec![
            (PRODUCT, Key::from("p1"), Some(record(&["p1", "Flat white", "3.50"], 4))),
            (PRODUCT, Key::from("p2"), None),
        ],
        outbox: vec![(PRODUCT, Key::from("p1"), Some(pending)), (PRODUCT, Key::from("p2"), None)],
        cursors: vec![(PRODUCT, Some(cursor))],
    }
}

/// What format 2 has beyond that.
fn everything_since_2() -> Batch {
    let mut batch = everything();
    let base = record(&["p3", "Mocha", "5.00"], 9);
    let counts = |amount: i64| BTreeMap::from([(FieldId(2), Value::from(amount))]);
    let attempt = Attempt {
        once: u64::MAX,
        version: 8,
        additions: BTreeMap::from([(FieldId(1), (Value::Null, Value::from(-2.5)))]),
    };
    let pending = Pending {
        is_undelete: true,
        additions: counts(-3),
        attempt: Some(attempt),
        ..Pending::new(8, Some(base))
    };
    batch.outbox.push((PRODUCT, Key::from("p3"), Some(pending)));
    batch
}

/// A layout with one of everything.
fn full_layout() -> Layout {
    let size = EnumType { name: "Size".into(), values: vec!["SMALL".into(), "LARGE".into()] };
    let note = ObjectType {
        name: "Note".into(),
        fields: vec![Field::new("text", Scalar::String).renamed(&["body"])],
    };
    let model = product(&["name"])
        .renamed(&["Article", "Item"])
        .field(Field::new("price", Scalar::Float).required().with_default(Value::from(1.5)))
        .field(Field::new("sizes", BaseType::Enum(EnumId(0))).list(true))
        .field(Field::new("note", BaseType::Object(ObjectId(0))).renamed(&["remark"]))
        .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only())
        .keyed_by(vec![FieldId(0), FieldId(1)]);
    Layout::of(&Schema::new(vec![model]).with_enums(vec![size]).with_objects(vec![note]))
}

/// A log; its batches are written in the layout that comes before them.
fn log(entries: &[LogEntry]) -> Vec<LogRecord> {
    let mut layout = Layout::default();
    let records = (1..).map(LogPosition).zip(entries).map(|(position, entry)| {
        if let LogEntry::Layout(next) | LogEntry::Reset(next) = entry {
            layout = next.clone();
        }
        LogRecord { position, bytes: encode(entry, &layout) }
    });
    records.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let text: Vec<char> = text.trim().chars().collect();
    let pairs = text.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs.map(|pair| u8::from_str_radix(&pair, 16).unwrap_or_default()).collect()
}

/// The files were written by the first build with this format. A build that reads them otherwise
/// would misread people's databases.
#[test]
fn the_golden_files_are_read_and_written_as_ever() {
    let schema = schema(&["name", "price"]);
    let layout = Layout::of(&schema);
    let names = vec!["id".into(), "name".into(), "price".into()];
    let of_names = Layout::of_names(vec![("Product".into(), names)]);
    let golden = [
        (include_str!("golden/layout-v1.hex"), LogEntry::Layout(of_names.clone())),
        (include_str!("golden/reset-v1.hex"), LogEntry::Reset(of_names)),
        (include_str!("golden/batch-v1.hex"), LogEntry::Batch(everything())),
        (include_str!("golden/batch-v2.hex"), LogEntry::Batch(everything_since_2())),
        (include_str!("golden/layout-v3.hex"), LogEntry::Layout(full_layout())),
        (include_str!("golden/reset-v3.hex"), LogEntry::Reset(layout.clone())),
        (include_str!("golden/batch-v3.hex"), LogEntry::Batch(everything_since_2())),
    ];
    for (file, entry) in golden {
        let bytes = unhex(file);
        if bytes.first() == Some(&3) {
            assert_eq!(hex(&encode(&entry, &layout)), file.trim(), "{entry:?}");
        }
        assert_eq!(decode(&bytes, &schema, Some(&layout)), Ok(entry));
    }
}

#[test]
fn another_schema_keeps_rows_and_queued_changes() {
    let old = schema(&["name", "price"]);
    let records = log(&[LogEntry::Layout(Layout::of(&old)), LogEntry::Batch(everything())]);
    // `name` is gone, `image` is new, `price` has moved, and so has the model.
    let new = Schema::new(vec![
        Model::new("Order", "Orders").field(Field::new("id", Scalar::Id).required()),
        product(&["image", "price"]),
    ]);
    let (store, report) = Store::open(Rc::new(new), records).unwrap();
    assert!(report.is_migrated && report.unreadable.is_empty());
    let moved = ModelId(1);
    let rows = store.query(moved, &Query::all());
    let expected = Row::new(vec!["p1".into(), Value::Null, "3.50".into()]);
    assert_eq!(rows.iter().map(|record| &record.row).collect::<Vec<_>>(), [&expected]);
    let pending = store.outbox().get(moved, &Key::from("p1")).unwrap();
    assert_eq!(pending.fields.keys().copied().collect::<Vec<_>>(), [FieldId(2)]);
    assert_eq!(pending.base.as_ref().unwrap().row.get(FieldId(2)), &"3.20".into());
    assert_eq!(store.cursor(moved), None, "the new field is read from the server");
    assert!(store.layout_record().is_some(), "the next batch needs the new layout before it");
}

#[test]
fn a_corrupt_record_is_left_out_and_said() {
    let schema = Rc::new(schema(&["name", "price"]));
    let second = Batch {
        records: vec![(PRODUCT, Key::from("p3"), Some(record(&["p3", "Mocha", "4"], 1)))],
        ..Batch::default()
    };
    let mut records = log(&[
        LogEntry::Layout(Layout::of(&schema)),
        LogEntry::Batch(everything()),
        LogEntry::Batch(second),
    ]);
    records[1].bytes[20] ^= 0x40;
    let (store, report) = Store::open(Rc::clone(&schema), records).unwrap();
    let message = "log record 2: its checksum does not fit its content".to_owned();
    assert_eq!(report.unreadable, [(LogPosition(2), message)]);
    assert_eq!(store.query(PRODUCT, &Query::all()).len(), 1);
    assert_eq!(store.cursor(PRODUCT), None, "what was lost is read again from the server");
    assert_eq!(store.position(), LogPosition(3));
}

#[test]
fn a_new_field_is_read_from_the_server_and_a_field_less_is_not() {
    let (narrow, wide) = (schema(&["name"]), schema(&["name", "price"]));
    let narrow_layout = LogEntry::Layout(Layout::of(&narrow));
    let wide_layout = LogEntry::Layout(Layout::of(&wide));
    let cursor = Cursor { last_sync: Timestamp(9), last_full_sync: Timestamp(9) };
    let synced = Batch { cursors: vec![(PRODUCT, Some(cursor))], ..Batch::default() };
    let synced = LogEntry::Batch(synced);
    let open = |schema: &Schema, entries: &[&LogEntry]| {
        let entries: Vec<LogEntry> = entries.iter().map(|entry| (*entry).clone()).collect();
        Store::open(Rc::new(schema.clone()), log(&entries)).unwrap().0.cursor(PRODUCT)
    };
    assert_eq!(open(&wide, &[&narrow_layout, &synced]), None);
    // Nor does it come back when the app is closed before everything was read.
    assert_eq!(open(&wide, &[&narrow_layout, &synced, &wide_layout]), None);
    assert_eq!(open(&wide, &[&narrow_layout, &synced, &wide_layout, &synced]), Some(cursor));
    assert_eq!(open(&narrow, &[&wide_layout, &synced]), Some(cursor));
}

#[test]
fn a_lost_layout_makes_no_batch_mean_something_else() {
    let one = schema(&["name", "price"]);
    let two = schema(&["sku", "name", "price"]);
    let put = |values: &[&str]| {
        let records = vec![(PRODUCT, Key::from("p"), Some(record(values, 1)))];
        LogEntry::Batch(Batch { records, ..Batch::default() })
    };
    let mut records = log(&[
        LogEntry::Layout(Layout::of(&one)),
        put(&["p", "Tea", "3"]),
        LogEntry::Layout(Layout::of(&two)),
        put(&["p", "SKU-7", "Green tea", "4"]),
    ]);
    *records[2].bytes.last_mut().unwrap() ^= 1;
    let row = |schema: &Schema| {
        let (store, report) = Store::open(Rc::new(schema.clone()), records.clone()).unwrap();
        let row = store.record(PRODUCT, &Key::from("p")).unwrap().row.clone();
        (row, report.unreadable.into_iter().map(|(position, _)| position).collect::<Vec<_>>())
    };
    // The schema that wrote the batch reads it all the same; another one leaves it out.
    let green = Row::new(["p", "SKU-7", "Green tea", "4"].map(Value::from).to_vec());
    assert_eq!(row(&two), (green, vec![LogPosition(3)]));
    let black = Row::new(["p", "Tea", "3"].map(Value::from).to_vec());
    assert_eq!(row(&one), (black, vec![LogPosition(3), LogPosition(4)]));
}

#[test]
fn a_record_of_a_newer_version_is_refused() {
    let schema = Rc::new(schema(&[]));
    let mut records = log(&[LogEntry::Layout(Layout::of(&schema))]);
    records[0].bytes[0] = 9;
    let error = Store::open(schema, records).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Newer);
    let expected = "log record 1: it has format 9 and this version of the software reads up to 3; \
                    open it with the newer version";
    assert_eq!(error.message, expected);
}

#[test]
fn another_tab_with_another_schema_stops_this_one() {
    let (old, new) = (schema(&["name"]), schema(&["name", "price"]));
    let (mut store, _) =
        Store::open(Rc::new(old.clone()), log(&[LogEntry::Layout(Layout::of(&old))])).unwrap();
    assert_eq!(store.check_current(), Ok(()));
    let bytes = encode(&LogEntry::Layout(Layout::of(&new)), &Layout::of(&new));
    store.replay(&LogRecord { position: LogPosition(2), bytes }).unwrap();
    assert_eq!(store.check_current().unwrap_err().kind, StoreErrorKind::Superseded);
    assert!(store.layout_record().is_none(), "the older tab does not fight for its layout");
}

#[test]
fn a_reset_forgets_everything_before_it() {
    let schema = Rc::new(schema(&["name", "price"]));
    let layout = Layout::of(&schema);
    let entries = [LogEntry::Layout(layout.clone()), LogEntry::Batch(everything())];
    let (mut store, _) = Store::open(Rc::clone(&schema), log(&entries)).unwrap();
    let bytes = encode(&LogEntry::Reset(layout.clone()), &layout);
    let gone = store.replay(&LogRecord { position: LogPosition(3), bytes }).unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(store.outbox().iter().count(), 0);
    assert!(store.query(PRODUCT, &Query::all()).is_empty());
    assert_eq!(store.cursor(PRODUCT), None);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("numbers", |number| number.is_finite()).prop_map(Value::from),
        ".*".prop_map(|text: String| Value::from(text)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| Value::List(list.into())),
            prop::collection::vec(inner, 0..4).prop_map(|list| Value::Object(list.into())),
        ]
    })
}

proptest! {
    #[test]
    fn every_row_comes_back(values in prop::collection::vec(value(), 3), version in any::<u64>(),
        at in any::<i64>(), deleted in any::<bool>(), key in ".+") {
        let schema = schema(&["name", "price"]);
        let meta = Meta { version, changed_at: Timestamp(at), deleted };
        let record = Record { row: Row::new(values), meta };
        let records = vec![(PRODUCT, Key::from(key), Some(record))];
        let entry = LogEntry::Batch(Batch { records, ..Batch::default() });
        let layout = Layout::of(&schema);
        prop_assert_eq!(decode(&encode(&entry, &layout), &schema, Some(&layout)), Ok(entry));
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let schema = schema(&["name", "price"]);
        let layout = Layout::of(&schema);
        let _ = decode(&bytes, &schema, Some(&layout));
        // With a right checksum the content itself is read.
        for format in 1..=3 {
            if bytes.len() > 5 {
                bytes[0] = format;
                let checksum = crc32fast::hash(&bytes[5..]).to_le_bytes();
                bytes[1..5].copy_from_slice(&checksum);
                let _ = decode(&bytes, &schema, Some(&layout));
            }
        }
    }
}
