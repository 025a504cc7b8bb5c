//! Relations of every kind at every depth, and what many rows come to.

use espressync_client::{Group, Include, Loaded};
use espressync_model::{
    Aggregate, Field, FieldId, Model, ModelId, Predicate, Query, RelationId, RelationKind, Row,
    Scalar, Schema, Value,
};

use super::{Asked, Suite};

const CUSTOMER: ModelId = ModelId(0);
const ORDER: ModelId = ModelId(1);
const INVOICE: ModelId = ModelId(2);
const TAG: ModelId = ModelId(3);
const TAGGING: ModelId = ModelId(4);
const SEAT: ModelId = ModelId(5);

/// Customers `a`, `b` and `c`, of whom `a` is the mentor of `b`; orders `1` and `3` of `a`, `2` of
/// `b`, `4` of nobody; tags `x` and `y`, both on `1` and `y` on `2`; an invoice `i` for `3`, which
/// only the invoice knows, and `j` for `1`, which only the order knows; `b` sits on the seat `s`.
pub(super) fn suite() -> Suite {
    let n = || Value::Null;
    let rows: Vec<(ModelId, Vec<Value>)> = vec![
        (CUSTOMER, vec!["a".into(), "Ann".into(), n()]),
        (CUSTOMER, vec!["b".into(), "Bob".into(), "a".into()]),
        (CUSTOMER, vec!["c".into(), "Cy".into(), n()]),
        (ORDER, vec!["1".into(), 10.0.into(), "a".into(), "j".into()]),
        (ORDER, vec!["2".into(), 20.0.into(), "b".into(), n()]),
        (ORDER, vec!["3".into(), 30.0.into(), "a".into(), n()]),
        (ORDER, vec!["4".into(), n(), n(), n()]),
        (INVOICE, vec!["i".into(), 30.0.into(), "3".into()]),
        (INVOICE, vec!["j".into(), 10.0.into(), n()]),
        (TAG, vec!["x".into(), "hot".into()]),
        (TAG, vec!["y".into(), "to go".into()]),
        (TAGGING, vec!["p".into(), "1".into(), "y".into()]),
        (TAGGING, vec!["q".into(), "1".into(), "x".into()]),
        (TAGGING, vec!["r".into(), "2".into(), "y".into()]),
        (SEAT, vec!["s".into(), 7.into(), "b".into()]),
    ];
    Suite { schema: schema(), rows, ask }
}

fn schema() -> Schema {
    let id = || Field::new("id", Scalar::Id).required();
    let text = |name: &str| Field::new(name, Scalar::String);
    let key = |name: &str| Field::new(name, Scalar::Id);
    let number = |name: &str| Field::new(name, Scalar::Float);
    let (many, belongs) = (RelationKind::HasMany, RelationKind::BelongsTo);
    let customer = Model::new("Customer", "Customers")
        .field(id())
        .field(text("name"))
        .field(key("mentorId"))
        .relation("orders", many, ORDER, vec![FieldId(2)])
        .relation("mentor", belongs, CUSTOMER, vec![FieldId(2)])
        .relation("seat", RelationKind::HasOneByReference, SEAT, vec![FieldId(2)]);
    let order = Model::new("Order", "Orders")
        .field(id())
        .field(number("total"))
        .field(key("customerId"))
        .field(key("orderInvoiceId"))
        .relation("customer", belongs, CUSTOMER, vec![FieldId(2)])
        .relation("invoice", RelationKind::HasOne, INVOICE, vec![FieldId(3)])
        .relation("taggings", many, TAGGING, vec![FieldId(1)]);
    let invoice = Model::new("Invoice", "Invoices")
        .field(id())
        .field(number("sum"))
        .field(key("invoiceOrderId"))
        .relation("order", belongs, ORDER, vec![FieldId(2)]);
    let tag = Model::new("Tag", "Tags").field(id()).field(text("label")).relation(
        "orders",
        many,
        TAGGING,
        vec![FieldId(2)],
    );
    let tagging = Model::new("Tagging", "Taggings")
        .field(id())
        .field(key("orderId").required())
        .field(key("tagId").required())
        .relation("order", belongs, ORDER, vec![FieldId(1)])
        .relation("tag", belongs, TAG, vec![FieldId(2)]);
    let seat = Model::new("Seat", "Seats")
        .field(text("row").required())
        .field(Field::new("number", Scalar::Int).required())
        .field(key("customerId"))
        .keyed_by(vec![FieldId(0), FieldId(1)])
        .relation("customer", belongs, CUSTOMER, vec![FieldId(2)]);
    Schema::new(vec![customer, order, invoice, tag, tagging, seat])
}

fn ask(asked: &Asked) {
    by_predicate(asked);
    by_loading(asked);
    by_including(asked);
    by_aggregate(asked);
}

/// A path of names, an operator, an operand, the rows that match, and those that do not match.
type Line = (ModelId, &'static str, &'static str, Value, &'static str, &'static str);

fn by_predicate(asked: &Asked) {
    let schema = asked.store.schema();
    let lines: Vec<Line> = vec![
        (ORDER, "customer.name", "eq", "Ann".into(), "13", "24"),
        (ORDER, "customer.name", "ne", "Ann".into(), "2", "134"),
        (ORDER, "customer.id", "eq", "b".into(), "2", "134"),
        (ORDER, "customer.mentor.name", "beginsWith", "A".into(), "2", "134"),
        (ORDER, "customer.orders.total", "lt", 15.0.into(), "13", "24"),
        (ORDER, "customer.seat.number", "gt", 6.into(), "2", "134"),
        (ORDER, "invoice.sum", "gt", 0.0.into(), "13", "24"),
        (ORDER, "invoice.sum", "gt", 20.0.into(), "3", "124"),
        (ORDER, "taggings.tag.label", "eq", "hot".into(), "1", "234"),
        (ORDER, "taggings.tag.label", "contains", "o".into(), "12", "34"),
        (ORDER, "taggings.tag.orders.order.total", "eq", 10.0.into(), "12", "34"),
        (CUSTOMER, "orders.total", "gt", 15.0.into(), "ab", "c"),
        (CUSTOMER, "orders.total", "gt", 25.0.into(), "a", "bc"),
        (CUSTOMER, "orders.total", "eq", Value::Null, "", "abc"),
        (CUSTOMER, "seat.row", "eq", "s".into(), "b", "ac"),
        (CUSTOMER, "mentor.orders.invoice.sum", "ge", 10.0.into(), "b", "ac"),
        (CUSTOMER, "orders.taggings.tag.label", "eq", "to go".into(), "ab", "c"),
        (INVOICE, "order.total", "eq", 30.0.into(), "i", "j"),
        (INVOICE, "order.customer.name", "eq", "Ann".into(), "ij", ""),
        (TAG, "orders.order.customer.name", "eq", "Bob".into(), "y", "x"),
        (TAGGING, "order.total", "between", Value::Null, "", "pqr"),
        (SEAT, "customer.mentor.name", "eq", "Ann".into(), "s", ""),
    ];
    for (model, path, operator, operand, expected, others) in lines {
        let operands =
            if operator == "between" { vec![operand.clone(), operand] } else { vec![operand] };
        let predicate = Predicate::parse_path(&schema, model, path, operator, operands)
            .unwrap_or_else(|error| panic!("{path} is refused: {error}"));
        asked.matching(model, path, &predicate, expected);
        asked.matching(model, &format!("not {path}"), &!predicate, others);
    }
    let orders = RelationId(0);
    let small_and_large =
        orders.matches(FieldId(1).lt(15.0)).and(orders.matches(FieldId(1).gt(25.0)));
    asked.matching(CUSTOMER, "one small and one large", &small_and_large, "a");
    let both_in_one = orders.matches(FieldId(1).lt(15.0).and(FieldId(1).gt(25.0)));
    asked.matching(CUSTOMER, "one both small and large", &both_in_one, "");
    asked.matching(CUSTOMER, "any orders", &orders.exists(), "ab");
    asked.matching(ORDER, "no customer", &!RelationId(0).exists(), "4");
    asked.matching(ORDER, "or of none", &Predicate::Or(vec![]), "");
    asked.matching(ORDER, "and of none", &Predicate::And(vec![]), "1234");
    asked.matching(ORDER, "all", &Predicate::All, "1234");
    let by_key = FieldId(0).eq("s").and(FieldId(1).eq(7));
    asked.matching(SEAT, "by the fields of a key", &by_key, "s");
}

fn row(asked: &Asked, model: ModelId, key: &str) -> Row {
    let found = asked.store.records(model, &Query::filter(FieldId(0).eq(key)));
    let found = found.expect("the query is good").into_iter().next();
    found.expect("there is such a row").row
}

fn by_loading(asked: &Asked) {
    let schema = asked.store.schema();
    let lines: [(ModelId, &str, &str, &str); 17] = [
        (CUSTOMER, "a", "orders", "13"),
        (CUSTOMER, "b", "orders", "2"),
        (CUSTOMER, "c", "orders", ""),
        (CUSTOMER, "b", "mentor", "a"),
        (CUSTOMER, "a", "mentor", ""),
        (CUSTOMER, "b", "seat", "s"),
        (ORDER, "1", "customer", "a"),
        (ORDER, "4", "customer", ""),
        (ORDER, "1", "invoice", "j"),
        (ORDER, "3", "invoice", "i"),
        (ORDER, "2", "invoice", ""),
        (INVOICE, "i", "order", "3"),
        (INVOICE, "j", "order", "1"),
        (ORDER, "1", "taggings.tag", "xy"),
        (CUSTOMER, "a", "orders.taggings.tag", "xy"),
        (TAG, "y", "orders.order.customer", "ab"),
        (SEAT, "s", "customer.mentor.orders", "13"),
    ];
    for (model, key, names, expected) in lines {
        let mut path = Vec::new();
        let mut at = schema.model(model);
        for name in names.split('.') {
            let relation = at.relation_named(name).expect("it has the relation");
            at = schema.model(at.relation_at(relation).target);
            path.push(relation);
        }
        let row = row(asked, model, key);
        let found = asked.store.related_along(model, &row, &path, &Query::all());
        let found = found.expect("the path is good");
        let keys =
            found.iter().map(|record| record.row.get(FieldId(0)).as_text().unwrap_or_default());
        asked.check(names, keys.collect::<String>().as_str(), expected);
        if let [only] = path[..] {
            let count = asked.store.related_count(model, &row, only, &Predicate::All);
            asked.check(names, count, Ok(expected.len()));
        }
    }
}

/// Keys, with what is included in brackets.
fn shape(loaded: &[Loaded]) -> String {
    let shapes = loaded.iter().map(|one| {
        let related = one.related.iter().map(|(_, related)| format!("[{}]", shape(related)));
        format!("{}{}", one.key, related.collect::<String>())
    });
    shapes.collect()
}

fn by_including(asked: &Asked) {
    let lines: [(ModelId, &[&str], &str); 6] = [
        (CUSTOMER, &[], "abc"),
        (CUSTOMER, &["orders"], "a[13]b[2]c[]"),
        (CUSTOMER, &["orders", "mentor"], "a[13][]b[2][a]c[][]"),
        (CUSTOMER, &["mentor.orders"], "a[]b[a[13]]c[]"),
        (ORDER, &["taggings.tag"], "1[p[y]q[x]]2[r[y]]3[]4[]"),
        (ORDER, &["invoice", "customer"], "1[j][a]2[][b]3[i][a]4[][]"),
    ];
    let schema = asked.store.schema();
    for (model, paths, expected) in lines {
        let includes = Include::parse(&schema, model, paths).expect("the paths are good");
        let loaded = asked.store.query_including(model, &Query::all(), &includes);
        let loaded = loaded.expect("the query is good");
        asked.check(&paths.join(", "), shape(&loaded).as_str(), expected);
    }
    let last = Include::some(RelationId(0), Query::all().descending(FieldId(1)).limit(1));
    let loaded = asked.store.query_including(CUSTOMER, &Query::all(), &[last]);
    let loaded = loaded.expect("the query is good");
    asked.check("the last order", shape(&loaded).as_str(), "a[3]b[2]c[]");
}

fn by_aggregate(asked: &Asked) {
    let total = FieldId(1);
    let lines: [(&str, Value, Value); 5] = [
        ("count", 4.into(), 2.into()),
        ("sum", 60.0.into(), 40.0.into()),
        ("average", 20.0.into(), 20.0.into()),
        ("min", 10.0.into(), 10.0.into()),
        ("max", 30.0.into(), 30.0.into()),
    ];
    let schema = asked.store.schema();
    let order = schema.model(ORDER);
    for (name, of_all, of_anns) in lines {
        let aggregate = [Aggregate::parse(order, name, "total").expect("it has a total")];
        let anns = RelationId(0).matches(FieldId(1).eq("Ann"));
        for (predicate, expected) in [(Predicate::All, of_all), (anns, of_anns)] {
            let found = asked.store.aggregate(ORDER, &predicate, &[], &aggregate);
            let group = Group { by: vec![], values: vec![expected] };
            asked.check(name, found, Ok(vec![group]));
        }
    }
    let by = [FieldId(2)];
    let groups = [(Value::Null, 0.into()), ("a".into(), 40.0.into()), ("b".into(), 20.0.into())];
    let groups = groups.map(|(by, sum): (Value, Value)| Group { by: vec![by], values: vec![sum] });
    let found = asked.store.aggregate(ORDER, &Predicate::All, &by, &[Aggregate::Sum(total)]);
    asked.check("by customer", found, Ok(groups.into()));
}
