//! That a client which polls with the last `startedAt` misses no commit: by random interleavings of
//! the clock, the one writer and its readers, over the resolver's own rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{
    Field, FieldId, Key, Model, ModelId, Predicate, Record, Scalar, Schema, Timestamp, Value,
};
use espressync_resolver::{Caller, ConflictStrategy, MemoryTables, Rules, mutate};
use espressync_server::clock::{CommitClock, OpenCommit};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const READERS: usize = 3;
const RECORDS: u8 = 6;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// The system's clock moves, perhaps back.
    Tick(i64),
    /// The writer opens a commit and carries out what eight clients wait for; nobody sees it yet.
    Begin(Vec<(u8, Operation)>),
    /// The commit becomes visible.
    Publish,
    /// The writer lets go of the commit's moment.
    End,
    /// A reader takes its horizon.
    Start(usize),
    /// That reader reads, in one snapshot.
    Read(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let operation = prop_oneof![
        2 => Just(Operation::Create),
        4 => Just(Operation::Update),
        1 => Just(Operation::Delete),
        1 => Just(Operation::Undelete),
    ];
    let step = prop_oneof![
        3 => (-20_i64..40).prop_map(Step::Tick),
        2 => prop::collection::vec((0..RECORDS, operation), 1..8).prop_map(Step::Begin),
        2 => Just(Step::Publish),
        2 => Just(Step::End),
        3 => (0..READERS).prop_map(Step::Start),
        3 => (0..READERS).prop_map(Step::Read),
    ];
    prop::collection::vec(step, 1..120)
}

/// How a reader takes the moment from which it asks next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Horizon {
    /// From the clock of commits, before it reads.
    Real,
    /// From the system's clock, as one would think at first.
    SystemTime,
}

#[derive(Debug, Clone, Default)]
struct Reader {
    /// The `startedAt` of its last sync.
    since: Timestamp,
    /// That of the sync under way.
    started: Option<Timestamp>,
    seen: BTreeMap<Key, Record>,
}

struct World {
    rules: Rules,
    horizon: Horizon,
    time: Arc<AtomicI64>,
    clock: Arc<CommitClock>,
    visible: MemoryTables,
    /// The commit under way, and whether it is visible.
    open: Option<(OpenCommit, MemoryTables, bool)>,
    readers: Vec<Reader>,
    writes: i64,
}

impl World {
    fn new(horizon: Horizon) -> Self {
        let model = Model::new("Cup", "Cups")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("n", Scalar::Int));
        let time = Arc::new(AtomicI64::new(1_000));
        let source = Arc::clone(&time);
        let now = move || Timestamp(source.load(Ordering::SeqCst));
        Self {
            rules: Rules::of(Schema::new(vec![model]), ConflictStrategy::AutoMerge),
            horizon,
            time,
            clock: CommitClock::new(now, Timestamp::ZERO),
            visible: MemoryTables::default(),
            open: None,
            readers: vec![Reader::default(); READERS],
            writes: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Tick(by) => {
                self.time.fetch_add(*by, Ordering::SeqCst);
            }
            Step::Begin(writes) if self.open.is_none() => self.begin(writes),
            Step::Publish => {
                if let Some((_, tables, is_visible)) = &mut self.open
                    && !*is_visible
                {
                    self.visible = tables.clone();
                    *is_visible = true;
                }
            }
            Step::End => drop(self.open.take_if(|(_, _, is_visible)| *is_visible)),
            Step::Start(reader) => {
                let started = match self.horizon {
                    Horizon::Real => self.clock.horizon(),
                    Horizon::SystemTime => Timestamp(self.time.load(Ordering::SeqCst)),
                };
                self.readers[*reader].started.get_or_insert(started);
            }
            Step::Read(reader) => self.readers[*reader].read(&self.visible),
            Step::Begin(_) => {}
        }
    }

    fn begin(&mut self, writes: &[(u8, Operation)]) {
        let open = self.clock.begin();
        let mut tables = self.visible.clone();
        for (record, operation) in writes {
            self.writes += 1;
            let key = Key::from(format!("cup-{record}"));
            let fields =
                [(FieldId(0), Value::from(key.as_str())), (FieldId(1), Value::from(self.writes))];
            let mutation = Mutation {
                model: ModelId(0),
                key,
                operation: *operation,
                fields: fields.into_iter().collect(),
                // Always on the newest version: what matters here is time.
                version: u64::from(u32::MAX),
                condition: Predicate::All,
                once: None,
            };
            let caller = Caller::Operator;
            let Ok(_) = mutate(&self.rules, &mut tables, &caller, &mutation, open.moment());
        }
        self.open = Some((open, tables, false));
    }

    /// Lets everything come to its end, and each reader poll once more.
    fn settle(&mut self) {
        self.step(&Step::Publish);
        self.step(&Step::End);
        for reader in 0..READERS {
            // One that has started before reads what was then, and polls again.
            for step in [Step::Read(reader), Step::Start(reader), Step::Read(reader)] {
                self.step(&step);
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let stored: BTreeMap<Key, Record> =
            self.visible.records().map(|(_, key, record)| (key.clone(), record.clone())).collect();
        for reader in &self.readers {
            prop_assert_eq!(&reader.seen, &stored);
        }
        Ok(())
    }
}

impl Reader {
    /// A delta sync: every change at or after the last `startedAt`, the last of each record.
    fn read(&mut self, tables: &MemoryTables) {
        let Some(started) = self.started.take() else { return };
        let changes = tables.journal().iter();
        for (_, key, record) in changes.filter(|(_, _, it)| it.meta.changed_at >= self.since) {
            self.seen.insert(key.clone(), record.clone());
        }
        self.since = started;
    }
}

fn run(steps: &[Step], horizon: Horizon) -> Result<(), TestCaseError> {
    let mut world = World::new(horizon);
    steps.iter().for_each(|step| world.step(step));
    world.settle();
    world.check()
}

#[test]
fn no_interleaving_makes_a_reader_miss_a_commit() {
    let config = ProptestConfig { cases: 5_000, failure_persistence: None, ..Default::default() };
    let checked = TestRunner::new(config).run(&steps(), |steps| run(&steps, Horizon::Real));
    checked.expect("nothing is missed");
}

/// The test is worth what it notices.
#[test]
fn readers_that_go_by_the_system_clock_miss_commits() {
    let config = ProptestConfig { cases: 5_000, failure_persistence: None, ..Default::default() };
    let checked = TestRunner::new(config).run(&steps(), |steps| run(&steps, Horizon::SystemTime));
    assert!(checked.is_err());
}
