//! Every operator and every sort on every type, without an index and with one.

use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Model, ModelId, Operator, Predicate, Query, Scalar,
    Schema, Value,
};

use super::{Asked, Suite};

const PLAIN: ModelId = ModelId(0);
const INDEXED: ModelId = ModelId(1);

/// One model without indexes and one with an index over every field, in each four rows: one of the
/// least values, one of nulls, one of the greatest, one of those between.
pub(super) fn suite() -> Suite {
    let models = ["Plain", "Indexed"].map(|name| {
        let mut model = Model::new(name, name).field(Field::new("id", Scalar::Id).required());
        for ((field, base, _), id) in samples().into_iter().zip((1..).map(FieldId)) {
            model = model.field(Field::new(field, base));
            if name == "Indexed" {
                model = model.index(field, vec![id], None);
            }
        }
        model.field(Field::new("list", Scalar::String).list(false))
    });
    let sizes = ["SMALL", "MEDIUM", "LARGE"].map(ToOwned::to_owned).to_vec();
    let schema = Schema::new(models.into())
        .with_enums(vec![EnumType { name: "Size".into(), values: sizes }]);
    let ranks = [("1", Some(0)), ("-", None), ("3", Some(2)), ("2", Some(1))];
    let rows = [PLAIN, INDEXED].into_iter().flat_map(|model| {
        ranks.map(|(key, rank)| {
            let of_rank = |values: [Value; 3]| rank.map(|rank: usize| values[rank].clone());
            let list = rank.map(|rank| Value::from(vec!["x", "y", "z"][..=rank].to_vec()));
            let values = samples().into_iter().map(|(_, _, values)| of_rank(values).into());
            (model, std::iter::once(key.into()).chain(values).chain([list.into()]).collect())
        })
    });
    Suite { schema, rows: rows.collect(), ask }
}

/// Of each type three values, smallest first.
fn samples() -> Vec<(&'static str, BaseType, [Value; 3])> {
    let text = |name: &'static str, base: BaseType, values: [&str; 3]| {
        (name, base, values.map(Value::from))
    };
    let scalar = |name, scalar: Scalar, values| text(name, scalar.into(), values);
    vec![
        scalar("other", Scalar::Id, ["a", "ab", "b"]),
        // By UTF-16 the pair of surrogates comes before the wide tilde.
        scalar("string", Scalar::String, ["Z", "\u{1f600}", "\u{ff5e}"]),
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
        ("timestamp", Scalar::AwsTimestamp.into(), [(-1).into(), 0.into(), (1_i64 << 52).into()]),
        scalar("email", Scalar::AwsEmail, ["a@x.org", "b@x.org", "c@x.org"]),
        scalar("json", Scalar::AwsJson, ["[]", "{\"a\":1}", "{}"]),
        scalar("phone", Scalar::AwsPhone, ["+1 555", "+39 06", "+49 30"]),
        scalar("url", Scalar::AwsUrl, ["https://a.org/", "https://b.org/", "https://b.org/x"]),
        scalar("address", Scalar::AwsIpAddress, ["10.0.0.1", "127.0.0.1", "::1"]),
        text("size", BaseType::Enum(EnumId(0)), ["LARGE", "MEDIUM", "SMALL"]),
    ]
}

fn ask(asked: &Asked) {
    for (field, base, values) in samples() {
        on_scalar(asked, field, base, values);
        sorted(asked, field, base);
    }
    on_list(asked);
}

/// Checks which of the four rows match: `1`, `2` and `3` by the rank of their values, `-` is null.
fn check(asked: &Asked, field: &str, operator: &Operator, expected: &str) {
    let schema = asked.store.schema();
    for model in [PLAIN, INDEXED] {
        let of = schema.model(model);
        let id = of.field_named(field).expect("it has the field");
        let predicate = Predicate::Field(id, operator.clone());
        let what = format!("{}.{field} {operator:?}", of.name);
        asked.matching(model, &what, &predicate, expected);
        // Not is of the whole: null that does not match does match it.
        let others: String = "1-32".chars().filter(|key| !expected.contains(*key)).collect();
        asked.matching(model, &format!("not {what}"), &!predicate, &others);
    }
}

fn on_scalar(asked: &Asked, field: &str, base: BaseType, [low, middle, high]: [Value; 3]) {
    let check = |operator: Operator, expected: &str| check(asked, field, &operator, expected);
    let (l, m, h) = (|| low.clone(), || middle.clone(), || high.clone());
    check(Operator::Eq(l()), "1");
    check(Operator::Eq(Value::Null), "-");
    check(Operator::Ne(l()), "-32");
    check(Operator::Ne(Value::Null), "132");
    check(Operator::Lt(m()), "1");
    check(Operator::Lt(l()), "");
    check(Operator::Lt(Value::Null), "");
    check(Operator::Le(l()), "1");
    check(Operator::Le(h()), "132");
    check(Operator::Gt(l()), "32");
    check(Operator::Gt(h()), "");
    check(Operator::Gt(Value::Null), "");
    check(Operator::Ge(l()), "132");
    check(Operator::Ge(m()), "32");
    check(Operator::Between(l(), h()), "132");
    check(Operator::Between(m(), h()), "32");
    check(Operator::Between(h(), l()), "");
    check(Operator::In(vec![l(), Value::Null]), "1-");
    check(Operator::In(vec![]), "");
    check(Operator::NotIn(vec![l(), Value::Null]), "32");
    check(Operator::NotIn(vec![]), "1-32");
    if base != BaseType::Scalar(Scalar::Boolean) {
        check(Operator::Eq(m()), "2");
        check(Operator::In(vec![h(), m(), h()]), "32");
    }
    if let Some(text) = low.as_text() {
        let first = &text[..1];
        let ranks = [("1", &low), ("3", &high), ("2", &middle)].into_iter();
        let begins = |value: &Value| value.as_text().is_some_and(|text| text.starts_with(first));
        let begin: String = ranks.filter(|(_, value)| begins(value)).map(|(key, _)| key).collect();
        check(Operator::BeginsWith(first.into()), &begin);
        check(Operator::BeginsWith("".into()), "132");
        check(Operator::Contains(l()), if field == "other" { "12" } else { "1" });
        check(Operator::NotContains("".into()), "-");
        check(Operator::Contains("no such".into()), "");
    }
}

fn on_list(asked: &Asked) {
    let check = |operator: Operator, expected: &str| check(asked, "list", &operator, expected);
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

fn sorted(asked: &Asked, field: &str, base: BaseType) {
    // Of booleans the two greater are the same, and come as they were first seen.
    let is_boolean = base == BaseType::Scalar(Scalar::Boolean);
    let (up, down) = if is_boolean { ("-132", "321-") } else { ("-123", "321-") };
    let schema = asked.store.schema();
    for model in [PLAIN, INDEXED] {
        let of = schema.model(model);
        let id = of.field_named(field).expect("it has the field");
        let check = |query: Query, expected: &str| {
            let what = format!("{}.{field} {query:?}", of.name);
            asked.check(&what, asked.keys(model, &query).as_str(), expected);
        };
        // A page before the whole, as the whole leaves an index.
        check(Query::all().ascending(id).limit(1), &up[..1]);
        check(Query::all().descending(id).page(1, 2), &down[2..]);
        check(Query::all().ascending(id), up);
        check(Query::all().descending(id), down);
        check(Query::all().descending(id).page(1, 3), &down[3..]);
        check(Query::all().ascending(id).page(2, 2), "");
        check(Query::filter(id.ne(Value::Null)).descending(id).limit(2), &down[..2]);
    }
}
