//! What a handle reads: entities and records, by keys, queries, pages, relations and aggregates,
//! and what it refuses by name.

#[cfg(test)]
mod shop;

use espressync_client::{ClientError, ClientErrorKind, Group, Include};
use espressync_model::{
    Aggregate, Entity, FieldId, Key, ModelId, Predicate, Query, RelationId, Value,
};
use shop::{LINES, ORDER_OF, Order, OrderLine, TOTAL, line, order, till};

#[test]
fn keys_of_several_fields_are_given_by_their_values() {
    let (_pool, store) = till();
    let second = order("2026-11-24", 2, 9.0);
    assert_eq!(store.get_by(&["2026-11-24".into(), 2.into()]), Ok(Some(second.clone())));
    assert_eq!(store.get_by::<Order>(&["2026-11-24".into(), 3.into()]), Ok(None));
    let record = store.record_by(Order::MODEL, &["2026-11-24".into(), 2.into()]).unwrap();
    assert_eq!(record.map(|record| record.row), Some(second.to_row()));
    let by_fields = FieldId(0).eq("2026-11-24").and(FieldId(1).eq(2));
    let query = Query::filter(by_fields);
    assert_eq!(store.query(&query), Ok(vec![second]));
    let plan = store.explain(Order::MODEL, &query).unwrap();
    assert_eq!(plan.to_string(), "Order by the key: 1 of 3 record(s)");
}

#[test]
fn pages_follow_each_other() {
    let (_pool, store) = till();
    let query = Query::all().descending(TOTAL).limit(2);
    let first = store.page::<Order>(&query).unwrap();
    assert_eq!(first.items, [order("2026-11-24", 2, 9.0), order("2026-11-24", 1, 4.5)]);
    let last = store.page::<Order>(&query.after(first.next.unwrap())).unwrap();
    assert_eq!((last.items, last.next), (vec![order("2026-11-25", 1, 2.5)], None));
}

#[test]
fn relations_are_loaded_and_included() {
    let (mut pool, store) = till();
    let first = order("2026-11-24", 1, 4.5);
    let lines = |query: &Query| store.many::<Order, OrderLine>(&first, LINES, query).unwrap();
    assert_eq!(lines(&Query::all()).len(), 2);
    assert_eq!(lines(&Query::all().descending(FieldId(0)).limit(1)), [line("l2", "2026-11-24", 1)]);
    assert_eq!(store.one(&line("new", "2026-11-24", 1), ORDER_OF), Ok(Some(first.clone())));
    assert_eq!(store.one::<OrderLine, Order>(&line("new", "2026-11-24", 7), ORDER_OF), Ok(None));
    let none = Predicate::All;
    assert_eq!(store.related_count(Order::MODEL, &first.to_row(), LINES, &none), Ok(2));
    let key = Key::of(&["2026-11-24".into(), Value::from(1)]).unwrap();
    let by_key = store.related_of(Order::MODEL, &key, LINES, &Query::all()).unwrap();
    assert_eq!(by_key.len(), 2);
    let unknown = store.related_of(Order::MODEL, &Key::from("x"), LINES, &Query::all());
    assert_eq!(unknown, Ok(vec![]));
    let includes = [Include::all(LINES)];
    let loaded = store.query_including(Order::MODEL, &Query::all(), &includes).unwrap();
    let counts: Vec<usize> = loaded.iter().map(|order| order.many(LINES).len()).collect();
    assert_eq!(counts, [2, 0, 0]);
    assert_eq!(loaded[0].read::<Order>(&store.schema()), Ok(first.clone()));
    // A line that is moved leaves one order and comes to the other.
    pool.run_until(store.save(&line("l1", "2026-11-25", 1))).unwrap();
    let with_lines = Query::filter(LINES.exists()).ascending(FieldId(0));
    assert_eq!(store.query::<Order>(&with_lines).unwrap().len(), 2);
    assert_eq!(lines(&Query::all()).len(), 1);
}

#[test]
fn many_rows_come_to_few_values() {
    let (_pool, store) = till();
    let aggregates = [Aggregate::Count, Aggregate::Average(TOTAL)];
    let by_day = store.aggregate(Order::MODEL, &Predicate::All, &[FieldId(0)], &aggregates);
    let group = |day: &str, count: i64, average: f64| Group {
        by: vec![day.into()],
        values: vec![count.into(), average.into()],
    };
    assert_eq!(by_day, Ok(vec![group("2026-11-24", 2, 6.75), group("2026-11-25", 1, 2.5)]));
    assert_eq!(store.count(Order::MODEL, &TOTAL.gt(3.0)), Ok(2));
}

#[test]
fn what_cannot_be_read_is_named() {
    let (_pool, store) = till();
    let check = |error: ClientError, expected: &str| {
        assert_eq!(error.kind(), ClientErrorKind::Usage);
        assert_eq!(error.to_string(), expected);
    };
    let orders = Order::MODEL;
    let no_model = "there is no model `number 9` in the schema; it has Order, Line";
    check(store.record(ModelId(9), &Key::from("x")).unwrap_err(), no_model);
    check(store.count(ModelId(9), &Predicate::All).unwrap_err(), no_model);
    let row = order("2026-11-24", 1, 4.5).to_row();
    let related = |relation: u16, query: Query| {
        store.related(orders, &row, RelationId(relation), &query).unwrap_err()
    };
    check(related(3, Query::all()), "`Order` has no relation `number 3`; it has lines");
    let expected = "a page needs a limit of at least 1, 0 given";
    check(related(0, Query::all().limit(0)), expected);
    let expected = "`Line` has no field `number 9`; it has id, day, number";
    check(related(0, Query::all().ascending(FieldId(9))), expected);
    let wrong = store.many::<Order, Order>(&order("2026-11-24", 1, 1.0), LINES, &Query::all());
    check(wrong.unwrap_err(), "Order.lines leads to `Line`, not to `Order`");
    let short = store.get_by::<Order>(&["2026-11-24".into()]);
    check(short.unwrap_err(), "the key of `Order` is (day, number); 1 value(s) given");
    let text = store.get_by::<Order>(&["2026-11-24".into(), "1".into()]);
    let expected = "Order.number should be compared by eq with Int, found \"1\"";
    check(text.unwrap_err(), expected);
    let sum = [Aggregate::Sum(FieldId(0))];
    let expected = "Order.day is AWSDate; only numbers have a sum or an average";
    check(store.aggregate(orders, &Predicate::All, &[], &sum).unwrap_err(), expected);
    let by = [FieldId(7)];
    let expected = "`Order` has no field `number 7`; it has day, number, total";
    check(store.aggregate(orders, &Predicate::All, &by, &[]).unwrap_err(), expected);
    let sorted = Query::all().ascending(TOTAL).limit(1);
    let bookmark = store.record_page(orders, &sorted).unwrap().next.unwrap();
    let expected = "a query of `Order` sorted by 0 field(s) cannot go on behind a bookmark of 1; \
                    use the bookmark that the same query gave";
    check(store.records(orders, &Query::all().after(bookmark)).unwrap_err(), expected);
}
