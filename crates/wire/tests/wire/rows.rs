//! Any row that the schema accepts comes back from JSON as it was, through text.

use espressync_model::{FieldId, Key, Meta, Operator, Predicate, Record, Row, Timestamp, Value};
use espressync_wire::filter::{filter_from_json, filter_to_json};
use espressync_wire::json::{patch_from_json, patch_to_json, record_from_json, record_to_json};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::schema::{ORDER, SHOP, schema};

fn float() -> impl Strategy<Value = Value> {
    prop::num::f64::NORMAL.prop_map(Value::from)
}

fn size() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::from("SMALL")), Just(Value::from("LARGE"))]
}

fn maybe(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    option::of(value).prop_map(Option::unwrap_or_default)
}

fn list(element: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(element, 0..4).prop_map(|elements| Value::List(elements.into()))
}

fn point() -> impl Strategy<Value = Value> {
    (float(), maybe(list(size()))).prop_map(|(lat, sizes)| Value::Object([lat, sizes].into()))
}

fn address() -> impl Strategy<Value = Value> {
    let street = any::<String>().prop_map(Value::from);
    (street, maybe(point())).prop_map(|(street, at)| Value::Object([street, at].into()))
}

fn shop() -> impl Strategy<Value = Row> {
    let text = || any::<String>().prop_map(Value::from);
    let values = (
        "[^\u{1f}]+".prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::Int(number.into())),
        maybe(address()),
        maybe(list(maybe(text()))),
        maybe(size()),
        maybe(any::<bool>().prop_map(Value::from)),
        maybe(any::<i64>().prop_map(Value::from)),
        maybe(text()),
    );
    values.prop_map(|(a, b, c, d, e, f, g, h)| Row::new(vec![a, b, c, d, e, f, g, h]))
}

fn through_text(json: &Json) -> Json {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = (0.0_f64..4.0, 0..5).prop_map(|(number, kind)| {
        let operand = Value::from(number.round());
        let operator = match kind {
            0 => Operator::Eq(operand),
            1 => Operator::Ne(operand),
            2 => Operator::In(vec![operand, 1.0.into()]),
            3 => Operator::NotIn(vec![operand]),
            _ => Operator::Lt(operand),
        };
        Predicate::Field(FieldId(1), operator)
    });
    leaf.prop_recursive(3, 16, 3, |part| {
        let parts = || prop::collection::vec(part.clone(), 0..3);
        prop_oneof![
            parts().prop_map(Predicate::And),
            parts().prop_map(Predicate::Or),
            part.clone().prop_map(|part| !part),
            Just(Predicate::All),
        ]
    })
}

proptest! {
    #[test]
    fn a_record(row in shop(), version in 1_u64.., at: i64, deleted: bool) {
        let record = Record { row, meta: Meta { version, changed_at: Timestamp(at), deleted } };
        let json = through_text(&record_to_json(&schema(), SHOP, &record));
        prop_assert_eq!(record_from_json(&schema(), SHOP, &json).unwrap(), record);
    }

    #[test]
    fn an_input(row in shop()) {
        let patch = espressync_model::Patch::whole(&row);
        let json = through_text(&Json::Object(patch_to_json(&schema(), SHOP, &patch)));
        prop_assert_eq!(patch_from_json(&schema(), SHOP, &json).unwrap(), patch);
    }

    #[test]
    fn a_filter_means_the_same_on_both_sides(written in predicate(), total in 0..4) {
        let json = through_text(&filter_to_json(&schema(), ORDER, &written));
        let read = filter_from_json(&schema(), ORDER, &json).unwrap();
        let row = Row::new(vec!["o1".into(), f64::from(total).into(), "x".into(), Value::Null]);
        prop_assert_eq!(read.matches(&row), written.matches(&row), "{}", json);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text: String, key: String) {
        let _ = espressync_wire::realtime::ServerFrame::parse(&text);
        let _ = espressync_wire::realtime::ClientFrame::parse(&text);
        let _ = espressync_wire::realtime::read_offered_protocols(&text);
        let get = espressync_model::remote::Request::Get(SHOP, Key::from(key));
        let document = espressync_wire::document::Document::of(&schema(), &get);
        prop_assert!(document.variables.is_object());
    }
}
