//! Which way the store chooses, as it explains it.

use espressync_model::{Key, ModelId, Operator, Predicate, Query, Record, Row, Value};
use espressync_store::{Batch, Store};

use crate::shop::{CUSTOMER, INVOICE, ORDER, SEAT, order, schema};

/// 400 orders of 40 customers.
fn store() -> Store {
    store_of(400)
}

fn store_of(orders: i64) -> Store {
    let mut store = Store::new(schema().into());
    let n = || Value::Null;
    let mut records = Vec::new();
    let mut put = |model: ModelId, values: Vec<Value>| {
        let row = Row::new(values);
        let key = schema().model(model).key_of(&row).unwrap();
        records.push((model, key, Some(Record::local(row))));
    };
    for number in 0..40_i64 {
        let id = format!("c{number}");
        put(CUSTOMER, vec![id.as_str().into(), n(), n(), n()]);
        put(SEAT, vec![(number / 10).to_string().into(), (number % 10).into(), id.into()]);
    }
    for number in 0..orders {
        let status = ["OPEN", "PAID", "PAID", "VOID"][(number % 4) as usize];
        let total = Value::Float((number / 2) as f64);
        let values = vec![
            format!("o{number}").into(),
            status.into(),
            total,
            (number % 200).into(),
            format!("{:03}", orders - 1 - number).into(),
            n(),
            (number % 100 == 0).into(),
            format!("c{}", number % 40).into(),
            n(),
        ];
        put(ORDER, values);
    }
    store.apply(Batch { records, ..Batch::default() });
    store
}

fn check(store: &Store, model: ModelId, query: &Query, expected: &str) {
    assert_eq!(store.explain(model, query).to_string(), expected);
}

#[test]
fn keys_and_indexes_are_found() {
    let store = store();
    let check = |query: Query, expected: &str| check(&store, ORDER, &query, expected);
    let id = espressync_model::FieldId(0);
    let status = |name: &str| order::STATUS.eq(name);
    check(Query::filter(id.eq("o7")), "Order by the key: 1 of 400 record(s)");
    check(Query::filter(id.is_in(["o7", "o8", "x"])), "Order by the key: 2 of 400 record(s)");
    let open = status("OPEN");
    check(Query::filter(open.clone()), "Order by index (status, at): 100 of 400 record(s)");
    let both = open.clone().and(order::AT.begins_with("01"));
    check(Query::filter(both), "Order by index (status, at): 3 of 400 record(s)");
    let filtered = open.clone().and(order::COUNT.gt(7)).and(order::AT.lt("100"));
    let expected = "Order by index (status, at): 25 of 400 record(s), each asked";
    check(Query::filter(filtered), expected);
    let range = order::TOTAL.ge(3.0).and(order::TOTAL.lt(5.0));
    check(Query::filter(range), "Order by index (total): 4 of 400 record(s)");
    let several = order::TOTAL.is_in([3.0, 4.0, -1.0]);
    check(Query::filter(several), "Order by 3 runs of index (total): 4 of 400 record(s)");
    let either = order::TOTAL.gt(198.0).or(status("VOID").and(order::AT.lt("009")));
    let expected = "Order by index (total) or index (status, at): 5 of 400 record(s)";
    check(Query::filter(either), expected);
    let most = !order::TOTAL.eq(1.0);
    check(Query::filter(most), "Order by a scan: 400 of 400 record(s), each asked");
    check(Query::all(), "Order by a scan: 400 of 400 record(s)");
}

#[test]
fn sorts_walk_an_index_that_fits() {
    let store = store();
    let check = |query: &Query, expected: &str| check(&store, ORDER, query, expected);
    let newest = Query::filter(order::STATUS.eq("PAID")).descending(order::AT).limit(50);
    let expected = "Order by index (status, at): 200 of 400 record(s), in the index's order \
                    backwards; rows 0 to 50";
    check(&newest, expected);
    // What every match has in common tells none apart.
    let same = Query::filter(order::STATUS.eq("PAID")).ascending(order::STATUS).limit(50);
    check(&same, "Order by index (status, at): 200 of 400 record(s); rows 0 to 50");
    let few = Query::filter(order::TOTAL.eq(7.0)).ascending(order::COUNT);
    check(&few, "Order by index (total): 2 of 400 record(s), sorted by count");
}

#[test]
fn an_index_that_would_have_served_is_built_for_the_second_time() {
    let store = store();
    let page = Query::all().descending(order::COUNT).page(1, 20);
    let first = "Order by a scan: 400 of 400 record(s), the first 40 by count desc kept; rows 20 \
                 to 40";
    check(&store, ORDER, &page, first);
    check(&store, ORDER, &page, first);
    let _ = store.query(ORDER, &page);
    let again = "Order by index (count): 400 of 400 record(s), in the index's order backwards; \
                 rows 20 to 40";
    check(&store, ORDER, &page, again);
    // A sort of everything costs as much as the index.
    let all = Query::all().ascending(order::CUSTOMER_ID).descending(order::AT);
    let expected = "Order by index (customerId, at desc): 400 of 400 record(s), in the index's \
                    order";
    check(&store, ORDER, &all, expected);
    let some = order::CUSTOMER_ID.eq("c7").and(order::AT.gt("100"));
    let expected = "Order by index (customerId, at desc): 8 of 400 record(s)";
    check(&store, ORDER, &Query::filter(some.clone()), expected);
    assert_eq!(store.query(ORDER, &Query::filter(some)).len(), 8);
    // What few match is worth an index, what many match is not.
    let few = Query::filter(order::IS_PAID.eq(true));
    check(&store, ORDER, &few, "Order by a scan: 400 of 400 record(s), each asked");
    let _ = store.query(ORDER, &few);
    check(&store, ORDER, &few, "Order by index (isPaid): 4 of 400 record(s)");
    let some = Query::filter(order::COUNT.is_in([3, 4, 500]));
    check(&store, ORDER, &some, "Order by 3 runs of index (count): 4 of 400 record(s)");
    let some = Query::filter(order::AT.is_in(["003", "004"]));
    check(&store, ORDER, &some, "Order by a scan: 400 of 400 record(s), each asked");
    let _ = store.query(ORDER, &some);
    check(&store, ORDER, &some, "Order by 2 runs of index (at): 2 of 400 record(s)");
}

#[test]
fn a_large_table_is_looked_at_once_before_an_index_of_it_is_built() {
    let check = |query: Query, first: &str, again: &str| {
        let store = store_of(1_200);
        let keys = |store: &Store| -> Vec<Key> {
            let found = store.query_with_keys(ORDER, &query).into_iter();
            found.map(|(key, _)| key.clone()).collect()
        };
        assert_eq!(store.explain(ORDER, &query).to_string(), first);
        let found = keys(&store);
        assert_eq!(store.explain(ORDER, &query).to_string(), again);
        assert_eq!(keys(&store), found);
    };
    let scan = "Order by a scan: 1200 of 1200 record(s)";
    check(
        Query::all().ascending(order::TOTAL).limit(50),
        &format!("{scan}, the first 50 by total kept; rows 0 to 50"),
        "Order by index (total): 1200 of 1200 record(s), in the index's order; rows 0 to 50",
    );
    check(
        Query::filter(order::STATUS.eq("PAID")).descending(order::AT).limit(50),
        &format!("{scan}, each asked, the first 50 by at desc kept; rows 0 to 50"),
        "Order by index (status, at): 600 of 1200 record(s), in the index's order backwards; \
         rows 0 to 50",
    );
    check(
        Query::filter(order::TOTAL.lt(5.0)),
        &format!("{scan}, each asked"),
        "Order by index (total): 10 of 1200 record(s)",
    );
    // What belongs to a record is asked for by many, so its index is built at once.
    let of_one = order::CUSTOMER.matches(espressync_model::FieldId(0).eq("c7"));
    let index = "Order by index (customerId) from the 1 matching in `customer`: 30 of 1200 \
                 record(s)";
    check(Query::filter(of_one), index, index);
}

#[test]
fn relations_are_followed_from_the_fewer_side() {
    let store = store();
    let one = order::CUSTOMER.matches(espressync_model::FieldId(0).eq("c7"));
    let expected = "Order by index (customerId) from the 1 matching in `customer`: 10 of 400 \
                    record(s)";
    check(&store, ORDER, &Query::filter(one), expected);
    let seat = espressync_model::RelationId(2);
    let in_row = seat.matches(espressync_model::FieldId(0).eq("3"));
    let expected = "Customer by the key from the 10 matching in `seat`: 10 of 40 record(s)";
    check(&store, CUSTOMER, &Query::filter(in_row.clone()), expected);
    // At any depth.
    let sat = order::CUSTOMER.matches(in_row);
    let expected = "Order by 10 runs of index (customerId) from the 10 matching in `customer`: \
                    100 of 400 record(s)";
    check(&store, ORDER, &Query::filter(sat.clone()), expected);
    assert_eq!(store.count(ORDER, &sat), 100);
    // Many are rather asked one by one.
    let any = Query::filter(espressync_model::RelationId(0).exists());
    check(&store, CUSTOMER, &any, "Customer by a scan: 40 of 40 record(s), each asked");
    // By part of a key.
    let row = espressync_model::FieldId(0).eq("3");
    check(
        &store,
        SEAT,
        &Query::filter(row.clone()),
        "Seat by index (row, number): 10 of 40 record(s)",
    );
    let both = row.and(espressync_model::FieldId(1).eq(3));
    check(&store, SEAT, &Query::filter(both), "Seat by the key: 1 of 40 record(s)");
    check(&store, INVOICE, &Query::all(), "Invoice by a scan: 0 of 0 record(s)");
}

#[test]
fn a_bookmark_stands_where_it_was_whatever_is_written() {
    let mut store = store();
    let query = Query::all().descending(order::TOTAL).limit(3);
    let keys = |store: &Store, query: &Query| -> Vec<String> {
        let found = store.query_with_keys(ORDER, query).into_iter();
        found.map(|(key, _)| key.to_string()).collect()
    };
    let set = |store: &mut Store, key: &str, total: Option<f64>| {
        let row = store.record(ORDER, &Key::from("o7")).unwrap().row.clone();
        let record = total.map(|total| {
            let patch = [(espressync_model::FieldId(0), key.into()), (order::TOTAL, total.into())];
            Record::local(row.with(&patch.into_iter().collect()))
        });
        let records = vec![(ORDER, Key::from(key), record)];
        store.apply(Batch { records, ..Batch::default() });
    };
    for is_indexed in [false, true] {
        assert_eq!(keys(&store, &query), ["o398", "o399", "o396"], "{is_indexed}");
        let bookmark = store.bookmark(ORDER, &query, &Key::from("o396")).unwrap();
        let rest = query.clone().after(bookmark);
        assert_eq!(keys(&store, &rest), ["o397", "o394", "o395"]);
        // Before it, on it and behind it.
        set(&mut store, "before", Some(500.0));
        set(&mut store, "same", Some(198.0));
        set(&mut store, "behind", Some(197.5));
        assert_eq!(keys(&store, &rest), ["o397", "same", "behind"]);
        // The row that it was made of goes elsewhere, then altogether.
        set(&mut store, "o396", Some(1.0));
        assert_eq!(keys(&store, &rest), ["o397", "same", "behind"]);
        set(&mut store, "o397", Some(1.0));
        set(&mut store, "o397", Some(198.0));
        assert_eq!(keys(&store, &rest), ["o397", "same", "behind"]);
        for key in ["before", "same", "behind"] {
            set(&mut store, key, None);
        }
        set(&mut store, "o396", Some(198.0));
    }
    let bookmark = store.bookmark(ORDER, &query, &Key::from("o396")).unwrap();
    set(&mut store, "o396", None);
    let rest = query.after(bookmark);
    assert_eq!(keys(&store, &rest), ["o397", "o394", "o395"]);
}

#[test]
fn a_bookmark_fits_a_sort_by_what_every_match_has_in_common() {
    let store = store();
    let one = order::CUSTOMER_ID.eq("c7");
    let query = Query::filter(one).ascending(order::CUSTOMER_ID).descending(order::AT);
    let whole: Vec<Key> =
        store.query_with_keys(ORDER, &query).iter().map(|(key, _)| (*key).clone()).collect();
    assert_eq!(whole.len(), 10);
    for (position, key) in whole.iter().enumerate() {
        let rest = query.clone().after(store.bookmark(ORDER, &query, key).unwrap());
        assert_eq!(store.query(ORDER, &rest).len(), 9 - position);
    }
}

#[test]
fn an_index_that_holds_the_largest_first_is_searched_too() {
    let store = store();
    let mixed = Query::all().ascending(order::STATUS).descending(order::COUNT);
    let _ = store.query(ORDER, &mixed);
    let check = |range: Predicate, expected: usize| {
        let query = Query::filter(order::STATUS.eq("VOID").and(range));
        let plan = store.explain(ORDER, &query).to_string();
        let found = format!("Order by index (status, count desc): {expected} of 400 record(s)");
        assert_eq!(plan, found);
        assert_eq!(store.query(ORDER, &query).len(), expected);
    };
    check(order::COUNT.lt(11), 4);
    check(order::COUNT.le(11), 6);
    check(order::COUNT.gt(191), 4);
    check(order::COUNT.ge(191), 6);
    check(order::COUNT.between(4, 11), 4);
    check(order::COUNT.between(11, 4), 0);
    let several = order::STATUS.eq("VOID").and(order::COUNT.is_in([3, 4, 199, 3]));
    assert_eq!(store.count(ORDER, &several), 4);
}

#[test]
fn an_empty_group_asks_nothing() {
    let store = store();
    let check = |predicate: Predicate, expected: usize| {
        assert_eq!(store.count(ORDER, &predicate), expected, "{predicate:?}");
    };
    check(Predicate::And(vec![]), 400);
    check(Predicate::Or(vec![]), 0);
    check(!Predicate::All, 0);
    check(Predicate::Field(order::TOTAL, Operator::In(vec![])), 0);
    check(Predicate::Field(order::TOTAL, Operator::NotIn(vec![])), 400);
}
