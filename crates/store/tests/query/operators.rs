//! Every operator on every type, without an index and with one.

use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Key, Model, ModelId, Operator, Predicate, Query,
    Record, Row, Scalar, Schema, Value,
};
use espressync_store::{Batch, Source, Store};

const PLAIN: ModelId = ModelId(0);
const INDEXED: ModelId = ModelId(1);

/// Of each type three values, smallest first.
fn samples() -> Vec<(&'static str, BaseType, [Value; 3])> {
    let text = |name: &'static str, base: BaseType, values: [&str; 3]| {
        (name, base, values.map(Value::from))
    };
    let scalar = |name, scalar: Scalar, values| text(name, scalar.into(), values);
    vec![
        scalar("id2", Scalar::Id, ["a", "ab", "b"]),
        scalar("string", Scalar::String, ["Z", "zebra", "\u{1f600}"]),
        ("int", Scalar::Int.into(), [(-3).into(), 0.into(), 12.into()]),
        ("float", Scalar::Float.into(), [(-2.5).into(), 0.0.into(), 1e3.into()]),
        ("boolean", Scalar::Boolean.into(), [false.into(), true.into(), true.into()]),
        scalar("date", Scalar::AwsDate, ["2025-12-31", "2026-01-01", "2026-01-02"]),
        scalar("time", Scalar::AwsTime, ["09:00:00", "10:00:00", "10:00:01"]),
        scalar(
            "dateTime",
            Scalar::AwsDateTime,
            ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z", "2026-02-01T00:00:00.000Z"],
        ),
        ("timestamp", Scalar::AwsTimestamp.into(), [(-1).into(), 0.into(), (1_i64 << 60).into()]),
        scalar("email", Scalar::AwsEmail, ["a@x.org", "b@x.org", "c@x.org"]),
        scalar("json", Scalar::AwsJson, ["[]", "{\"a\":1}", "{}"]),
        scalar("phone", Scalar::AwsPhone, ["+1 555", "+39 06", "+49 30"]),
        scalar("url", Scalar::AwsUrl, ["https://a.org/", "https://b.org/", "https://b.org/x"]),
        scalar("address", Scalar::AwsIpAddress, ["10.0.0.1", "127.0.0.1", "::1"]),
        text("size", BaseType::Enum(EnumId(0)), ["LARGE", "MEDIUM", "SMALL"]),
    ]
}

/// One model without indexes and one with an index over every field, in each four rows: the least
/// values, null, the greatest, the middle ones.
fn store() -> Store {
    let mut models = Vec::new();
    for name in ["Plain", "Indexed"] {
        let mut model = Model::new(name, name).field(Field::new("id", Scalar::Id).required());
        for (position, (field, base, _)) in samples().into_iter().enumerate() {
            model = model.field(Field::new(field, base));
            if name == "Indexed" {
                let id = FieldId(u16::try_from(position + 1).unwrap());
                model = model.index(field, vec![id], None);
            }
        }
        model = model.field(Field::new("list", Scalar::String).list(false));
        models.push(model);
    }
    let sizes = ["SMALL", "MEDIUM", "LARGE"].map(ToOwned::to_owned).to_vec();
    let schema =
        Schema::new(models).with_enums(vec![EnumType { name: "Size".into(), values: sizes }]);
    let mut store = Store::new(schema.into());
    let mut records = Vec::new();
    for model in [PLAIN, INDEXED] {
        for (key, rank) in [("1", Some(0)), ("-", None), ("3", Some(2)), ("2", Some(1))] {
            let of_rank = |values: [Value; 3]| rank.map(|rank: usize| values[rank].clone());
            let list = rank.map(|rank| Value::from(vec!["x", "y", "z"][..=rank].to_vec()));
            let values = samples().into_iter().map(|(_, _, values)| of_rank(values).into());
            let values = std::iter::once(key.into()).chain(values).chain([list.into()]);
            let record = Record::local(Row::new(values.collect()));
            records.push((model, Key::from(key), Some(record)));
        }
    }
    store.apply(Batch { records, ..Batch::default() });
    store
}

/// Checks which of the four rows match: `1`, `2` and `3` by the rank of their values, `-` is null.
fn check(store: &Store, field: &str, operator: Operator, expected: &str) {
    for model in [PLAIN, INDEXED] {
        let of = store.schema().model(model);
        let predicate = Predicate::Field(of.field_named(field).unwrap(), operator.clone());
        let what = format!("{}.{field} {operator:?}", of.name);
        assert_eq!(predicate.check_in(store.schema(), of), Ok(()), "{what}");
        let found = |predicate: &Predicate| -> String {
            let query = Query::filter(predicate.clone());
            store.query_with_keys(model, &query).iter().map(|(key, _)| key.as_str()).collect()
        };
        assert_eq!(found(&predicate), expected, "{what}");
        // Not is of the whole: null that does not match does match it.
        let others = "1-32".chars().filter(|key| !expected.contains(*key)).collect::<String>();
        assert_eq!(found(&!predicate), others, "not {what}");
    }
}

#[test]
fn every_operator_on_every_scalar() {
    let store = store();
    for (field, base, [low, middle, high]) in samples() {
        let check = |operator: Operator, expected: &str| check(&store, field, operator, expected);
        let null = || Value::Null;
        check(Operator::Eq(low.clone()), "1");
        check(Operator::Eq(null()), "-");
        check(Operator::Ne(low.clone()), "-32");
        check(Operator::Ne(null()), "132");
        check(Operator::Lt(middle.clone()), "1");
        check(Operator::Lt(low.clone()), "");
        check(Operator::Lt(null()), "");
        check(Operator::Le(low.clone()), "1");
        check(Operator::Le(high.clone()), "132");
        check(Operator::Gt(low.clone()), "32");
        check(Operator::Gt(high.clone()), "");
        check(Operator::Gt(null()), "");
        check(Operator::Ge(low.clone()), "132");
        check(Operator::Ge(middle.clone()), "32");
        check(Operator::Between(low.clone(), high.clone()), "132");
        check(Operator::Between(middle.clone(), high.clone()), "32");
        check(Operator::Between(high.clone(), low.clone()), "");
        check(Operator::In(vec![low.clone(), null()]), "1-");
        check(Operator::In(vec![]), "");
        check(Operator::NotIn(vec![low.clone(), null()]), "32");
        check(Operator::NotIn(vec![]), "1-32");
        if base != BaseType::Scalar(Scalar::Boolean) {
            check(Operator::Eq(middle.clone()), "2");
            check(Operator::In(vec![high.clone(), middle.clone(), high.clone()]), "32");
        }
        if let Some(text) = low.as_text() {
            let first = &text[..1];
            let begins: String = [("1", &low), ("3", &high), ("2", &middle)]
                .into_iter()
                .filter(|(_, value)| value.as_text().unwrap().starts_with(first))
                .map(|(key, _)| key)
                .collect();
            check(Operator::BeginsWith(first.into()), &begins);
            check(Operator::BeginsWith("".into()), "132");
            check(Operator::Contains(low.clone()), if field == "id2" { "12" } else { "1" });
            check(Operator::NotContains("".into()), "-");
            check(Operator::Contains("no such".into()), "");
        }
    }
}

#[test]
fn every_operator_on_a_list() {
    let store = store();
    let check = |operator: Operator, expected: &str| check(&store, "list", operator, expected);
    let list = |elements: &[&str]| Value::from(elements.to_vec());
    check(Operator::Contains("x".into()), "132");
    check(Operator::Contains("y".into()), "32");
    check(Operator::Contains("".into()), "");
    check(Operator::NotContains("y".into()), "1-");
    check(Operator::Eq(list(&["x", "y"])), "2");
    check(Operator::Eq(list(&["y", "x"])), "");
    check(Operator::Eq(Value::Null), "-");
    check(Operator::Ne(list(&["x"])), "-32");
    check(Operator::In(vec![list(&["x"]), Value::Null]), "1-");
    check(Operator::NotIn(vec![list(&["x"])]), "-32");
}

#[test]
fn every_scalar_is_sorted_with_null_first() {
    let store = store();
    for (field, base, _) in samples() {
        for model in [PLAIN, INDEXED] {
            let id = store.schema().model(model).field_named(field).unwrap();
            let found = |query: Query| -> String {
                let found = store.query_with_keys(model, &query);
                found.iter().map(|(key, _)| key.as_str()).collect()
            };
            // Of booleans the two greater are the same, and come as they were first seen.
            let is_boolean = base == BaseType::Scalar(Scalar::Boolean);
            let (up, down) = if is_boolean { ("-132", "321-") } else { ("-123", "321-") };
            assert_eq!(found(Query::all().ascending(id)), up, "{field}");
            assert_eq!(found(Query::all().descending(id)), down, "{field}");
            assert_eq!(found(Query::all().descending(id).page(1, 2)), down[2..], "{field}");
            assert_eq!(found(Query::all().ascending(id).limit(1)), "-", "{field}");
        }
    }
}

#[test]
fn what_an_index_can_answer_it_does() {
    let store = store();
    for (field, _, [low, middle, high]) in samples() {
        let id = store.schema().model(INDEXED).field_named(field).unwrap();
        let operators = [
            Operator::Eq(low.clone()),
            Operator::Lt(middle.clone()),
            Operator::Le(low.clone()),
            Operator::Gt(high.clone()),
            Operator::Ge(high.clone()),
            Operator::Between(low.clone(), low.clone()),
            Operator::In(vec![low.clone()]),
        ];
        let texts = low.as_text().map(|text| Operator::BeginsWith(text.into()));
        for operator in operators.into_iter().chain(texts) {
            let plan = store.explain(INDEXED, &Query::filter(Predicate::Field(id, operator)));
            let index = Source::Index { fields: vec![field.to_owned()], runs: 1 };
            assert_eq!(plan.source, index, "{plan}");
            assert!(!plan.is_filtered, "{plan}");
        }
    }
}
