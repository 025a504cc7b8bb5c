//! A scripted day on which one call to the storage fails: every call once, with every kind of
//! error. Who called gets that error, nothing that was acknowledged is lost, nothing that was not
//! is stored, and the day goes on as if nothing had been.

use std::cell::Cell;
use std::rc::Rc;

use espressync_client::{
    ClientError, ClientErrorKind, Config, DataStore, IfPending, Write, Writes,
};
use espressync_model::{
    Edit, Field, FieldId, Key, Model, ModelId, Patch, Predicate, Query, RelationKind, Row, Scalar,
    Schema, Value,
};
use espressync_resolver::ConflictStrategy;
use espressync_store::{
    Appended, Contents, Durability, Fold, Folded, LogPosition, LogRecord, MemoryStorage, SegmentId,
    Storage, StoreError, StoreErrorKind,
};
use espressync_testkit::fakes::{HandClock, Line};
use espressync_testkit::fleet::{Rules, Server};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

const SHELF: ModelId = ModelId(0);
const PRODUCT: ModelId = ModelId(1);
const STOCK: FieldId = FieldId(2);

/// A storage of which the call of one number fails. Clones share it, and the count.
#[derive(Debug, Clone, Default)]
struct Failing {
    log: MemoryStorage,
    calls: Rc<Cell<usize>>,
    fault: Rc<Cell<Option<(usize, StoreErrorKind)>>>,
}

impl Failing {
    fn call(&self) -> Result<(), StoreError> {
        self.calls.set(self.calls.get() + 1);
        match self.fault.get() {
            Some((number, kind)) if number == self.calls.get() => {
                Err(StoreError::new(kind, format!("call {number} is told to fail")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Storage for Failing {
    async fn load(&self) -> Result<Contents, StoreError> {
        self.call()?;
        self.log.load().await
    }

    async fn load_after(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError> {
        self.call()?;
        self.log.load_after(after).await
    }

    async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Appended, StoreError> {
        self.call()?;
        self.log.append(last, bytes, durability).await
    }

    async fn replace(&self, last: LogPosition, bytes: &[u8]) -> Result<Appended, StoreError> {
        self.call()?;
        self.log.replace(last, bytes).await
    }

    async fn stage(&self, segments: &[Vec<u8>]) -> Result<Vec<SegmentId>, StoreError> {
        self.call()?;
        self.log.stage(segments).await
    }

    async fn fold(&self, fold: Fold<'_>) -> Result<Folded, StoreError> {
        self.call()?;
        self.log.fold(fold).await
    }
}

fn schema(is_local: bool) -> Schema {
    let model = |name: &str| {
        Model::new(name, format!("{name}s"))
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("link", Scalar::Id))
            .field(Field::new("stock", Scalar::Int))
    };
    let many = RelationKind::HasMany;
    let shelf = model("Shelf").relation("products", many, PRODUCT, vec![FieldId(1)]);
    let schema = Schema::new(vec![shelf, model("Product")]);
    if is_local { schema.local() } else { schema }
}

fn save(model: ModelId, id: &str, link: &str, stock: i64) -> Write {
    Write::save(model, Row::new(vec![id.into(), link.into(), stock.into()]))
}

fn stocked(key: &str, stock: i64) -> Write {
    let set: Patch = [(STOCK, Value::from(stock))].into_iter().collect();
    Write::update(SHELF, key, set)
}

fn more(key: &str) -> Write {
    let add = [(STOCK, Value::from(2))].into_iter().collect();
    let edit = Edit { set: Patch::default(), add };
    Write::Update { model: SHELF, key: key.into(), edit, condition: Predicate::All }
}

const STEPS: usize = 11;

/// One thing that is done in the day, in one of two tabs.
async fn step(number: usize, tabs: &[DataStore]) -> Result<(), ClientError> {
    let (one, two) = (&tabs[0], &tabs[1]);
    let writes = |writes: Vec<Write>| writes.into_iter().fold(Writes::new(), Writes::and);
    let shelf = || save(SHELF, "s", "", 1);
    let (tab, all) = match number {
        0 => (one, vec![shelf(), save(PRODUCT, "p", "s", 1), save(PRODUCT, "q", "s", 2)]),
        1 => (two, vec![save(SHELF, "t", "", 5), stocked("t", 6)]),
        // Nothing changes, and what is refused is refused, after a look at what others did.
        2 => (one, vec![shelf()]),
        3 => (two, vec![stocked("nowhere", 1)]),
        4 => {
            let adding = |transaction: &mut espressync_client::Transaction<'_, '_>| {
                transaction.write(&more("s"))?;
                transaction.write(&more("t"))?;
                Ok::<(), ClientError>(())
            };
            return two.transaction(adding).await;
        }
        5 => (one, vec![Write::delete(SHELF, "s")]),
        6 => return one.clear(IfPending::Refuse).await,
        7 => (two, vec![save(PRODUCT, "r", "t", 3)]),
        8 => return two.clear(IfPending::Lose).await,
        9 => (one, vec![save(SHELF, "s", "", 9)]),
        _ => (two, vec![Write::delete(SHELF, "s")]),
    };
    tab.write(writes(all)).await.map(|_| ())
}

/// All rows, and what is owed.
type State = (Vec<Row>, Vec<(ModelId, Key)>);

fn state(store: &DataStore) -> State {
    let rows = [SHELF, PRODUCT]
        .into_iter()
        .flat_map(|model| store.records(model, &Query::all()).expect("all can be asked for"));
    let owed = store.export_waiting().changes.into_iter().map(|it| (it.model, it.key));
    (rows.map(|record| record.row).collect(), owed.collect())
}

/// What the day without a fault comes to, step by step.
#[derive(Default)]
struct Expected {
    states: Vec<State>,
    outcomes: Vec<Option<ClientErrorKind>>,
}

struct Day {
    pool: LocalPool,
    disk: Failing,
    schema: Schema,
    place: String,
    /// How many calls were told to fail and seen by who called.
    seen: usize,
}

impl Day {
    fn open_on(&mut self, disk: Failing) -> Result<DataStore, ClientError> {
        let (schema, clock) = (self.schema.clone(), HandClock::default());
        let server = Server::new(schema.clone(), Rules::Real(ConflictStrategy::AutoMerge), 1_000);
        let line = Line::new(server, clock.clone());
        let opening = DataStore::open(schema, disk, line, clock, Config::default());
        let (store, driver, report) = self.pool.run_until(opening)?;
        assert!(report.unreadable.is_empty(), "{}", self.place);
        self.pool.spawner().spawn_local(driver.run()).expect("the pool is there");
        Ok(store)
    }

    fn open(&mut self) -> DataStore {
        self.open_on(self.disk.clone()).unwrap_or_else(|error| {
            self.notice(&error);
            self.open_on(self.disk.clone()).expect("the fault is gone")
        })
    }

    /// What whoever opens the storage now sees; its calls do not count.
    fn stored(&mut self) -> State {
        let disk = Failing { log: self.disk.log.clone(), ..Failing::default() };
        let store = self.open_on(disk).expect("there is no fault");
        state(&store)
    }

    /// An error of the fault, which comes once.
    fn notice(&mut self, error: &ClientError) {
        let kind = self.disk.fault.get().map(|(_, kind)| ClientErrorKind::Store(kind));
        assert_eq!(Some(error.kind()), kind, "{}: {error}", self.place);
        self.seen += 1;
    }

    /// Lives the day; what is expected is noted where it is not known yet.
    fn live(&mut self, expected: &mut Expected) {
        let tabs = [self.open(), self.open()];
        let mut before = State::default();
        for number in 0..STEPS {
            let mut views: Vec<State> = tabs.iter().map(state).collect();
            let mut done = self.pool.run_until(step(number, &tabs));
            let kind = self.disk.fault.get().map(|(_, kind)| ClientErrorKind::Store(kind));
            if let Err(error) = &done
                && Some(error.kind()) == kind
            {
                self.notice(error);
                assert_eq!(self.stored(), before, "{}: step {number} half done", self.place);
                views.push(before.clone());
                for tab in &tabs {
                    let shown = state(tab);
                    assert!(views.contains(&shown), "{}: step {number}: {shown:?}", self.place);
                }
                done = self.pool.run_until(step(number, &tabs));
            }
            let outcome = done.err().map(|error| error.kind());
            before = self.stored();
            if expected.states.len() == number {
                expected.states.push(before.clone());
                expected.outcomes.push(outcome);
            }
            assert_eq!(outcome, expected.outcomes[number], "{}: step {number}", self.place);
            assert_eq!(before, expected.states[number], "{}: step {number}", self.place);
            let shown = tabs.iter().any(|tab| state(tab) == before);
            assert!(shown, "{}: step {number} is shown by no tab", self.place);
        }
    }
}

fn day(is_local: bool, fault: Option<(usize, StoreErrorKind)>) -> Day {
    let disk = Failing::default();
    disk.fault.set(fault);
    let place = format!("local: {is_local}, fault: {fault:?}");
    Day { pool: LocalPool::new(), disk, schema: schema(is_local), place, seen: 0 }
}

#[test]
fn whichever_call_fails_nothing_is_lost_and_nothing_half_done() {
    let kinds = [StoreErrorKind::Aborted, StoreErrorKind::Quota, StoreErrorKind::Closed];
    for is_local in [true, false] {
        let mut expected = Expected::default();
        let mut good = day(is_local, None);
        good.live(&mut expected);
        let calls = good.disk.calls.get();
        assert!(calls >= 15, "{calls} calls to the storage are few");
        for number in 1..=calls {
            for kind in kinds {
                let mut bad = day(is_local, Some((number, kind)));
                bad.live(&mut expected);
                assert_eq!(bad.seen, 1, "{}: the error was swallowed", bad.place);
            }
        }
    }
}
