//! What cannot be asked is refused by name.

use espressync_client::{ClientErrorKind, Include};
use espressync_model::{
    Aggregate, BaseType, EnumId, EnumType, Field, FieldId, Key, Model, ModelError, ModelId,
    Operator, Predicate, Query, RelationId, RelationKind, Scalar, Schema, Sort, Value,
};

use super::{Asked, Suite};

const CUP: ModelId = ModelId(0);

pub(super) fn suite() -> Suite {
    let cup = Model::new("Cup", "Cups")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("price", Scalar::Float))
        .field(Field::new("tags", Scalar::String).list(false))
        .field(Field::new("size", BaseType::Enum(EnumId(0))))
        .field(Field::new("isHot", Scalar::Boolean))
        .field(Field::new("boxId", Scalar::Id))
        .relation("box", RelationKind::BelongsTo, ModelId(1), vec![FieldId(5)]);
    let case = Model::new("Box", "Boxes")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("name", Scalar::String));
    let sizes = vec!["SMALL".to_owned(), "LARGE".to_owned()];
    let schema = Schema::new(vec![cup, case])
        .with_enums(vec![EnumType { name: "Size".into(), values: sizes }]);
    let n = || Value::Null;
    let row = vec!["c".into(), 2.5.into(), n(), "SMALL".into(), true.into(), n()];
    Suite { schema, rows: vec![(CUP, row)], ask }
}

fn ask(asked: &Asked) {
    queries(asked);
    by_names(asked);
    others(asked);
}

fn queries(asked: &Asked) {
    let check = |query: Query, expected: &str| {
        let error = asked.store.records(CUP, &query).expect_err(expected);
        asked.check(expected, error.kind(), ClientErrorKind::Usage);
        asked.check("the words", error.to_string().as_str(), expected);
        let counted = asked.store.count(CUP, &query.predicate);
        let is_of_predicate = query.sort.is_empty() && query.page.is_none();
        asked.check("the count too", counted.is_err(), is_of_predicate);
    };
    let field =
        |id: u16, operator: Operator| Query::filter(Predicate::Field(FieldId(id), operator));
    let unknown = "`Cup` has no field `number 9`; it has id, price, tags, size, isHot, boxId";
    check(field(9, Operator::Eq(1.into())), unknown);
    check(Query::filter(!FieldId(9).eq(1).and(Predicate::All)), unknown);
    check(Query::all().ascending(FieldId(9)), unknown);
    let text = "Cup.price should be compared by gt with Float, found \"1\"";
    check(field(1, Operator::Gt("1".into())), text);
    let nan = "Cup.price should be compared by in with Float, found NaN";
    check(field(1, Operator::In(vec![1.into(), f64::NAN.into()])), nan);
    let of_numbers = "it has eq, ne, lt, le, gt, ge, between, in, notIn";
    let part = format!("`contains` cannot compare Cup.price, which is Float; {of_numbers}");
    check(field(1, Operator::Contains("1".into())), &part);
    let start = format!("`beginsWith` cannot compare Cup.isHot, which is Boolean; {of_numbers}");
    check(field(4, Operator::BeginsWith("t".into())), &start);
    let list = "`lt` cannot compare Cup.tags, which is [String]; it has eq, ne, contains, \
                notContains, in, notIn";
    check(field(2, Operator::Lt("a".into())), list);
    let element = "Cup.tags should be compared by eq with [String], found \"a\"";
    check(field(2, Operator::Eq("a".into())), element);
    let name = "Cup.size should be compared by eq with Size (SMALL, LARGE), found \"HUGE\"";
    check(field(3, Operator::Eq("HUGE".into())), name);
    let relation = "`Cup` has no relation `number 3`; it has box";
    check(Query::filter(RelationId(3).exists()), relation);
    let beyond = "`Box` has no field `number 5`; it has id, name";
    check(Query::filter(RelationId(0).matches(FieldId(5).eq("x"))), beyond);
    check(Query::all().limit(0), "a page needs a limit of at least 1, 0 given");
    let unsorted = "Cup.tags is a list or an object, which has no order";
    check(Query::all().descending(FieldId(2)), unsorted);
    let deep = (0..100).fold(FieldId(0).eq("c"), |part, _| !part);
    let too_deep = "a predicate on `Cup` lies more than 64 levels deep; flatten its groups";
    check(Query::filter(deep), too_deep);
}

fn by_names(asked: &Asked) {
    let schema = asked.store.schema();
    let cup = schema.model(CUP);
    let check = |result: Result<(), ModelError>, expected: &str| {
        let error = result.expect_err(expected);
        asked.check("the words", error.to_string().as_str(), expected);
    };
    let parse = |path: &str, operator: &str, operands: Vec<Value>| {
        Predicate::parse_path(&schema, CUP, path, operator, operands).map(|_| ())
    };
    let fields = "it has id, price, tags, size, isHot, boxId";
    check(parse("cost", "eq", vec![1.into()]), &format!("`Cup` has no field `cost`; {fields}"));
    check(parse("shelf.name", "eq", vec![]), "`Cup` has no relation `shelf`; it has box");
    check(parse("box.label", "eq", vec![]), "`Box` has no field `label`; it has id, name");
    let like = "`like` on Box.name is no predicate operator; there are eq, ne, lt, le, gt, ge, \
                between, beginsWith, contains, notContains, in, notIn";
    check(parse("box.name", "like", vec!["x".into()]), like);
    let count = "`between` on Cup.price takes 2 operand(s), 1 given";
    check(parse("price", "between", vec![1.into()]), count);
    let paged = |page: Option<i64>, limit: Option<i64>| Query::all().paged(page, limit).map(|_| ());
    let no_limit = "a page needs a limit, such as 50; page 1 was asked for without one";
    check(paged(Some(1), None), no_limit);
    check(paged(Some(-1), Some(2)), "pages count from 0, -1 given");
    check(paged(None, Some(-2)), "a page needs a limit of at least 1, -2 given");
    let direction = "Cup.price is sorted ASCENDING or DESCENDING, `up` given";
    check(Sort::parse(cup, "price", "up").map(|_| ()), direction);
    let median = "`median` of `Cup` is no aggregate; there are count, sum, average, min, max";
    check(Aggregate::parse(cup, "median", "price").map(|_| ()), median);
    let pets = Include::parse(&schema, CUP, &["box.pets"]).map(|_| ());
    check(pets, "`Box` has no relation `pets`; it has none");
}

fn others(asked: &Asked) {
    let store = &asked.store;
    let no_model = "there is no model `number 7` in the schema; it has Cup, Box";
    let record = store.record(ModelId(7), &Key::from("c"));
    asked.check(no_model, record.map_err(|error| error.to_string()), Err(no_model.to_owned()));
    let found = store.records(ModelId(7), &Query::all());
    asked.check(no_model, found.map_err(|error| error.to_string()), Err(no_model.to_owned()));
    let sum = store.aggregate(CUP, &Predicate::All, &[], &[Aggregate::Sum(FieldId(3))]);
    let no_number = "Cup.size is an enum; only numbers have a sum or an average";
    asked.check(no_number, sum.map_err(|error| error.to_string()), Err(no_number.to_owned()));
    let none = store.record(CUP, &Key::from("there is none"));
    asked.check("an unknown key", none, Ok(None));
}
