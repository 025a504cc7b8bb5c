//! The other ends of relations: loaded, included, counted; and what many rows come to.

use espressync_model::{
    Aggregate, FieldId, Key, ModelId, Predicate, Query, Record, RelationId, Row, Value,
};
use espressync_store::{Batch, Group, Include, Loaded, Store};

use crate::shop::{CUSTOMER, INVOICE, ORDER, ORDER_TAG, SEAT, TAG, order, schema};

const ORDERS: RelationId = RelationId(0);
const TAGGINGS: RelationId = RelationId(2);
const INVOICE_OF: RelationId = RelationId(1);

fn put(store: &mut Store, model: ModelId, values: Vec<Value>) -> Row {
    let mut values = values;
    values.resize(store.schema().model(model).fields.len(), Value::Null);
    let row = Row::new(values);
    let key = store.schema().model(model).key_of(&row).unwrap();
    let records = vec![(model, key, Some(Record::local(row.clone())))];
    store.apply(Batch { records, ..Batch::default() });
    row
}

fn order_row(id: &str, total: Option<f64>, customer: Option<&str>) -> Vec<Value> {
    let n = || Value::Null;
    vec![id.into(), "OPEN".into(), total.into(), n(), n(), n(), n(), customer.into(), n()]
}

/// Two customers with three orders, of which the first has two tags.
fn store() -> Store {
    let mut store = Store::new(schema().into());
    put(&mut store, CUSTOMER, vec!["ann".into(), "Ann".into()]);
    put(&mut store, CUSTOMER, vec!["bob".into(), "Bob".into(), 1.5.into(), "ann".into()]);
    put(&mut store, ORDER, order_row("o1", Some(4.5), Some("ann")));
    put(&mut store, ORDER, order_row("o2", None, Some("bob")));
    put(&mut store, ORDER, order_row("o3", Some(2.5), Some("ann")));
    for (id, label) in [("t1", "hot"), ("t2", "to go")] {
        put(&mut store, TAG, vec![id.into(), label.into()]);
    }
    for (id, of, tag) in [("x1", "o1", "t2"), ("x2", "o1", "t1"), ("x3", "o3", "t2")] {
        put(&mut store, ORDER_TAG, vec![id.into(), of.into(), tag.into()]);
    }
    store
}

fn row(store: &Store, model: ModelId, key: &str) -> Row {
    store.live_record(model, key).unwrap().row.clone()
}

fn ids(records: Vec<&Record>) -> Vec<&str> {
    records.into_iter().map(|record| record.row.get(FieldId(0)).as_text().unwrap()).collect()
}

#[test]
fn both_ends_are_views_of_one_foreign_key() {
    let mut store = store();
    let ann = row(&store, CUSTOMER, "ann");
    let orders = |store: &Store, query: &Query| -> String {
        ids(store.related(CUSTOMER, &ann, ORDERS, query)).join(" ")
    };
    assert_eq!(orders(&store, &Query::all()), "o1 o3");
    assert_eq!(orders(&store, &Query::all().ascending(order::TOTAL)), "o3 o1");
    assert_eq!(orders(&store, &Query::filter(order::TOTAL.gt(3.0))), "o1");
    assert_eq!(orders(&store, &Query::all().page(1, 1)), "o3");
    assert_eq!(store.related_count(CUSTOMER, &ann, ORDERS, &Predicate::All), 2);
    assert_eq!(store.related_count(CUSTOMER, &ann, ORDERS, &order::TOTAL.gt(3.0)), 1);
    // Unlinked at one end is unlinked at the other.
    let o1 = put(&mut store, ORDER, order_row("o1", Some(4.5), None));
    assert_eq!(orders(&store, &Query::all()), "o3");
    assert_eq!(store.related(ORDER, &o1, order::CUSTOMER, &Query::all()).len(), 0);
    put(&mut store, ORDER, order_row("o2", None, Some("ann")));
    assert_eq!(orders(&store, &Query::all()), "o2 o3");
    // What is not stored leads where its values say, and nobody points at it.
    let draft = Row::new(order_row("o9", None, Some("bob")));
    assert_eq!(ids(store.related(ORDER, &draft, order::CUSTOMER, &Query::all())), ["bob"]);
    assert_eq!(store.related_count(ORDER, &draft, TAGGINGS, &Predicate::All), 0);
}

#[test]
fn a_has_one_and_what_belongs_to_it_find_each_other_by_either_key() {
    let check = |order_key: Option<&str>, invoice_key: Option<&str>, expected: bool| {
        let mut store = store();
        let mut values = order_row("o9", None, None);
        values[8] = order_key.into();
        let order = put(&mut store, ORDER, values);
        let invoice = put(&mut store, INVOICE, vec!["i9".into(), 3.0.into(), invoice_key.into()]);
        let found = ids(store.related(ORDER, &order, INVOICE_OF, &Query::all()));
        assert_eq!(found, if expected { vec!["i9"] } else { vec![] });
        let found = ids(store.related(INVOICE, &invoice, RelationId(0), &Query::all()));
        assert_eq!(found, if expected { vec!["o9"] } else { vec![] });
        let has_invoice = INVOICE_OF.matches(FieldId(1).eq(3.0));
        assert_eq!(store.count(ORDER, &has_invoice), usize::from(expected));
        assert_eq!(store.count(INVOICE, &RelationId(0).exists()), usize::from(expected));
    };
    check(Some("i9"), Some("o9"), true);
    check(Some("i9"), None, true);
    check(None, Some("o9"), true);
    check(None, None, false);
}

#[test]
fn keys_of_several_fields_are_pointed_at_and_point() {
    let mut store = store();
    let seat = put(&mut store, SEAT, vec!["A".into(), 7.into(), "ann".into()]);
    let ann = row(&store, CUSTOMER, "ann");
    assert_eq!(ids(store.related(CUSTOMER, &ann, RelationId(2), &Query::all())), ["A"]);
    assert_eq!(ids(store.related(SEAT, &seat, RelationId(0), &Query::all())), ["ann"]);
    let in_seat_7 = RelationId(2).matches(FieldId(1).eq(7));
    assert_eq!(ids(store.query(CUSTOMER, &Query::filter(in_seat_7))), ["ann"]);
}

#[test]
fn a_path_leads_through_the_model_between() {
    let store = store();
    let tags = |key: &str, query: &Query| -> String {
        let path = [TAGGINGS, RelationId(1)];
        ids(store.related_along(ORDER, &row(&store, ORDER, key), &path, query)).join(" ")
    };
    assert_eq!(tags("o1", &Query::all()), "t1 t2");
    assert_eq!(tags("o1", &Query::all().descending(FieldId(1))), "t2 t1");
    assert_eq!(tags("o2", &Query::all()), "");
    // Each once, however many ways lead there.
    let path = [ORDERS, TAGGINGS, RelationId(1)];
    let ann = row(&store, CUSTOMER, "ann");
    let found = store.related_along(CUSTOMER, &ann, &path, &Query::all());
    assert_eq!(ids(found), ["t1", "t2"]);
    let label = "taggings.tag.label";
    let hot = Predicate::parse_path(&schema(), ORDER, label, "eq", vec!["hot".into()]).unwrap();
    assert_eq!(ids(store.query(ORDER, &Query::filter(hot.clone()))), ["o1"]);
    assert_eq!(ids(store.query(ORDER, &Query::filter(!hot))), ["o2", "o3"]);
}

fn shape(loaded: &[Loaded]) -> String {
    let shapes = loaded.iter().map(|one| {
        let related: Vec<String> = one.related.iter().map(|(_, related)| shape(related)).collect();
        if related.is_empty() {
            one.key.to_string()
        } else {
            format!("{}[{}]", one.key, related.join("|"))
        }
    });
    shapes.collect::<Vec<_>>().join(" ")
}

#[test]
fn records_come_with_what_is_included() {
    let store = store();
    let check = |paths: &[&str], expected: &str| {
        let includes = Include::parse(store.schema(), ORDER, paths).unwrap();
        let loaded = store.query_including(ORDER, &Query::all(), &includes);
        assert_eq!(shape(&loaded), expected);
    };
    check(&[], "o1 o2 o3");
    check(&["customer"], "o1[ann] o2[bob] o3[ann]");
    check(&["customer.mentor"], "o1[ann[]] o2[bob[ann]] o3[ann[]]");
    check(&["taggings.tag"], "o1[x1[t2] x2[t1]] o2[] o3[x3[t2]]");
    let all = ["customer", "taggings.tag", "taggings.order", "customer.mentor"];
    check(&all, "o1[ann[]|x1[t2|o1] x2[t1|o1]] o2[bob[ann]|] o3[ann[]|x3[t2|o3]]");
    let newest = Include::some(ORDERS, Query::all().descending(order::TOTAL).limit(1));
    let loaded =
        store.query_including(CUSTOMER, &Query::all(), &[newest.with(Include::all(TAGGINGS))]);
    assert_eq!(shape(&loaded), "ann[o1[x1 x2]] bob[o2[]]");
    let first = &loaded[0];
    assert_eq!(first.one(ORDERS).map(|one| one.many(TAGGINGS).len()), Some(2));
    assert_eq!(first.many(TAGGINGS), []);
}

#[test]
fn what_cannot_be_included_is_named() {
    let parsed = Include::parse(&schema(), ORDER, &["customer.pets"]);
    let expected = "`Customer` has no relation `pets`; it has orders, mentor, seat";
    assert_eq!(parsed.unwrap_err().to_string(), expected);
    let check = |include: Include, expected: &str| {
        let schema = schema();
        let error = include.check(&schema, schema.model(ORDER)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    let expected = "`Order` has no relation `number 8`; it has customer, invoice, taggings";
    check(Include::all(RelationId(8)), expected);
    let bad = Include::some(order::CUSTOMER, Query::filter(FieldId(2).eq("x")));
    let expected = "Customer.credit should be compared by eq with Float, found \"x\"";
    check(bad, expected);
}

#[test]
fn groups_come_in_the_order_of_their_values() {
    let store = store();
    let check = |predicate: Predicate, by: &[FieldId], expected: &[(Vec<Value>, Vec<Value>)]| {
        let aggregates = [Aggregate::Count, Aggregate::Sum(order::TOTAL)];
        let groups = store.aggregate(ORDER, &predicate, by, &aggregates);
        let expected = expected.iter().cloned().map(|(by, values)| Group { by, values });
        assert_eq!(groups, expected.collect::<Vec<_>>());
    };
    check(Predicate::All, &[], &[(vec![], vec![3.into(), 7.0.into()])]);
    let groups = [
        (vec!["ann".into()], vec![2.into(), 7.0.into()]),
        (vec!["bob".into()], vec![1.into(), 0.into()]),
    ];
    check(Predicate::All, &[order::CUSTOMER_ID], &groups);
    let both = [order::TOTAL, order::CUSTOMER_ID];
    let groups = [
        (vec![Value::Null, "bob".into()], vec![1.into(), 0.into()]),
        (vec![2.5.into(), "ann".into()], vec![1.into(), 2.5.into()]),
        (vec![4.5.into(), "ann".into()], vec![1.into(), 4.5.into()]),
    ];
    check(Predicate::All, &both, &groups);
    let none = order::TOTAL.gt(100.0);
    check(none.clone(), &[], &[(vec![], vec![0.into(), 0.into()])]);
    check(none, &[order::TOTAL], &[]);
    let anns = order::CUSTOMER.matches(FieldId(1).eq("Ann"));
    check(anns, &[], &[(vec![], vec![2.into(), 7.0.into()])]);
}

#[test]
fn a_page_says_where_the_next_begins() {
    let store = store();
    let mut query = Query::all().descending(order::TOTAL).limit(2);
    let (records, next) = store.query_page(ORDER, &query);
    assert_eq!(ids(records), ["o1", "o3"]);
    query = query.after(next.clone().unwrap());
    let (records, last) = store.query_page(ORDER, &query);
    assert_eq!((ids(records), last), (vec!["o2"], None));
    // A full page at the end is the last too.
    let (records, last) = store.query_page(ORDER, &Query::all().limit(3));
    assert_eq!((records.len(), last), (3, None));
    assert_eq!(next.unwrap().key, Key::from("o3"));
    let (records, last) = store.query_page(ORDER, &Query::all());
    assert_eq!((records.len(), last), (3, None));
}
