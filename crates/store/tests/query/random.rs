//! Random queries over random rows, with random commits in between.

use espressync_model::{
    BaseType, Direction, Key, Model, ModelId, Operator, Predicate, Query, RelationId, Row, Scalar,
    Sort, Value,
};
use espressync_store::{Batch, Store};
use proptest::prelude::*;

use crate::naive::Naive;
use crate::shop::{self, Change, changes, schema};

fn operator(model: &Model, field: usize) -> BoxedStrategy<Operator> {
    let field = &model.fields[field];
    let is_key = field.name == "id" || field.name.ends_with("Id") || field.name == "row";
    let element = if is_key {
        (0..9).prop_map(|number| Value::from(format!("k{number}"))).boxed()
    } else {
        shop::value(field.base)
    };
    if field.is_list {
        return prop_oneof![
            element.clone().prop_map(Operator::Contains),
            element.clone().prop_map(Operator::NotContains),
            Just(Operator::Eq(Value::Null)),
            prop::collection::vec(element, 0..2).prop_map(|list| Operator::Ne(list.into())),
        ]
        .boxed();
    }
    let nullable = prop_oneof![1 => Just(Value::Null), 6 => element.clone()];
    let some = prop::collection::vec(nullable.clone(), 0..4);
    let of_all = prop_oneof![
        4 => nullable.clone().prop_map(Operator::Eq),
        1 => nullable.prop_map(Operator::Ne),
        1 => element.clone().prop_map(Operator::Lt),
        1 => element.clone().prop_map(Operator::Le),
        1 => element.clone().prop_map(Operator::Gt),
        1 => element.clone().prop_map(Operator::Ge),
        2 => (element.clone(), element.clone()).prop_map(|(a, b)| Operator::Between(a, b)),
        2 => some.clone().prop_map(Operator::In),
        1 => some.prop_map(Operator::NotIn),
    ];
    let is_text =
        matches!(field.base, BaseType::Enum(_) | BaseType::Scalar(Scalar::Id | Scalar::String));
    if is_text {
        return prop_oneof![
            4 => of_all,
            1 => element.clone().prop_map(Operator::BeginsWith),
            1 => element.clone().prop_map(Operator::Contains),
            1 => element.prop_map(Operator::NotContains),
        ]
        .boxed();
    }
    of_all.boxed()
}

fn predicate(id: ModelId, depth: u32) -> BoxedStrategy<Predicate> {
    let schema = schema();
    let model = schema.model(id).clone();
    let fields: Vec<BoxedStrategy<Predicate>> = model
        .fields()
        .enumerate()
        .map(|(position, (field, _))| {
            operator(&model, position)
                .prop_map(move |operator| Predicate::Field(field, operator))
                .boxed()
        })
        .collect();
    let field = (0..fields.len()).prop_flat_map(move |which| fields[which].clone());
    if depth == 0 {
        return field.boxed();
    }
    let part = move || predicate(id, depth - 1);
    let related: Vec<BoxedStrategy<Predicate>> =
        model.relations().map(|(relation, found)| related(relation, found.target, depth)).collect();
    let related = (0..related.len()).prop_flat_map(move |which| related[which].clone());
    prop_oneof![
        4 => field,
        2 => prop::collection::vec(part(), 0..4).prop_map(Predicate::And),
        2 => prop::collection::vec(part(), 0..3).prop_map(Predicate::Or),
        1 => part().prop_map(|part| !part),
        2 => related,
        1 => Just(Predicate::All),
    ]
    .boxed()
}

fn related(relation: RelationId, target: ModelId, depth: u32) -> BoxedStrategy<Predicate> {
    predicate(target, depth - 1).prop_map(move |part| relation.matches(part)).boxed()
}

fn query(id: ModelId) -> BoxedStrategy<Query> {
    let model = schema().model(id).clone();
    let sortable: Vec<_> =
        model.fields().filter(|(_, field)| !field.is_list).map(|(id, _)| id).collect();
    let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
    let sort = (prop::sample::select(sortable), direction)
        .prop_map(|(field, direction)| Sort { field, direction });
    let page = prop::option::of((0..3_usize, 1..5_usize));
    (predicate(id, 2), prop::collection::vec(sort, 0..3), page)
        .prop_map(|(predicate, sort, page)| {
            let query = Query { predicate, sort, ..Query::default() };
            page.into_iter().fold(query, |query, (number, limit)| query.page(number, limit))
        })
        .boxed()
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Change>),
    Ask(ModelId, Query),
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (0..6_u16).prop_flat_map(|model| {
        let model = ModelId(model);
        query(model).prop_map(move |query| Step::Ask(model, query))
    });
    // A large commit has the indexes built anew.
    prop_oneof![
        3 => changes(6).prop_map(Step::Commit),
        1 => changes(80).prop_map(Step::Commit),
        12 => ask,
    ]
}

fn commit(store: &mut Store, naive: &mut Naive, changes: Vec<Change>) {
    for change in changes.clone() {
        naive.apply(change);
    }
    store.apply(Batch { records: changes, ..Batch::default() });
}

fn keys<'a>(store: &'a Store, model: ModelId, query: &Query) -> Vec<&'a Key> {
    store.query_with_keys(model, query).into_iter().map(|(key, _)| key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_way_to_answer_is_that_of_a_scan(
        first in changes(120),
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let mut store = Store::new(schema().into());
        let mut naive = Naive::new(schema());
        commit(&mut store, &mut naive, first);
        for step in steps {
            let (model, query) = match step {
                Step::Commit(changes) => {
                    commit(&mut store, &mut naive, changes);
                    continue;
                }
                Step::Ask(model, query) => (model, query),
            };
            prop_assert_eq!(query.check_in(store.schema(), model), Ok(()));
            let expected = naive.query(model, &query);
            // Twice, as the second time there may be an index.
            for _ in 0..2 {
                prop_assert_eq!(&keys(&store, model, &query), &expected);
            }
            let whole = Query { page: None, ..query.clone() };
            let all = naive.query(model, &whole);
            prop_assert_eq!(store.count(model, &query.predicate), all.len());
            let of_each = store.query(model, &whole);
            for (relation, ends) in store.schema().model(model).relations() {
                for record in &of_each {
                    let expected = naive.ends(model, &record.row, ends);
                    let found = store.related(model, &record.row, relation, &Query::all());
                    let found = found.into_iter().map(|record| &record.row);
                    let expected: Vec<&Row> = expected.into_iter().map(|(_, row)| row).collect();
                    prop_assert_eq!(found.collect::<Vec<_>>(), expected);
                }
            }
            // Behind each record comes the rest.
            for (position, key) in all.iter().enumerate() {
                let rest = whole.clone().after(store.bookmark(model, &whole, key).unwrap());
                prop_assert_eq!(keys(&store, model, &rest), &all[position + 1..]);
                let rest = rest.limit(2);
                let expected = &all[position + 1..all.len().min(position + 3)];
                prop_assert_eq!(keys(&store, model, &rest), expected);
            }
        }
    }
}
