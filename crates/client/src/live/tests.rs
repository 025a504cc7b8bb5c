use std::rc::Rc;

use espressync_model::{
    Field, FieldId, Meta, Model, Record, RelationId, RelationKind, Scalar, Value,
};
use espressync_store::Batch;

use super::*;

const SHELF: ModelId = ModelId(0);
const PRODUCT: ModelId = ModelId(1);
const LABEL: ModelId = ModelId(2);

const NAME: FieldId = FieldId(1);
const STOCK: FieldId = FieldId(2);
const SHELF_ID: FieldId = FieldId(3);

/// Shelves with products, each with a label that both sides may point at.
fn schema() -> Schema {
    let id = || Field::new("id", Scalar::Id).required();
    let text = |name: &str| Field::new(name, Scalar::String);
    Schema::new(vec![
        Model::new("Shelf", "Shelves").field(id()).field(text("name")).relation(
            "products",
            RelationKind::HasMany,
            PRODUCT,
            vec![SHELF_ID],
        ),
        Model::new("Product", "Products")
            .field(id())
            .field(text("name"))
            .field(Field::new("stock", Scalar::Int))
            .field(Field::new("shelfId", Scalar::Id))
            .field(Field::new("labelId", Scalar::Id))
            .relation("shelf", RelationKind::BelongsTo, SHELF, vec![SHELF_ID])
            .relation("label", RelationKind::HasOne, LABEL, vec![FieldId(4)]),
        Model::new("Label", "Labels")
            .field(id())
            .field(text("name"))
            .field(Field::new("productId", Scalar::Id))
            .relation("product", RelationKind::BelongsTo, PRODUCT, vec![FieldId(2)]),
    ])
}

fn queries() -> Vec<(ModelId, Query)> {
    let (shelf, label) = (RelationId(0), RelationId(1));
    let all = |predicate: Predicate| Query::filter(predicate);
    let on_a_shelf = || shelf.matches(NAME.eq("a"));
    vec![
        (PRODUCT, Query::all()),
        (PRODUCT, all(STOCK.gt(2))),
        (PRODUCT, Query::all().ascending(NAME)),
        (PRODUCT, all(STOCK.gt(1)).descending(STOCK).ascending(NAME)),
        (PRODUCT, all(STOCK.gt(0)).ascending(STOCK).page(0, 3)),
        (PRODUCT, Query::all().descending(STOCK).page(1, 2)),
        (PRODUCT, Query::all().page(2, 2)),
        (PRODUCT, all(on_a_shelf())),
        (PRODUCT, all(!on_a_shelf()).ascending(NAME).page(0, 4)),
        (PRODUCT, all(shelf.exists().and(!label.matches(NAME.eq("b"))))),
        (SHELF, all(RelationId(0).matches(STOCK.gt(3)))),
        (SHELF, all(RelationId(0).matches(label.matches(NAME.eq("a")).or(STOCK.eq(0))))),
        (LABEL, all(RelationId(0).matches(on_a_shelf()))),
        (SHELF, all(!RelationId(0).exists()).descending(NAME)),
    ]
}

/// A record of a model, in few variants so that everything happens often.
fn some_record(random: &mut fastrand::Rng, model: ModelId) -> (ModelId, Key, Option<Record>) {
    let few = if model == PRODUCT { 12 } else { 5 };
    let key = random.u8(0..few).to_string();
    if random.u8(0..10) == 0 {
        return (model, Key::from(key), None);
    }
    let name: Value = ["a", "b", "c"][random.usize(0..3)].into();
    let name = if random.u8(0..5) == 0 { Value::Null } else { name };
    let pointer = |random: &mut fastrand::Rng, few: u8| match random.u8(0..=few) {
        0 => Value::Null,
        key => (key - 1).to_string().into(),
    };
    let mut values = vec![Value::from(key.as_str()), name];
    if model == PRODUCT {
        values.push(random.i64(0..6).into());
        values.push(pointer(random, 5));
        values.push(pointer(random, 5));
    }
    if model == LABEL {
        values.push(pointer(random, 12));
    }
    let deleted = random.u8(0..6) == 0;
    let meta = Meta { version: random.u64(0..3), deleted, ..Meta::default() };
    (model, Key::from(key), Some(Record { row: Row::new(values), meta }))
}

fn some_batch(random: &mut fastrand::Rng) -> Batch {
    let mut records: Vec<(ModelId, Key, Option<Record>)> = Vec::new();
    // Seldom so many at once that answers are asked anew.
    let count = if random.u8(0..40) == 0 { 600 } else { random.usize(1..5) };
    for _ in 0..count {
        let model = [SHELF, PRODUCT, PRODUCT, LABEL][random.usize(0..4)];
        let one = some_record(random, model);
        if records.iter().all(|(of, key, _)| (*of, key) != (one.0, &one.1)) {
            records.push(one);
        }
    }
    Batch { records, ..Batch::default() }
}

fn shown(live: &Live) -> Vec<Row> {
    let (start, end) = live.window();
    let rows: Vec<Row> = live.rows().cloned().collect();
    rows.into_iter().take(end).skip(start).collect()
}

fn asked(store: &Store, (model, query): &(ModelId, Query)) -> Vec<Row> {
    store.query(*model, query).into_iter().map(|record| record.row.clone()).collect()
}

#[test]
fn an_answer_kept_current_is_the_query_asked_anew() {
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut store = Store::new(Rc::new(schema()));
        let queries = queries();
        let mut lives: Vec<Live> = Vec::new();
        let mut mirrors: Vec<Vec<Row>> = Vec::new();
        for (model, query) in &queries {
            lives.push(Live::new(&store, *model, query.clone()));
            mirrors.push(Vec::new());
        }
        for step in 0..40 {
            let applied = store.apply(some_batch(&mut random));
            for ((live, query), mirror) in lives.iter_mut().zip(&queries).zip(&mut mirrors) {
                let before = shown(live);
                live.is_dirty = false;
                live.apply(&store, &applied);
                let place = format!("seed {seed}, step {step}: {query:?}");
                let now = shown(live);
                assert_eq!(now, asked(&store, query), "{place}");
                assert!(live.is_dirty || before == now, "{place}: a change is not told");
                // Looked at now and then, as a slow screen does.
                if random.bool() {
                    let repeated: Result<bool, ()> =
                        repeat(mirror, live.take_edits(), |row| Ok(row.clone()));
                    if repeated == Ok(false) {
                        *mirror = live.rows().cloned().collect();
                    }
                    assert!(mirror.iter().eq(live.rows()), "{place}: the mirror differs");
                }
            }
        }
    }
}

fn product(number: u32, stock: i64) -> (ModelId, Key, Option<Record>) {
    let key = format!("p{number:06}");
    let (id, name) = (Value::from(key.as_str()), Value::from(format!("n{}", number % 977)));
    let row = Row::new(vec![id, name, stock.into(), Value::Null, Value::Null]);
    (PRODUCT, Key::from(key), Some(Record::local(row)))
}

fn shelf(key: &str) -> (ModelId, Key, Option<Record>) {
    let row = Row::new(vec![key.into(), "a".into()]);
    (SHELF, Key::from(key), Some(Record::local(row)))
}

#[test]
fn a_hundred_thousand_rows_cost_nothing_unless_they_are_meant() {
    let mut store = Store::new(Rc::new(schema()));
    let records = (0..100_000).map(|number| product(number, i64::from(number % 10)));
    store.apply(Batch { records: records.collect(), ..Batch::default() });
    let mut lives = [
        Live::new(&store, PRODUCT, Query::all().ascending(NAME)),
        Live::new(&store, PRODUCT, Query::filter(STOCK.ge(0))),
        Live::new(&store, PRODUCT, Query::all().descending(STOCK).page(0, 50)),
    ];
    let mut cost = |record: (ModelId, Key, Option<Record>)| -> Vec<(u64, bool)> {
        let applied = store.apply(Batch { records: vec![record], ..Batch::default() });
        let look = |live: &mut Live| {
            (live.looked_at, live.is_dirty) = (0, false);
            live.apply(&store, &applied);
            (live.looked_at, live.is_dirty)
        };
        lives.iter_mut().map(look).collect()
    };
    assert_eq!(cost(shelf("s1")), [(0, false); 3]);
    let costs = cost(product(500, 77));
    assert!(costs.iter().all(|(looked_at, is_dirty)| *looked_at < 60 && *is_dirty), "{costs:?}");
    // The last of the sorted page's order.
    let costs = cost(product(99_990, -1));
    assert!(costs.iter().all(|(looked_at, _)| *looked_at < 60), "{costs:?}");
    assert!(!costs[2].1, "what is far behind the page does not change it");
}
