use std::collections::BTreeMap;

use espressync_model::remote::{
    Answer, Change, Mutation, Operation, Request, SyncPage, SyncRequest,
};
use espressync_model::{Key, ModelId, Predicate, Record, Schema, Timestamp, Value};
use espressync_resolver::{
    Caller, ConflictStrategy, Decision, MemoryTables, Outcome, Resolution, Rules as ApiRules,
    SyncSource, Tables, mutate, settle, sync_source,
};
use espressync_sync::LinkId;

use super::ledger::Ledger;
use super::schema::{PRODUCT, PRODUCT_FIELDS, schema};

/// How many products the shop has.
const PRODUCTS: usize = 4;
/// How many rows the server looks at for a page: small, so that syncs have many.
const PAGE: usize = 7;

/// What the server does with an update on an older version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// What the real server does under this strategy.
    Real(ConflictStrategy),
    /// Writes the client's old row over the new one: what the simulator must notice.
    BrokenMerge,
    /// Forgets to look whether a create is a repeat, and makes a second record: what the
    /// simulator must notice.
    BrokenCreate,
    /// Does not know the names of mutations that must not count twice, as AppSync does not: what
    /// the simulator must notice.
    Nameless,
}

/// The server: the resolver's rules over tables in memory.
#[derive(Debug)]
pub struct Server {
    api: ApiRules,
    caller: Caller,
    rules: Rules,
    window: u64,
    tables: MemoryTables,
    subscribers: BTreeMap<usize, LinkId>,
    mutations: usize,
}

impl Server {
    /// An empty server; its journal reaches back `window` milliseconds.
    #[must_use]
    pub fn new(schema: Schema, rules: Rules, window: u64) -> Self {
        let strategy = match rules {
            Rules::Real(strategy) => strategy,
            Rules::BrokenMerge | Rules::BrokenCreate | Rules::Nameless => {
                ConflictStrategy::AutoMerge
            }
        };
        Self {
            api: ApiRules::of(schema, strategy),
            caller: Caller::with_api_key(),
            rules,
            window,
            tables: MemoryTables::default(),
            subscribers: BTreeMap::new(),
            mutations: 0,
        }
    }

    /// A server with a small catalog, which the ledger notes.
    pub(super) fn with_products(rules: Rules, window: u64, ledger: &mut Ledger) -> Self {
        let mut server = Self::new(schema(), rules, window);
        for number in 0..PRODUCTS {
            let key = Key::from(format!("product-{number}"));
            let mut fields: Vec<_> = PRODUCT_FIELDS.map(|field| (field, "new".into())).into();
            fields.push((espressync_model::FieldId(0), Value::from(key.as_str())));
            let mutation = Mutation {
                model: PRODUCT,
                key: key.clone(),
                operation: Operation::Create,
                fields: fields.into_iter().collect(),
                version: 0,
                condition: Predicate::All,
                once: None,
            };
            let _ = server.mutate(Timestamp(1), &mutation);
            ledger.note_product(key);
        }
        server
    }

    /// How many mutations arrived.
    #[must_use]
    pub fn mutations(&self) -> usize {
        self.mutations
    }

    /// The live records of a model.
    #[must_use]
    pub fn live(&self, model: ModelId) -> BTreeMap<Key, Record> {
        let records =
            self.tables.records().filter(|(of, _, record)| *of == model && !record.meta.deleted);
        records.map(|(_, key, record)| (key.clone(), record.clone())).collect()
    }

    pub(super) fn subscribe(&mut self, till: usize, id: LinkId) {
        self.subscribers.insert(till, id);
    }

    /// Ends a till's connection: this one, or whichever it has.
    pub(super) fn unsubscribe(&mut self, till: usize, id: Option<LinkId>) {
        let current = self.subscribers.get(&till).copied();
        if id.is_none() || id == current {
            self.subscribers.remove(&till);
        }
    }

    pub(super) fn subscribers(&self) -> Vec<(usize, LinkId)> {
        self.subscribers.iter().map(|(till, id)| (*till, *id)).collect()
    }

    /// Answers a request, and says what to tell the subscribers.
    pub fn answer(&mut self, now: Timestamp, request: Request) -> (Answer, Vec<Change>) {
        match request {
            Request::Mutate(mutations) => {
                let mut changes = Vec::new();
                let answers = mutations.iter().map(|mutation| match self.mutate(now, mutation) {
                    Outcome::Written(change) => {
                        changes.push(change.clone());
                        Ok(change.record)
                    }
                    Outcome::Unchanged(record) => Ok(record),
                    Outcome::Refused(error) => Err(error),
                    Outcome::Contested(stored) => unreachable!("{stored:?} was decided about"),
                });
                (Answer::Mutate(answers.collect()), changes)
            }
            Request::Sync(request) => (Answer::Sync(self.page(now, &request)), Vec::new()),
            Request::Get(model, key) => {
                let Ok(record) = self.tables.record(model, &key);
                (Answer::Get(record), Vec::new())
            }
        }
    }

    fn mutate(&mut self, now: Timestamp, mutation: &Mutation) -> Outcome {
        self.mutations += 1;
        let mut mutation = mutation.clone();
        match self.rules {
            Rules::Real(_) => {}
            Rules::BrokenMerge => self.overwrite_with_old_row(&mut mutation),
            Rules::BrokenCreate => self.make_second(&mut mutation),
            Rules::Nameless => mutation.once = None,
        }
        let Ok(outcome) = mutate(&self.api, &mut self.tables, &self.caller, &mutation, now);
        let Outcome::Contested(stored) = outcome else { return outcome };
        let decision = decide(&mutation, &stored);
        let (tables, caller) = (&mut self.tables, &self.caller);
        let Ok(outcome) = settle(&self.api, tables, caller, &mutation, &decision, now);
        outcome
    }

    fn overwrite_with_old_row(&mut self, mutation: &mut Mutation) {
        let Ok(stored) = self.tables.record(mutation.model, &mutation.key);
        let Ok(base) = self.tables.row_at(mutation.model, &mutation.key, mutation.version);
        if let (Operation::Update, Some(stored), Some(base)) = (mutation.operation, stored, base) {
            for (field, _) in self.api.schema().model(mutation.model).fields() {
                if mutation.fields.get(field).is_none() {
                    mutation.fields.set(field, base.get(field).clone());
                }
            }
            mutation.version = stored.meta.version;
        }
    }

    fn make_second(&mut self, mutation: &mut Mutation) {
        let Ok(stored) = self.tables.record(mutation.model, &mutation.key);
        if mutation.operation == Operation::Create && stored.is_some() {
            mutation.key = Key::from(format!("{}-again-{}", mutation.key, self.mutations));
            mutation.fields.set(espressync_model::FieldId(0), mutation.key.as_str().into());
        }
    }

    /// One page. A token is `<source>:<started at>:<rows passed>`; while a base sync is paged
    /// through, writes go on, as they do on a real server.
    fn page(&self, now: Timestamp, request: &SyncRequest) -> SyncPage {
        let (source, started_at, passed) = match &request.next_token {
            None => (sync_source(request.last_sync, now, self.window), now, Passed::None),
            Some(token) => read_token(token),
        };
        let rows: Vec<(Passed, Record)> = match source {
            SyncSource::Base => self
                .tables
                .records()
                .filter(|(model, key, _)| *model == request.model && passed.is_before_key(key))
                .map(|(_, key, record)| (Passed::Key(key.clone()), record.clone()))
                .take(PAGE + 1)
                .collect(),
            SyncSource::Delta(since) => (self.tables.journal().iter().enumerate())
                .filter(|(index, (model, _, record))| {
                    *model == request.model
                        && record.meta.changed_at >= since
                        && passed.is_before_entry(*index)
                })
                .map(|(index, (_, _, record))| (Passed::Entry(index), record.clone()))
                .take(PAGE + 1)
                .collect(),
        };
        let has_more = rows.len() > PAGE;
        let last = rows.iter().take(PAGE).next_back().map(|(passed, _)| passed);
        let next_token =
            last.filter(|_| has_more).map(|passed| write_token(source, started_at, passed));
        SyncPage {
            records: rows.iter().take(PAGE).map(|(_, record)| record.clone()).collect(),
            next_token,
            started_at,
            is_base: source == SyncSource::Base && request.last_sync.is_some(),
            unreadable: Vec::new(),
        }
    }
}

/// A conflict handler: deletes are carried out, what is filled stays, lists are united. Asked twice
/// about one write, it changes nothing the second time.
fn decide(mutation: &Mutation, stored: &Record) -> Decision {
    let fields = mutation.fields.iter();
    let united = fields.map(|(field, incoming)| (field, unite(stored.row.get(field), incoming)));
    let resolution = match mutation.operation {
        Operation::Delete => Resolution::Remove,
        Operation::Create | Operation::Update | Operation::Undelete => {
            Resolution::Resolve(united.collect())
        }
    };
    Decision { version: stored.meta.version, resolution }
}

fn unite(stored: &Value, incoming: &Value) -> Value {
    match (stored, incoming) {
        (Value::Null, incoming) => incoming.clone(),
        (Value::List(stored), Value::List(incoming)) => {
            let new = incoming.iter().filter(|element| !stored.contains(element));
            Value::List(stored.iter().chain(new).cloned().collect())
        }
        _ => stored.clone(),
    }
}

/// How far a sync has come.
#[derive(Debug, Clone)]
enum Passed {
    None,
    Key(Key),
    Entry(usize),
}

impl Passed {
    fn is_before_key(&self, key: &Key) -> bool {
        if let Self::Key(passed) = self { passed < key } else { true }
    }

    fn is_before_entry(&self, index: usize) -> bool {
        if let Self::Entry(passed) = self { *passed < index } else { true }
    }
}

fn write_token(source: SyncSource, started_at: Timestamp, passed: &Passed) -> String {
    let source = match source {
        SyncSource::Base => "base".to_owned(),
        SyncSource::Delta(since) => since.0.to_string(),
    };
    let passed = match passed {
        Passed::None => String::new(),
        Passed::Key(key) => key.as_str().to_owned(),
        Passed::Entry(index) => index.to_string(),
    };
    format!("{source}:{}:{passed}", started_at.0)
}

fn read_token(token: &str) -> (SyncSource, Timestamp, Passed) {
    let mut parts = token.splitn(3, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (source, started_at, passed) = (part(), part(), part());
    let started_at = Timestamp(started_at.parse().unwrap_or_default());
    match source.parse() {
        Ok(since) => {
            let passed = passed.parse().map_or(Passed::None, Passed::Entry);
            (SyncSource::Delta(Timestamp(since)), started_at, passed)
        }
        Err(_) => (SyncSource::Base, started_at, Passed::Key(Key::from(passed))),
    }
}
