//! Random writes against a naive store of maps: same answers, same rows, also after a restart.
//!
//! `WRITES_CASES=200000 cargo test --release -p espressync-sync --test model_based` looks further.

use std::collections::BTreeMap;
use std::rc::Rc;

use espressync_model::{
    Edit, Field, FieldId, Key, Meta, Model, ModelId, Predicate, Query, Record, RelationKind, Row,
    Scalar, Schema, Value,
};
use espressync_store::{LogPosition, LogRecord, Store};
use espressync_sync::{Intent, Target, Transact, Write, prepare};

const SHELF: ModelId = ModelId(0);
const PRODUCT: ModelId = ModelId(1);
const LABEL: ModelId = ModelId(2);

const NAME: FieldId = FieldId(1);
const LINK: FieldId = FieldId(2);
const STOCK: FieldId = FieldId(3);

/// Shelves have products, which have labels that cannot be without one.
fn schema(is_local: bool) -> Schema {
    let model = |name: &str, link: Field| {
        Model::new(name, format!("{name}s"))
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("name", Scalar::String))
            .field(link)
            .field(Field::new("stock", Scalar::Int))
    };
    let link = || Field::new("link", Scalar::Id);
    let (many, one) = (RelationKind::HasMany, RelationKind::BelongsTo);
    let schema = Schema::new(vec![
        model("Shelf", link()).relation("products", many, PRODUCT, vec![LINK]),
        model("Product", link()).relation("labels", many, LABEL, vec![LINK]).relation(
            "shelf",
            one,
            SHELF,
            vec![LINK],
        ),
        model("Label", link().required()).relation("product", one, PRODUCT, vec![LINK]),
    ]);
    if is_local { schema.local() } else { schema }
}

type Place = (ModelId, String);

/// A record as anyone would think of it.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    values: Vec<Value>,
    is_deleted: bool,
    /// Whether the server has it, so that its deletion leaves a trace.
    is_known: bool,
}

#[derive(Debug, Clone, Default)]
struct Naive {
    records: BTreeMap<Place, Kept>,
}

impl Naive {
    fn live(&self, model: ModelId, key: &str) -> Option<&Kept> {
        self.records.get(&(model, key.to_owned())).filter(|it| !it.is_deleted)
    }

    fn row(kept: &Kept) -> Row {
        Row::new(kept.values.clone())
    }

    fn parent_is_here(&self, model: ModelId, values: &[Value]) -> bool {
        let parent = values[LINK.index()].as_text().unwrap_or_default();
        model != LABEL || self.live(PRODUCT, parent).is_some()
    }

    /// What fits the type, for every write alike.
    fn fits(model: ModelId, values: &[Value]) -> bool {
        let stock = &values[STOCK.index()];
        let is_int = matches!(stock, Value::Int(number) if i32::try_from(*number).is_ok());
        (stock.is_null() || is_int) && (model != LABEL || !values[LINK.index()].is_null())
    }

    fn write(&mut self, write: &Write) -> Option<()> {
        match write {
            Write::Save { model, row, condition } => {
                let key = row.get(FieldId(0)).as_text()?.to_owned();
                let values = row.values().to_vec();
                if !Self::fits(*model, &values) {
                    return None;
                }
                let before = self.records.get(&(*model, key.clone())).cloned();
                if before
                    .as_ref()
                    .is_some_and(|it| it.is_deleted || !condition.matches(&Self::row(it)))
                {
                    return None;
                }
                let was = before.as_ref().map(|it| it.values[LINK.index()].clone());
                if was.as_ref() != Some(&values[LINK.index()])
                    && !self.parent_is_here(*model, &values)
                {
                    return None;
                }
                let is_known = before.is_some_and(|it| it.is_known);
                self.records.insert((*model, key), Kept { values, is_deleted: false, is_known });
            }
            Write::Update { model, key, edit, condition } => {
                let mut kept = self.live(*model, key.as_str())?.clone();
                if !condition.matches(&Self::row(&kept)) {
                    return None;
                }
                let was = kept.values[LINK.index()].clone();
                for (field, value) in edit.set.iter() {
                    kept.values[field.index()] = value.clone();
                }
                for (field, amount) in edit.add.iter() {
                    // Nothing added to nothing is nothing.
                    if *amount != Value::Int(0) {
                        kept.values[field.index()] = kept.values[field.index()].plus(amount)?;
                    }
                }
                let is_linked = kept.values[LINK.index()] == was;
                if !Self::fits(*model, &kept.values)
                    || !(is_linked || self.parent_is_here(*model, &kept.values))
                {
                    return None;
                }
                self.records.insert((*model, key.to_string()), kept);
            }
            Write::Delete { model, target: Target::Record(key, condition) } => {
                let kept = self.live(*model, key.as_str())?;
                if !condition.matches(&Self::row(kept)) {
                    return None;
                }
                self.delete(*model, key.as_str());
            }
            Write::Delete { model, target: Target::Matching(predicate) } => {
                let all = self.records.iter().filter(|((of, _), it)| {
                    of == model && !it.is_deleted && predicate.matches(&Self::row(it))
                });
                let keys: Vec<String> = all.map(|((_, key), _)| key.clone()).collect();
                keys.iter().for_each(|key| self.delete(*model, key));
            }
            Write::Undelete { model, key } => {
                self.records.get_mut(&(*model, key.to_string()))?.is_deleted = false;
            }
        }
        Some(())
    }

    fn delete(&mut self, model: ModelId, key: &str) {
        let Some(kept) = self.live(model, key).cloned() else { return };
        if let Some(children) = [PRODUCT, LABEL].get(model.index()) {
            let link = Value::from(key);
            let own = self.records.iter().filter(|((of, _), it)| {
                of == children && !it.is_deleted && it.values[LINK.index()] == link
            });
            let keys: Vec<String> = own.map(|((_, key), _)| key.clone()).collect();
            keys.iter().for_each(|key| self.delete(*children, key));
        }
        let place = (model, key.to_owned());
        if kept.is_known {
            self.records.insert(place, Kept { is_deleted: true, ..kept });
        } else {
            self.records.remove(&place);
        }
    }

    fn rows(&self, model: ModelId) -> Vec<Row> {
        let live = self.records.iter().filter(|((of, _), it)| *of == model && !it.is_deleted);
        live.map(|(_, kept)| Self::row(kept)).collect()
    }
}

struct Case {
    random: fastrand::Rng,
    store: Store,
    log: Vec<LogRecord>,
    naive: Naive,
    is_local: bool,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let is_local = random.u8(0..4) == 0;
        let store = Store::new(Rc::new(schema(is_local)));
        let (log, naive) = (Vec::new(), Naive::default());
        let mut case = Self { random, store, log, naive, is_local };
        let layout = case.store.layout_record();
        layout.into_iter().for_each(|bytes| case.append(bytes));
        if !is_local {
            for _ in 0..6 {
                let (model, row) = case.some_row();
                let key = row.get(FieldId(0)).as_text().unwrap_or_default().to_owned();
                let meta = Meta { version: 1, ..Meta::default() };
                let kept =
                    Kept { values: row.values().to_vec(), is_deleted: false, is_known: true };
                case.naive.records.insert((model, key), kept);
                case.store_all(&[Intent::Receive(model, vec![Record { row, meta }])]);
            }
        }
        case
    }

    fn append(&mut self, bytes: Vec<u8>) {
        let record = LogRecord { position: LogPosition(self.log.len() as u64 + 1), bytes };
        assert!(self.store.replay(&record).is_ok());
        self.log.push(record);
    }

    /// Stores as the driver does, through the log.
    fn store_all(&mut self, intents: &[Intent]) -> Vec<bool> {
        let prepared = prepare(&self.store, intents);
        if !prepared.batch.is_empty() {
            let bytes = self.store.batch_record(&prepared.batch);
            self.append(bytes);
        }
        prepared.outcomes.iter().map(Result::is_ok).collect()
    }

    fn some_key(&mut self) -> String {
        self.random.u8(0..4).to_string()
    }

    fn some_model(&mut self) -> ModelId {
        [SHELF, PRODUCT, LABEL][self.random.usize(0..3)]
    }

    fn some_name(&mut self) -> Value {
        [Value::Null, "a".into(), "b".into()][self.random.usize(0..3)].clone()
    }

    fn some_stock(&mut self) -> Value {
        let odd = [Value::Null, i64::from(i32::MAX).into(), (1_i64 << 40).into()];
        match self.random.usize(0..12) {
            number @ 0..3 => odd[number].clone(),
            _ => self.random.i64(-2..3).into(),
        }
    }

    fn some_row(&mut self) -> (ModelId, Row) {
        let model = self.some_model();
        let (key, link) = (self.some_key(), self.some_key());
        let link = if model != LABEL && self.random.bool() { Value::Null } else { link.into() };
        let (name, stock) = (self.some_name(), self.some_stock());
        (model, Row::new(vec![key.into(), name, link, stock]))
    }

    fn some_predicate(&mut self) -> Predicate {
        match self.random.u8(0..6) {
            0 => NAME.eq(self.some_name()),
            1 => STOCK.gt(0),
            _ => Predicate::All,
        }
    }

    fn some_write(&mut self) -> Write {
        let (model, key) = (self.some_model(), Key::from(self.some_key()));
        let condition = self.some_predicate();
        match self.random.u8(0..12) {
            0..4 => {
                let (model, row) = self.some_row();
                Write::Save { model, row, condition }
            }
            4..6 => {
                let field = [NAME, LINK, STOCK][self.random.usize(0..3)];
                let value = match field {
                    NAME => self.some_name(),
                    STOCK => self.some_stock(),
                    _ => self.some_key().into(),
                };
                let mut edit = Edit::default();
                edit.set.set(field, value);
                Write::Update { model, key, edit, condition }
            }
            6..8 => {
                let mut edit = Edit::default();
                edit.add.set(STOCK, self.random.i64(-2..3).into());
                if self.random.u8(0..4) == 0 {
                    edit.set.set(STOCK, self.random.i64(0..9).into());
                }
                Write::Update { model, key, edit, condition }
            }
            8..10 => Write::Delete { model, target: Target::Record(key, condition) },
            10 => Write::Delete { model, target: Target::Matching(condition) },
            _ => Write::Undelete { model, key },
        }
    }

    /// One write or several, as a batch or as a transaction; all or none in both stores.
    fn step(&mut self, place: &str) {
        let count = if self.random.bool() { 1 } else { self.random.usize(2..5) };
        let writes: Vec<Write> = (0..count).map(|_| self.some_write()).collect();
        let mut trial = self.naive.clone();
        let is_taken = writes.iter().all(|write| trial.write(write).is_some());
        if is_taken {
            self.naive = trial;
        }
        let intent = if self.random.bool() {
            Intent::Write(writes.clone())
        } else {
            let writes = writes.clone();
            Intent::Transact(Transact::new(move |transaction| {
                writes.iter().try_for_each(|write| transaction.write(write).map(|_| ()))
            }))
        };
        let taken = self.store_all(&[intent]);
        assert_eq!(taken, [is_taken], "{place}: {writes:?}");
        self.check(place, &writes);
    }

    fn check(&self, place: &str, writes: &[Write]) {
        for model in [SHELF, PRODUCT, LABEL] {
            let query = Query::all().ascending(FieldId(0));
            let found = self.store.query(model, &query);
            let rows: Vec<Row> = found.iter().map(|record| record.row.clone()).collect();
            assert_eq!(rows, self.naive.rows(model), "{place}: {writes:?}");
        }
        let owed = self.store.outbox().iter().count();
        assert!(!self.is_local || owed == 0, "{place}: a local store owes something");
    }

    fn restart(&mut self, place: &str) {
        let opened = Store::open(Rc::new(schema(self.is_local)), self.log.clone());
        let Ok((store, report)) = opened else { panic!("{place}: it does not open") };
        assert!(report.unreadable.is_empty());
        let waits = |store: &Store| -> Vec<_> {
            store.outbox().iter().map(|(of, key, it)| (of, key.clone(), it.clone())).collect()
        };
        assert_eq!(waits(&store), waits(&self.store), "{place}");
        self.store = store;
        self.check(place, &[]);
    }
}

#[test]
fn random_writes_do_what_a_naive_store_does() {
    let cases = std::env::var("WRITES_CASES").ok().and_then(|cases| cases.parse().ok());
    for seed in 0..cases.unwrap_or(10_000) {
        let mut case = Case::new(seed);
        for step in 0..12 {
            let place = format!("seed {seed}, step {step}");
            case.step(&place);
            if case.random.u8(0..6) == 0 {
                case.restart(&place);
            }
        }
    }
}
