use std::rc::Rc;

use espressync_model::{Edit, Key, Patch, Predicate, Query, Row, Timestamp, Value};
use espressync_store::{Appended, LogRecord, MemoryStorage, Store};
use espressync_sync::{Config, Effect, Engine, Input, Intent, LinkId, SyncStatus, Write, prepare};

use super::ledger::Ledger;
use super::schema::{
    LINE, ORDER, PRODUCT, PRODUCT_FIELDS, PRODUCT_STOCK, PRODUCT_TAGS, schema, tags_of,
};

/// A till: what it has on disk, and its present life.
pub(super) struct Till {
    number: usize,
    disk: MemoryStorage,
    pub(super) store: Store,
    engine: Engine,
    /// Counts its lives; what was sent to an earlier one is lost.
    pub(super) life: u32,
    pub(super) is_online: bool,
    /// Its realtime connection.
    pub(super) link: Option<LinkId>,
    /// The deadline that is scheduled.
    pub(super) wake: Option<Timestamp>,
    /// Counts its writes, so that each writes something of its own.
    writes: u64,
}

impl Till {
    pub(super) fn new(number: usize, seed: u64) -> Self {
        let disk = MemoryStorage::new();
        let (store, engine) = open(&disk, seed);
        Self {
            number,
            disk,
            store,
            engine,
            life: 0,
            is_online: true,
            link: None,
            wake: None,
            writes: 0,
        }
    }

    /// Dies and starts again from its disk.
    pub(super) fn restart(&mut self, seed: u64) {
        (self.store, self.engine) = open(&self.disk, seed);
        self.life += 1;
        self.wake = None;
        self.link = None;
    }

    pub(super) fn status(&self) -> SyncStatus {
        self.engine.status(&self.store)
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.engine.next_deadline(&self.store)
    }

    pub(super) fn step(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        self.engine.step(now, &self.store, input)
    }

    /// Stores intents as the driver does: prepare, append, apply. Says whether all were taken.
    pub(super) fn commit(&mut self, intents: &[Intent]) -> bool {
        let prepared = prepare(&self.store, intents);
        if !prepared.batch.is_empty() {
            let bytes = self.store.batch_record(&prepared.batch);
            let appended = self.disk.append_now(self.store.position(), &bytes);
            let Appended::At(position) = appended else {
                unreachable!("a till's disk has one writer")
            };
            self.store.apply(prepared.batch);
            self.store.advance(position);
        }
        prepared.outcomes.iter().all(Result::is_ok)
    }

    /// The barista does something: mostly sells, sometimes edits the catalog, seldom clears a
    /// product away. What was stored is noted in the ledger.
    pub(super) fn act(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        self.writes += 1;
        match random.u8(0..24) {
            0..8 => self.sell(random, ledger),
            8..16 => self.edit(random, ledger),
            16..19 => self.tag(random, ledger),
            19..22 => self.count(random, ledger),
            22 => self.undelete(random, ledger),
            _ => self.delete(random, ledger),
        }
    }

    /// Takes a few out of the stock, or puts some in. Small numbers, so that tills do the same at
    /// the same time.
    fn count(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        let Some(key) = self.some_product(random) else { return };
        let amount = random.i64(-2..=1);
        let add = [(PRODUCT_STOCK, Value::from(amount))].into_iter().collect();
        let edit = Edit { set: Patch::default(), add };
        let condition = Predicate::All;
        let write = Write::Update { model: PRODUCT, key: key.clone(), edit, condition };
        if self.commit(&[Intent::Write(vec![write])]) {
            ledger.note_count(key, amount);
        }
    }

    fn sell(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        let order = format!("order-{}-{}", self.number, self.writes);
        let totals: Vec<i64> = (0..random.usize(1..4)).map(|_| random.i64(1..2_000)).collect();
        let total: i64 = totals.iter().sum();
        let row = |values: Vec<Value>| Row::new(values);
        let mut writes = vec![Write::save(ORDER, row(vec![order.as_str().into(), total.into()]))];
        for (number, line_total) in totals.iter().enumerate() {
            let line = format!("{order}-line-{number}");
            let values = vec![line.into(), order.as_str().into(), (*line_total).into()];
            writes.push(Write::save(LINE, row(values)));
        }
        if self.commit(&[Intent::Write(writes)]) {
            ledger.note_sale(Key::from(order), totals);
        }
    }

    fn edit(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        let Some(key) = self.some_product(random) else { return };
        // Mostly a field that is this till's own, so that its last word must stand.
        let own = self.number % PRODUCT_FIELDS.len();
        let index = if random.u8(0..8) > 0 { own } else { random.usize(0..PRODUCT_FIELDS.len()) };
        let field = PRODUCT_FIELDS[index];
        // Few values, so that edits are taken back and made again.
        let value = format!("till {} value {}", self.number, random.u8(0..2));
        let patch: Patch = [(field, Value::from(value.as_str()))].into_iter().collect();
        let write = Write::update(PRODUCT, key.clone(), patch);
        if self.commit(&[Intent::Write(vec![write])]) {
            ledger.note_edit(key, field, self.number, value);
        }
    }

    /// Adds a tag that nobody else adds. No tag is ever removed.
    fn tag(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        let Some(key) = self.some_product(random) else { return };
        let Some(product) = self.store.record(PRODUCT, &key) else { return };
        let tag = format!("till {} tag {}", self.number, self.writes);
        let mut tags = tags_of(&product.row);
        tags.push(Value::from(tag.as_str()));
        let patch: Patch = [(PRODUCT_TAGS, Value::List(tags.into()))].into_iter().collect();
        let write = Write::update(PRODUCT, key.clone(), patch);
        if self.commit(&[Intent::Write(vec![write])]) {
            ledger.note_tag(key, tag);
        }
    }

    fn delete(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        let Some(key) = self.some_product(random) else { return };
        // One product is never deleted, so that edits always have something to meet on.
        if key.as_str() != "product-0"
            && self.commit(&[Intent::Write(vec![Write::delete(PRODUCT, key.clone())])])
        {
            ledger.note_delete(key);
        }
    }

    fn undelete(&mut self, random: &mut fastrand::Rng, ledger: &mut Ledger) {
        let gone = self.store.rows(PRODUCT).filter(|(_, record)| record.meta.deleted);
        let gone: Vec<Key> = gone.map(|(key, _)| key.clone()).collect();
        let Some(key) = gone.get(random.usize(0..gone.len().max(1))).cloned() else { return };
        let write = Write::Undelete { model: PRODUCT, key: key.clone() };
        if self.commit(&[Intent::Write(vec![write])]) {
            ledger.note_undelete(key);
        }
    }

    fn some_product(&self, random: &mut fastrand::Rng) -> Option<Key> {
        let products = self.store.query(PRODUCT, &Query::all());
        let product = products.get(random.usize(0..products.len().max(1)))?;
        self.store.schema().model(PRODUCT).key_of(&product.row).ok()
    }
}

/// A store and an engine from what is on the disk.
fn open(disk: &MemoryStorage, seed: u64) -> (Store, Engine) {
    let schema = Rc::new(schema());
    let opened = Store::open(Rc::clone(&schema), disk.contents());
    let (mut store, report) = opened.unwrap_or_else(|error| panic!("a till's disk: {error}"));
    assert!(report.unreadable.is_empty(), "a till's disk: {report:?}");
    if let Some(bytes) = store.layout_record() {
        let Appended::At(position) = disk.append_now(store.position(), &bytes) else {
            unreachable!("a till's disk has one writer")
        };
        let replayed = store.replay(&LogRecord { position, bytes });
        assert!(replayed.is_ok(), "a till's disk: {replayed:?}");
    }
    let config =
        Config { page_size: 7, mutations_per_request: 4, requests: 2, seed, ..Config::default() };
    (store, Engine::new(schema, config))
}
