use espressync_model::{FieldId, Key, ModelId, Operator, Predicate, Value};
use espressync_wire::filter::{condition_to_json, filter_from_json, filter_to_json};
use serde_json::{Value as Json, json};

use crate::schema::{ORDER, SHOP, schema};

const TOTAL: FieldId = FieldId(1);
const CREATED: FieldId = FieldId(2);

fn check_written(predicate: Predicate, expected: Json) {
    let found = filter_to_json(&schema(), ORDER, &predicate);
    assert_eq!(found, expected, "{predicate:?}");
}

#[test]
fn filters_are_written_as_amplify_writes_them() {
    let nothing = || json!({ "and": [{ "id": { "ne": null } }, { "id": { "eq": null } }] });
    check_written(Predicate::All, Json::Null);
    check_written(TOTAL.gt(1.0), json!({ "and": [{ "total": { "gt": 1.0 } }] }));
    check_written(
        TOTAL.between(1.0, 2.0).and(CREATED.begins_with("2026")),
        json!({ "and": [
            { "total": { "between": [1.0, 2.0] } },
            { "createdAt": { "beginsWith": "2026" } },
        ] }),
    );
    check_written(
        Predicate::And(vec![Predicate::Or(vec![TOTAL.eq(1.0)]), Predicate::All]),
        json!({ "and": [{ "total": { "eq": 1.0 } }] }),
    );
    check_written(
        Predicate::Or(vec![TOTAL.eq(1.0), TOTAL.eq(2.0)]),
        json!({ "or": [{ "total": { "eq": 1.0 } }, { "total": { "eq": 2.0 } }] }),
    );
    check_written(!TOTAL.le(1.0), json!({ "not": { "total": { "le": 1.0 } } }));
    check_written(
        TOTAL.is_in([1.0, 2.0]),
        json!({ "or": [{ "total": { "eq": 1.0 } }, { "total": { "eq": 2.0 } }] }),
    );
    check_written(
        Predicate::Field(TOTAL, Operator::NotIn(vec![1.0.into(), Value::Null])),
        json!({ "and": [{ "total": { "ne": 1.0 } }, { "total": { "ne": null } }] }),
    );
    check_written(Predicate::Or(vec![]), nothing());
    check_written(!Predicate::All, nothing());
    check_written(TOTAL.is_in(Vec::<f64>::new()), nothing());
    check_written(Predicate::Or(vec![TOTAL.eq(1.0), Predicate::And(vec![])]), Json::Null);
}

#[test]
fn a_condition_decides_what_it_says_of_the_key() {
    let key = Key::of(&[Value::from("berlin"), Value::from(12)]).unwrap();
    let check = |predicate: Predicate, expected: Json| {
        let found = condition_to_json(&schema(), SHOP, &key, &predicate);
        assert_eq!(found, expected, "{predicate:?}");
    };
    let open = FieldId(5).eq(true);
    let is_open = json!({ "and": [{ "isOpen": { "eq": true } }] });
    check(FieldId(0).eq("berlin").and(open.clone()), is_open.clone());
    check(FieldId(1).gt(100).or(open.clone()), is_open);
    check(FieldId(1).eq(12), Json::Null);
    let never = json!({ "and": [{ "address": { "ne": null } }, { "address": { "eq": null } }] });
    check(FieldId(0).eq("paris").and(open), never);
}

fn check_read(model: ModelId, filter: Json, expected: Predicate) {
    assert_eq!(filter_from_json(&schema(), model, &filter).unwrap(), expected, "{filter}");
}

#[test]
fn filters_are_read() {
    check_read(ORDER, Json::Null, Predicate::All);
    check_read(ORDER, json!({}), Predicate::All);
    check_read(ORDER, json!({ "total": null, "and": null }), Predicate::All);
    check_read(ORDER, json!({ "total": { "gt": 1 } }), TOTAL.gt(1.0));
    check_read(
        ORDER,
        json!({ "total": { "gt": 1, "lt": 5.5 }, "createdAt": { "ne": null } }),
        Predicate::And(vec![TOTAL.gt(1.0), TOTAL.lt(5.5), CREATED.ne(Value::Null)]),
    );
    check_read(
        ORDER,
        json!({ "and": [{ "total": { "gt": 1 } }] }),
        Predicate::And(vec![TOTAL.gt(1.0)]),
    );
    check_read(
        ORDER,
        json!({ "or": { "total": { "gt": 1 } } }),
        Predicate::Or(vec![TOTAL.gt(1.0)]),
    );
    check_read(
        ORDER,
        json!({ "not": { "total": { "between": [1, 2] } } }),
        !TOTAL.between(1.0, 2.0),
    );
    check_read(ORDER, json!({ "total": { "attributeExists": false } }), TOTAL.eq(Value::Null));
    check_read(ORDER, json!({ "total": { "attributeType": "number" } }), TOTAL.ne(Value::Null));
    check_read(ORDER, json!({ "total": { "attributeType": "_null" } }), TOTAL.eq(Value::Null));
    check_read(ORDER, json!({ "total": { "attributeType": "map" } }), Predicate::Or(vec![]));
    check_read(SHOP, json!({ "tags": { "attributeType": "list" } }), FieldId(3).ne(Value::Null));
    check_read(SHOP, json!({ "size": { "beginsWith": "LAR" } }), FieldId(4).begins_with("LAR"));
    check_read(ORDER, json!({ "total": { "in": [1, 2] } }), TOTAL.is_in([1.0, 2.0]));
    check_read(SHOP, json!({ "tags": { "contains": "hot" } }), FieldId(3).contains("hot"));
    check_read(SHOP, json!({ "size": { "eq": "LARGE" } }), FieldId(4).eq("LARGE"));
    check_read(SHOP, json!({ "since": { "ge": 5 } }), FieldId(6).ge(5));
}

fn check_refused(model: ModelId, filter: Json, expected: &str) {
    let error = filter_from_json(&schema(), model, &filter).unwrap_err();
    assert_eq!(error.to_string(), expected, "{filter}");
}

#[test]
fn bad_filters_are_named() {
    let unknown = "`Order` has no field `cost`; it has id, total, createdAt, updatedAt";
    check_refused(ORDER, json!({ "cost": { "gt": 1 } }), unknown);
    check_refused(ORDER, json!({ "and": [{ "not": { "cost": { "gt": 1 } } }] }), unknown);
    let like = "`like` on Order.total is no predicate operator; there are eq, ne, lt, le, gt, ge, \
                between, beginsWith, contains, notContains, in, notIn";
    check_refused(ORDER, json!({ "total": { "like": "x" } }), like);
    let wrong = "Order.total should be Float, found \"1\"";
    check_refused(ORDER, json!({ "total": { "eq": "1" } }), wrong);
    let wrong = "Shop.size should be Size, found \"HUGE\"";
    check_refused(SHOP, json!({ "size": { "eq": "HUGE" } }), wrong);
    let count = "`between` on Order.total takes 2 operand(s), 1 given";
    check_refused(ORDER, json!({ "total": { "between": [1] } }), count);
    let shape = "Order.total in a filter should be an object, found 1";
    check_refused(ORDER, json!({ "total": 1 }), shape);
    let shape = "`and` in a filter of Order should be a list of objects, found 1";
    check_refused(ORDER, json!({ "and": [1] }), shape);
    check_refused(ORDER, json!([]), "a filter of Order should be an object, found a list of 0");
    let shape = "attributeExists on Order.total should be true or false, found 1";
    check_refused(ORDER, json!({ "total": { "attributeExists": 1 } }), shape);
}
