//! Random days of a whole DataStore in two tabs against a naive one: same answers, same events,
//! same live queries, also after either tab was closed and opened again.
//!
//! `DATA_STORE_CASES=200000 cargo test -p espressync-testkit --test data_store` looks further.

mod naive;
mod random;

use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_client::{Change, ChangeKind, Config, DataStore, Snapshot, Write, Writes};
use espressync_model::remote::{Answer, Mutation, Operation, Request};
use espressync_model::{
    Aggregate, Bookmark, Field, Key, Model, ModelId, OnDelete, Patch, Predicate, Query, Record,
    RelationKind, Row, Scalar, Schema, Value,
};
use espressync_resolver::ConflictStrategy;
use espressync_testkit::fakes::{FaultyDisk, HandClock, Line};
use espressync_testkit::fleet::{Rules as ServerRules, Server};
use futures::executor::LocalPool;
use futures::future::join_all;
use futures::stream::LocalBoxStream;
use futures::task::LocalSpawnExt;
use futures::{FutureExt, StreamExt};

use naive::{ID, Kept, LABEL, LINK, NAME, Naive, PRICE, PRODUCT, Rules, SHELF, STOCK};
use random::Random;

const MODELS: [ModelId; 3] = [SHELF, PRODUCT, LABEL];

/// Seeds that once failed run first, for ever. 6813: one added to nothing and taken away again
/// was nothing, and is 0. 6963: an index over one field twice, from a sort that named it twice,
/// answered `stock = 2 and stock = null` with those that have 2.
const REGRESSIONS: [u64; 2] = [6813, 6963];

/// Shelves have products, which have labels.
fn schema(rules: &Rules, is_local: bool) -> Schema {
    let model = |name: &str, link: Field| {
        Model::new(name, format!("{name}s"))
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("name", Scalar::String))
            .field(link)
            .field(Field::new("stock", Scalar::Int))
            .field(Field::new("price", Scalar::Float))
            .field(Field::new("tags", Scalar::String).list(true))
    };
    let link = || Field::new("link", Scalar::Id);
    let bound = if rules.is_label_bound { link().required() } else { link() };
    let (many, one) = (RelationKind::HasMany, RelationKind::BelongsTo);
    let schema = Schema::new(vec![
        model("Shelf", link()).relation("products", many, PRODUCT, vec![LINK]).index(
            "byNameAndStock",
            vec![NAME, STOCK],
            None,
        ),
        model("Product", link()).relation("labels", many, LABEL, vec![LINK]).relation(
            "shelf",
            one,
            SHELF,
            vec![LINK],
        ),
        model("Label", bound).relation("product", one, PRODUCT, vec![LINK]),
    ]);
    let schema = schema.on_delete("Shelf", "products", rules.on_delete[0]).expect("it is there");
    let schema = schema.on_delete("Product", "labels", rules.on_delete[1]).expect("it is there");
    if is_local { schema.local() } else { schema }
}

/// What a tab shows, and what it has told so far.
struct Tab {
    store: DataStore,
    events: LocalBoxStream<'static, Change>,
    /// The rows as the events tell them.
    told: BTreeMap<(usize, Key), Row>,
    live: LocalBoxStream<'static, Snapshot<Row>>,
    live_query: (ModelId, Query),
    shown: Rc<Vec<Rc<Row>>>,
    /// The naive store as it was when this tab last looked at the storage.
    view: Naive,
    /// How many batches it had seen then.
    seen: usize,
    bookmark: Option<(ModelId, Query, Bookmark)>,
}

struct Case {
    place: String,
    random: Random,
    pool: LocalPool,
    disk: FaultyDisk,
    line: Line,
    clock: HandClock,
    schema: Schema,
    is_local: bool,
    naive: Naive,
    batches: usize,
    tabs: Vec<Tab>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let choices = [OnDelete::Cascade, OnDelete::Restrict, OnDelete::SetNull];
        let on_delete = [choices[random.below(3)], choices[random.below(3)]];
        let rules = Rules { on_delete, is_label_bound: random.0.bool() };
        let is_local = random.once_in(3);
        let (schema, clock) = (schema(&rules, is_local), HandClock::default());
        let real = ServerRules::Real(ConflictStrategy::AutoMerge);
        let line = Line::new(Server::new(schema.clone(), real, 1_000), clock.clone());
        let mut case = Self {
            place: format!("seed {seed}, at first"),
            random,
            pool: LocalPool::new(),
            disk: FaultyDisk::default(),
            line,
            clock,
            schema,
            is_local,
            naive: Naive::new(rules),
            batches: 0,
            tabs: Vec::new(),
        };
        if !is_local {
            case.sync_some();
        }
        for _ in 0..2 {
            let tab = case.open();
            case.tabs.push(tab);
        }
        case
    }

    /// Has the storage filled by a server that is never seen again.
    fn sync_some(&mut self) {
        let mut made: Vec<(ModelId, Row)> = Vec::new();
        for _ in 0..6 {
            let (model, row) = (self.random.model(), self.random.row());
            let key = Key::of([row.get(ID)]).expect("it has a key");
            let definition = self.schema.model(model);
            if definition.check(&self.schema, &row).is_err()
                || made.iter().any(|it| it.0 == model && it.1.get(ID) == row.get(ID))
            {
                continue;
            }
            let create = Mutation {
                model,
                key,
                operation: Operation::Create,
                fields: Patch::whole(&row),
                version: 0,
                condition: Predicate::All,
                once: None,
            };
            let answer = self.line.ask_directly(Request::Mutate(vec![create]));
            assert!(matches!(answer, Answer::Mutate(it) if it[0].is_ok()), "{row:?}");
            made.push((model, row));
        }
        let store = self.open_store();
        store.start();
        self.pool.run_until_stalled();
        let count: usize = MODELS
            .iter()
            .map(|it| store.count(*it, &Predicate::All).expect("it can be asked"))
            .sum();
        assert_eq!(count, made.len(), "{}: not all was synced", self.place);
        for model in MODELS {
            for record in store.records(model, &Query::all()).expect("it can be asked") {
                self.naive.receive(model, record.row.values());
            }
        }
        self.line.cut(true);
        self.pool.run_until(store.close());
    }

    fn open_store(&mut self) -> DataStore {
        let (schema, line, clock) = (self.schema.clone(), self.line.clone(), self.clock.clone());
        let opening = DataStore::open(schema, self.disk.clone(), line, clock, Config::default());
        let (store, driver, report) = self.pool.run_until(opening).expect("the disk is good");
        assert!(report.unreadable.is_empty(), "{}", self.place);
        self.pool.spawner().spawn_local(driver.run()).expect("the pool is there");
        store
    }

    fn open(&mut self) -> Tab {
        let store = self.open_store();
        let model = self.random.model();
        let query = self.random.query(model);
        let live = store.observe_rows(model, query.clone()).expect("it can be asked");
        let told = MODELS.into_iter().flat_map(|model| {
            let key = move |it: &Kept| ((model.index(), Key::from(&it.key)), row(it));
            self.naive.all(model).into_iter().map(key).collect::<Vec<_>>()
        });
        Tab {
            events: store.observe(None).boxed_local(),
            told: told.collect(),
            live: live.map(|shown| shown.expect("rows are rows")).boxed_local(),
            live_query: (model, query),
            shown: Rc::default(),
            view: self.naive.clone(),
            seen: self.batches,
            bookmark: None,
            store,
        }
    }

    /// Some writes at one moment in one of the tabs, as runs or as transactions.
    fn write(&mut self) {
        let tab = self.random.below(2);
        let runs = if self.random.once_in(4) { 2 } else { 1 };
        let runs: Vec<Vec<Write>> = (0..runs)
            .map(|_| {
                let count = if self.random.0.bool() { 1 } else { 1 + self.random.below(4) };
                (0..count).map(|_| self.random.write()).collect()
            })
            .collect();
        let before = self.naive.clone();
        let is_behind = self.tabs[tab].seen < self.batches;
        self.batches += 1;
        let taken = self.naive.batch(&runs);
        self.place = format!("{}: {runs:?}", self.place);
        let store = self.tabs[tab].store.clone();
        let writing = runs.into_iter().map(|writes| {
            let (store, is_transaction) = (store.clone(), self.random.0.bool());
            async move {
                if is_transaction {
                    transact(&store, writes).await
                } else {
                    run(&store, writes).await
                }
            }
        });
        let writing: Vec<_> = writing.collect();
        let found = self.pool.run_until(join_all(writing));
        assert_eq!(found, taken, "{}", self.place);
        self.pool.run_until_stalled();
        (self.tabs[tab].view, self.tabs[tab].seen) = (self.naive.clone(), self.batches);
        let told = self.hear(tab);
        if !is_behind {
            assert_eq!(told, changes(&before, &self.naive), "{}: events", self.place);
        }
    }

    /// Repeats what a tab told, and says how many events there were.
    fn hear(&mut self, tab: usize) -> usize {
        let (place, tab) = (&self.place, &mut self.tabs[tab]);
        let mut count = 0;
        while let Some(Some(change)) = tab.events.next().now_or_never() {
            let at = (change.model.index(), change.key.clone());
            let row = change.record.row.clone();
            let was = tab.told.get(&at);
            let fits = match change.kind {
                ChangeKind::Insert => was.is_none(),
                ChangeKind::Update => was.is_some_and(|was| *was != row),
                ChangeKind::Delete => was.is_some(),
            };
            assert!(fits, "{place}: {change:?} after {was:?}");
            match change.kind {
                ChangeKind::Delete => tab.told.remove(&at),
                ChangeKind::Insert | ChangeKind::Update => tab.told.insert(at, row),
            };
            count += 1;
        }
        while let Some(Some(snapshot)) = tab.live.next().now_or_never() {
            tab.shown = snapshot.items;
        }
        count
    }

    fn check(&mut self, number: usize) {
        self.hear(number);
        let (place, random) = (&self.place, &mut self.random);
        let tab = &mut self.tabs[number];
        let naive = &tab.view;
        for model in MODELS {
            let rows = rows(tab.store.records(model, &Query::all()).expect("it can be asked"));
            assert_eq!(rows, naive.answer(model, &Query::all()), "{place}: tab {number}");
            let told = tab.told.iter().filter(|((of, _), _)| *of == model.index());
            let told: Vec<Row> = told.map(|(_, row)| row.clone()).collect();
            let by_key = naive.answer(model, &Query::all().ascending(ID));
            assert_eq!(told, by_key, "{place}: what tab {number} told");
            let key = random.key();
            let found = tab.store.record(model, &Key::from(&key)).expect("it can be asked");
            let expected = naive.live(model, &key).map(row);
            assert_eq!(found.map(|record| record.row), expected, "{place}: {key}");
        }
        let (model, query) = &tab.live_query;
        let shown: Vec<Row> = tab.shown.iter().map(|row| (**row).clone()).collect();
        let expected = naive.answer(*model, query);
        assert_eq!(shown, expected, "{place}: live in tab {number}: {query:?}");
        for _ in 0..3 {
            let model = random.model();
            let query = random.query(model);
            check_query(place, tab, model, query);
            let predicate = random.predicate(model, 2);
            check_groups(place, &tab.store, &tab.view, model, &predicate);
        }
        if let Some((model, query, bookmark)) = tab.bookmark.take() {
            let query = query.after(bookmark);
            let page = tab.store.record_page(model, &query).expect("it can be asked");
            let expected = tab.view.answer(model, &query);
            assert_eq!(rows(page.items), expected, "{place}: {query:?}");
            let query = Query { after: None, ..query };
            tab.bookmark = page.next.map(|next| (model, query, next));
        }
        let owed = tab.store.export_waiting().changes.len();
        assert!(!self.is_local || owed == 0, "{place}: a local store owes something");
    }

    fn step(&mut self) {
        if self.random.once_in(6) {
            let tab = self.random.below(2);
            let closing = self.tabs[tab].store.clone();
            self.pool.run_until(async move { closing.close().await });
            self.tabs[tab] = self.open();
        } else {
            self.write();
        }
        self.check(0);
        self.check(1);
    }
}

fn row(kept: &Kept) -> Row {
    Row::new(kept.values.clone())
}

fn rows(records: Vec<Record>) -> Vec<Row> {
    records.into_iter().map(|record| record.row).collect()
}

async fn run(store: &DataStore, writes: Vec<Write>) -> bool {
    store.write(writes.into_iter().fold(Writes::new(), Writes::and)).await.is_ok()
}

async fn transact(store: &DataStore, writes: Vec<Write>) -> bool {
    let done = store.transaction(move |transaction| {
        for write in &writes {
            transaction.write(write).map_err(espressync_client::ClientError::from)?;
        }
        Ok::<(), espressync_client::ClientError>(())
    });
    done.await.is_ok()
}

/// How many records are visibly others.
fn changes(before: &Naive, after: &Naive) -> usize {
    let live = |naive: &Naive| -> Vec<(ModelId, String, Vec<Value>)> {
        let live = naive.rows.iter().filter(|it| !it.is_deleted);
        live.map(|it| (it.model, it.key.clone(), it.values.clone())).collect()
    };
    let (before, after) = (live(before), live(after));
    let is_in = |list: &[(ModelId, String, Vec<Value>)], it: &(ModelId, String, Vec<Value>)| {
        list.iter().any(|other| (other.0, &other.1) == (it.0, &it.1))
    };
    let gone = before.iter().filter(|it| !is_in(&after, it)).count();
    gone + after.iter().filter(|it| !before.contains(it)).count()
}

fn check_query(place: &str, tab: &mut Tab, model: ModelId, query: Query) {
    let found = rows(tab.store.records(model, &query).expect("it can be asked"));
    assert_eq!(found, tab.view.answer(model, &query), "{place}: {query:?}");
    // Page after page it is all of the answer.
    let whole = Query { page: None, ..query.clone() };
    let all = tab.view.answer(model, &whole);
    let count = tab.store.count(model, &query.predicate).expect("it can be asked");
    assert_eq!(count, all.len(), "{place}: {query:?}");
    let paged = whole.limit(2);
    let (mut walked, mut after) = (Vec::new(), None);
    for _ in 0..=all.len() {
        let page = Query { after: after.clone(), ..paged.clone() };
        let page = tab.store.record_page(model, &page).expect("it can be asked");
        walked.extend(rows(page.items));
        match page.next {
            None => break,
            Some(next) => after = Some(next),
        }
        if tab.bookmark.is_none() {
            tab.bookmark = after.clone().map(|after| (model, paged.clone(), after));
        }
    }
    assert_eq!(walked, all, "{place}: by pages of {query:?}");
}

/// Checks counts, sums and extremes by groups of a name.
fn check_groups(place: &str, store: &DataStore, naive: &Naive, model: ModelId, of: &Predicate) {
    let asked = [
        Aggregate::Count,
        Aggregate::Sum(STOCK),
        Aggregate::Sum(PRICE),
        Aggregate::Min(STOCK),
        Aggregate::Max(NAME),
    ];
    let found = store.aggregate(model, of, &[NAME], &asked).expect("it can be asked");
    let found: Vec<(Value, Vec<Value>)> =
        found.into_iter().map(|mut it| (it.by.remove(0), it.values)).collect();
    let mut groups: Vec<(Value, Vec<Row>)> = Vec::new();
    for row in naive.answer(model, &Query::filter(of.clone()).ascending(NAME)) {
        match groups.last_mut() {
            Some((name, rows)) if name == row.get(NAME) => rows.push(row),
            _ => groups.push((row.get(NAME).clone(), vec![row])),
        }
    }
    let expected = groups.into_iter().map(|(name, rows)| {
        let stocks: Vec<i64> = rows
            .iter()
            .filter_map(|row| if let Value::Int(it) = row.get(STOCK) { Some(*it) } else { None })
            .collect();
        let prices: Vec<f64> = rows
            .iter()
            .filter_map(|row| if let Value::Float(it) = row.get(PRICE) { Some(*it) } else { None })
            .collect();
        let price: Value =
            if prices.is_empty() { 0.into() } else { prices.iter().sum::<f64>().into() };
        let values = vec![
            i64::try_from(rows.len()).expect("a few").into(),
            stocks.iter().sum::<i64>().into(),
            price,
            stocks.iter().min().copied().into(),
            name.clone(),
        ];
        (name, values)
    });
    let expected: Vec<(Value, Vec<Value>)> = expected.collect();
    assert_eq!(found, expected, "{place}: groups of {of:?}");
}

#[test]
fn random_days_are_those_of_a_naive_store() {
    let cases = std::env::var("DATA_STORE_CASES").ok().and_then(|cases| cases.parse().ok());
    for seed in REGRESSIONS.into_iter().chain(0..cases.unwrap_or(10_000)) {
        let mut case = Case::new(seed);
        for step in 0..10 {
            case.place = format!("seed {seed}, step {step}");
            case.step();
        }
    }
}
