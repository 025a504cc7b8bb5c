use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use espressync_model::Timestamp;
use espressync_model::remote::{Change, Mutation, RemoteError};
use espressync_resolver::{Caller, Decision, Outcome, mutate, settle};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::migrations::pushes;
use super::pace::{Pace, Took};
use super::shape::Shape;
use super::sweep::JournalStart;
use super::tables::SqliteTables;
use crate::backend::{Accepted, BackendError, Commit, Events};
use crate::clock::CommitClock;
use crate::conflicts::Attempt;

/// How many requests may wait. Beyond it a client is told to come again, which it does by itself.
const WAITING_JOBS: usize = 4096;

/// How many mutations share a commit at most (a request is never torn apart), so that the first
/// of them is not kept waiting for ever.
const BATCH_MUTATIONS: usize = 1024;

/// How often the writer looks for more while it waits for it.
const LOOK: Duration = Duration::from_micros(200);

type Answers = Vec<Attempt>;

/// The writer's door. Everything is written by one thread: it takes all that waits, carries it out
/// in one transaction with a savepoint per mutation, commits once, and only then answers and tells
/// subscribers. So a hundred tills pay for one flush of the disk, not for a hundred.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Job>>>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job {
    Write(Request),
    /// A chore that has a transaction of its own.
    Chore(Chore),
}

struct Request {
    caller: Arc<Caller>,
    tasks: Vec<Task>,
    answer: oneshot::Sender<Answers>,
}

/// What is done over the writer's connection, its answer sent.
type Chore = Box<dyn FnOnce(&Connection) + Send>;

/// A mutation, with what a conflict handler has decided about it where one was asked.
pub(super) struct Task {
    pub(super) mutation: Mutation,
    pub(super) decision: Option<Decision>,
}

/// What the thread works with.
pub(super) struct Parts {
    pub(super) connection: Connection,
    pub(super) shape: Arc<Shape>,
    pub(super) journal_start: Arc<JournalStart>,
    pub(super) clock: Arc<CommitClock>,
    pub(super) events: Arc<dyn Events>,
    /// How many pushes the file had seen when the schema was taken up.
    pub(super) pushes: i64,
    /// Told when it has seen more.
    pub(super) superseded: Arc<Notify>,
    /// Where those who ask wait for their answers.
    pub(super) runtime: Option<Handle>,
}

impl Writer {
    pub(super) fn start(parts: Parts) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(WAITING_JOBS);
        let waiting = Arc::new(AtomicUsize::new(0));
        let taken = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
        let thread = thread.spawn(move || parts.run(&jobs, &taken))?;
        let queue = Mutex::new(Some(queue));
        Ok(Self { queue, waiting, thread: Mutex::new(Some(thread)) })
    }

    /// Queues mutations; their answers come when they are durable.
    pub(super) fn write(
        &self,
        caller: Arc<Caller>,
        tasks: Vec<Task>,
    ) -> Result<oneshot::Receiver<Answers>, BackendError> {
        let (answer, answers) = oneshot::channel();
        self.queue(Job::Write(Request { caller, tasks, answer })).map(|()| answers)
    }

    /// Queues a chore; its answer comes when what it has done is durable.
    pub(super) fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, BackendError>>, BackendError> {
        let (answer, answers) = oneshot::channel();
        let chore = move |connection: &Connection| {
            // Whoever asked may have gone.
            let _ = answer.send(in_transaction(connection, work));
        };
        self.queue(Job::Chore(Box::new(chore))).map(|()| answers)
    }

    fn queue(&self, job: Job) -> Result<(), BackendError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(BackendError::ShuttingDown)?;
        // Counted before it can be taken.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let refused = match queue.try_send(job) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(_)) => BackendError::Busy,
            Err(TrySendError::Disconnected(_)) => BackendError::ShuttingDown,
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Err(refused)
    }

    /// How many jobs wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes no more jobs; the thread ends when those that wait are done.
    pub(super) fn close(&self) -> Option<JoinHandle<()>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Parts {
    fn run(self, jobs: &Receiver<Job>, waiting: &AtomicUsize) {
        let mut pace = Pace::default();
        while let Ok(job) = jobs.recv() {
            let (batch, chore) = gather(job, jobs, &pace);
            waiting.fetch_sub(batch.len() + usize::from(chore.is_some()), Ordering::Relaxed);
            if !batch.is_empty() {
                let (answered, began) = (batch.len(), Instant::now());
                let flush = self.carry_out(batch);
                let took = Took { all: began.elapsed(), flush };
                pace.learn(answered, waiting.load(Ordering::Relaxed), took);
            }
            if let Some(chore) = chore {
                self.run_chore(chore);
            }
        }
    }

    fn run_chore(&self, chore: Chore) {
        // What has panicked was rolled back on the way.
        if catch_unwind(AssertUnwindSafe(|| chore(&self.connection))).is_err() {
            tracing::error!("a chore of the writer has panicked");
        }
    }

    /// Commits a batch, then publishes its changes and answers. Returns how long it took to make
    /// what was written last.
    fn carry_out(&self, batch: Vec<Request>) -> Duration {
        let (open, began) = (self.clock.begin(), Instant::now());
        // A panic is a bug in one mutation's way: it costs this batch, not the server.
        let committed = catch_unwind(AssertUnwindSafe(|| self.commit(&batch, open.moment())));
        let committed = committed.unwrap_or_else(|_| {
            self.roll_back();
            Err(BackendError::Panicked)
        });
        drop(open);
        let Committed { outcomes, flush } = match committed {
            Ok(committed) => committed,
            Err(error @ BackendError::Superseded) => {
                tracing::info!(requests = batch.len(), "a push goes before a batch");
                self.superseded.notify_one();
                refuse(batch, &error);
                return Duration::ZERO;
            }
            Err(error) => {
                tracing::error!(%error, requests = batch.len(), "nothing of a batch was written");
                self.events.failed();
                refuse(batch, &error);
                return Duration::ZERO;
            }
        };
        let mut changes = Vec::new();
        let answers: Vec<_> = batch
            .into_iter()
            .zip(outcomes)
            .map(|(job, outcomes)| {
                let tried = job.tasks.into_iter().zip(outcomes);
                let answers = tried.map(|(task, tried)| answer(task, tried, &mut changes));
                (job.answer, answers.collect::<Answers>())
            })
            .collect();
        self.tell(answers.iter().flat_map(|(_, answers)| answers), began);
        self.events.publish(changes);
        self.send(answers);
        flush
    }

    /// Sends answers from a thread of the runtime, if there is one: waking a
    /// task from outside goes through the system, and the writer has the next batch to write.
    fn send(&self, answers: Vec<(oneshot::Sender<Answers>, Answers)>) {
        let send = move || {
            for (answer, answers) in answers {
                // Whoever asked may have gone.
                let _ = answer.send(answers);
            }
        };
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { send() })),
            None => send(),
        }
    }

    /// Says what became of the mutations, contested ones aside, which come again; a batch without
    /// any is a look whether the writer works.
    fn tell<'a>(&self, answers: impl Iterator<Item = &'a Attempt>, began: Instant) {
        let (mut accepted, mut refused) = (0, 0);
        for answer in answers {
            match answer {
                Attempt::Done(Ok(_)) => accepted += 1,
                Attempt::Done(Err(_)) => refused += 1,
                Attempt::Contested(..) => {}
            }
        }
        if accepted + refused > 0 {
            self.events.committed(&Commit { accepted, refused, took: began.elapsed() });
        }
    }

    /// A savepoint is hardly ever gone back to, so the batch is tried without, and once more with
    /// them if one of its mutations fails half-way.
    fn commit(&self, batch: &[Request], now: Timestamp) -> Result<Committed, BackendError> {
        let done = match self.commit_each(batch, now, Savepoints::None) {
            Err(Failed::HalfWay(_)) => self.commit_each(batch, now, Savepoints::Each),
            done => done,
        };
        done.map_err(|(Failed::HalfWay(error) | Failed::Wholly(error))| error)
    }

    fn commit_each(
        &self,
        batch: &[Request],
        now: Timestamp,
        savepoints: Savepoints,
    ) -> Result<Committed, Failed> {
        self.statement("BEGIN IMMEDIATE")?;
        let is_current = self.is_current();
        let outcomes = batch.iter().map(|job| {
            let tried = job.tasks.iter().map(|task| match savepoints {
                Savepoints::None => self.try_bare(&job.caller, task, now),
                Savepoints::Each => Ok(self.try_one(&job.caller, task, now)?),
            });
            tried.collect::<Result<Vec<_>, Failed>>()
        });
        let done = is_current.map_err(Failed::Wholly);
        let done = done.and_then(|()| outcomes.collect::<Result<Vec<_>, Failed>>());
        let done = done.and_then(|outcomes| {
            let began = Instant::now();
            self.statement("COMMIT")?;
            Ok(Committed { outcomes, flush: began.elapsed() })
        });
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    /// Nothing is written by the schema of before a push: inside of a transaction there is none.
    fn is_current(&self) -> Result<(), BackendError> {
        match pushes(&self.connection)? == self.pushes {
            true => Ok(()),
            false => Err(BackendError::Superseded),
        }
    }

    /// Carries out one mutation of which nothing is left if it fails before it writes.
    fn try_bare(&self, caller: &Caller, task: &Task, now: Timestamp) -> Result<Tried, Failed> {
        let mut tables = self.tables();
        let tried = self.mutate(&mut tables, caller, task, now);
        match tried {
            Err(error) if tables.has_written() || self.connection.is_autocommit() => {
                Err(Failed::HalfWay(error))
            }
            tried => Ok(tried.inspect_err(|error| self.log(task, error))),
        }
    }

    /// Carries out one mutation within a savepoint. The outer error is that of the whole
    /// transaction, the inner one that of this mutation.
    fn try_one(&self, caller: &Caller, task: &Task, now: Timestamp) -> Result<Tried, BackendError> {
        self.statement("SAVEPOINT mutation")?;
        let tried = self.mutate(&mut self.tables(), caller, task, now);
        if let Err(error) = &tried {
            self.log(task, error);
            // After some failures SQLite has rolled everything back by itself.
            self.statement("ROLLBACK TO mutation")?;
        }
        self.statement("RELEASE mutation")?;
        Ok(tried)
    }

    fn tables(&self) -> SqliteTables<'_> {
        SqliteTables::new(&self.connection, &self.shape, self.journal_start.get())
    }

    fn mutate(
        &self,
        tables: &mut SqliteTables<'_>,
        caller: &Caller,
        task: &Task,
        now: Timestamp,
    ) -> Tried {
        let (rules, mutation) = (&self.shape.rules, &task.mutation);
        match &task.decision {
            None => mutate(rules, tables, caller, mutation, now),
            Some(decision) => settle(rules, tables, caller, mutation, decision, now),
        }
    }

    fn log(&self, task: &Task, error: &BackendError) {
        let model = &self.shape.sql(task.mutation.model).name;
        tracing::error!(%error, model, "a mutation was not written");
    }

    fn statement(&self, sql: &str) -> Result<(), BackendError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.statement("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

/// Takes the writes that wait, and those that are about to, up to a chore.
fn gather(first: Job, jobs: &Receiver<Job>, pace: &Pace) -> (Vec<Request>, Option<Chore>) {
    let began = Instant::now();
    let (mut count, mut batch, mut next) = (0, Vec::new(), Some(first));
    while count < BATCH_MUTATIONS {
        match next {
            Some(Job::Write(request)) => {
                count += request.tasks.len();
                batch.push(request);
            }
            Some(Job::Chore(chore)) => return (batch, Some(chore)),
            // Not for each single one: to be woken costs more than to look a few times.
            None if pace.waits(batch.len(), began.elapsed()) => std::thread::sleep(LOOK),
            None => break,
        }
        // What is taken is carried out.
        next = if count < BATCH_MUTATIONS { jobs.try_recv().ok() } else { None };
    }
    (batch, None)
}

/// Whether a mutation that fails can be taken back by itself.
#[derive(Debug, Clone, Copy)]
enum Savepoints {
    None,
    Each,
}

/// What became of a batch.
struct Committed {
    /// Request by request.
    outcomes: Vec<Vec<Tried>>,
    /// How long it took to make it last.
    flush: Duration,
}

/// Why a batch was not committed.
enum Failed {
    /// One of its mutations has failed after it had written, and there was no savepoint.
    HalfWay(BackendError),
    /// The transaction has failed.
    Wholly(BackendError),
}

impl From<BackendError> for Failed {
    fn from(error: BackendError) -> Self {
        Self::Wholly(error)
    }
}

/// What became of one mutation, or why its savepoint was rolled back.
type Tried = Result<Outcome, BackendError>;

fn answer(task: Task, tried: Tried, changes: &mut Vec<Change>) -> Attempt {
    match tried {
        Ok(Outcome::Written(change)) => {
            let record = change.record.clone();
            changes.push(change);
            Attempt::Done(Ok(Accepted { record, is_new: true }))
        }
        Ok(Outcome::Unchanged(record)) => Attempt::Done(Ok(Accepted { record, is_new: false })),
        Ok(Outcome::Refused(error)) => Attempt::Done(Err(error)),
        Ok(Outcome::Contested(stored)) => {
            Attempt::Contested(Box::new(task.mutation), Box::new(stored))
        }
        Err(error) => Attempt::Done(Err(RemoteError::from(&error))),
    }
}

fn refuse(batch: Vec<Request>, error: &BackendError) {
    for job in batch {
        let refused = || Attempt::Done(Err(RemoteError::from(error)));
        let answers = job.tasks.iter().map(|_| refused()).collect();
        let _ = job.answer.send(answers);
    }
}
