mod link;
mod pages;
mod send;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use espressync_model::remote::{Answer, Change, Mutation, RemoteError, RemoteErrorKind, Request};
use espressync_model::{ModelId, Schema, Timestamp};
use espressync_store::Store;

use crate::backoff::{Backoff, Jitter};
use crate::models::ModelSync;
use crate::schedule::Place;
use crate::{Intent, Network, SyncStatus};

/// Names a request; its answer repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names a commit; its answer repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub u64);

/// Names a realtime connection, so that news of an old one is not taken for the new one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// The engine's bounds.
#[derive(Debug, Clone)]
pub struct Config {
    /// How many rows a sync page asks for.
    pub page_size: u32,
    /// How many mutations go into one request.
    pub mutations_per_request: usize,
    /// How many requests with mutations are under way at once.
    pub requests: usize,
    /// After how many milliseconds a delta sync is replaced by a base sync, so that what was
    /// deleted out of sight goes here too.
    pub full_sync_interval: u64,
    /// How many milliseconds a realtime connection may be silent before it counts as dead.
    pub silence: u64,
    /// Where the jitter starts.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            page_size: 1_000,
            mutations_per_request: 25,
            requests: 4,
            full_sync_interval: 24 * 60 * 60 * 1_000,
            silence: 75_000,
            seed: 0,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Sync shall run.
    Start,
    /// Sync shall end. What waits to be sent stays.
    Stop,
    /// The deadline has come.
    Wake,
    /// Someone else changed the store: a user, another tab.
    Changed,
    /// The browser says that there is or is no network, or that the page is looked at again.
    Connectivity {
        /// Whether it thinks there is one.
        is_online: bool,
    },
    /// A request was answered, or failed.
    Answered(RequestId, Result<Answer, RemoteError>),
    /// A commit is stored (`true`), or could not be.
    Committed(CommitId, bool),
    /// News of a realtime connection.
    Link(LinkId, LinkEvent),
}

/// News of a realtime connection.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// Every subscription is acknowledged: from here on nothing is missed.
    Ready,
    /// A sign of life.
    Alive,
    /// A record was changed.
    Change(Change),
    /// A record of this model was changed, in a way that could not be read.
    Missed(ModelId),
    /// The server does not tell this client of this model's changes; of the others' it does.
    Refused(ModelId, RemoteError),
    /// It is closed, or never opened.
    Closed(RemoteError),
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the server; answer with [`Input::Answered`].
    Send(RequestId, Request),
    /// Open a realtime connection with every subscription.
    Connect(LinkId),
    /// Close it; no more is heard of it.
    Disconnect(LinkId),
    /// Store these; answer with [`Input::Committed`].
    Commit(CommitId, Vec<Intent>),
}

#[derive(Debug, Clone)]
enum Link {
    Closed,
    Opening(LinkId),
    Ready { id: LinkId, heard: Timestamp },
}

/// A request under way.
#[derive(Debug, Clone)]
enum Asked {
    Mutations(Vec<Mutation>),
    /// Of the model's sync of this number.
    Page(ModelId, u64),
    Record(Mutation),
}

/// A commit under way, and what follows it.
#[derive(Debug, Clone)]
enum Storing {
    /// Then these may be sent.
    Marks(Vec<Place>),
    /// Then these may be sent again if edits wait.
    Answers(Vec<Place>),
    /// Then the next page is asked for, or the sync of this number is done.
    Page(ModelId, u64),
    /// Then nothing; if it fails, the model has missed something.
    Change(ModelId),
}

/// The state machine. What must outlive a restart is in the store; this is the rest.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    schema: Rc<Schema>,
    jitter: Jitter,
    is_started: bool,
    is_online: bool,
    is_unauthenticated: bool,
    link: Link,
    link_backoff: Backoff,
    send_backoff: Backoff,
    models: Vec<ModelSync>,
    asked: BTreeMap<RequestId, Asked>,
    storing: BTreeMap<CommitId, Storing>,
    /// Records whose entries are being marked, sent or acknowledged.
    in_flight: BTreeSet<Place>,
    /// Records whose entries were in a request that the server refused as a whole: each is sent
    /// alone, so that one bad entry does not take the others down.
    suspects: BTreeSet<Place>,
    /// Records whose additions may have been carried out though no answer came.
    unsure: BTreeSet<Place>,
    next_id: u64,
}

impl Engine {
    /// An engine at rest.
    #[must_use]
    pub fn new(schema: Rc<Schema>, config: Config) -> Self {
        let models = schema.models().map(|_| ModelSync::default()).collect();
        Self {
            jitter: Jitter::new(config.seed),
            config,
            schema,
            is_started: false,
            is_online: true,
            is_unauthenticated: false,
            link: Link::Closed,
            link_backoff: Backoff::default(),
            send_backoff: Backoff::default(),
            models,
            asked: BTreeMap::new(),
            storing: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            suspects: BTreeSet::new(),
            unsure: BTreeSet::new(),
            next_id: 0,
        }
    }

    /// Takes in what happened and says what to do. `store` is read only.
    pub fn step(&mut self, now: Timestamp, store: &Store, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Start => self.start(store, &mut effects),
            Input::Stop => self.stop(&mut effects),
            Input::Wake | Input::Changed => {}
            Input::Connectivity { is_online } => self.connectivity(now, is_online, &mut effects),
            Input::Answered(id, answer) => self.answered(now, id, answer, &mut effects),
            Input::Committed(id, is_stored) => {
                self.committed(now, store, id, is_stored, &mut effects);
            }
            Input::Link(id, event) => self.link_event(now, id, event, &mut effects),
        }
        if self.is_started {
            self.tend_link(now, &mut effects);
            self.sync_models(now, store, &mut effects);
            self.send_mutations(now, store, &mut effects);
        }
        effects
    }

    /// When to call [`Engine::step`] with [`Input::Wake`] if nothing else happens before. Every
    /// input can change it.
    #[must_use]
    pub fn next_deadline(&self, store: &Store) -> Option<Timestamp> {
        if !self.is_started {
            return None;
        }
        let link = match &self.link {
            Link::Closed => self.link_backoff.deadline(),
            Link::Opening(_) => None,
            Link::Ready { heard, .. } => Some(*heard + self.config.silence),
        };
        let has_unsent = store.outbox().waiting() > 0;
        let send = self.send_backoff.deadline().filter(|_| has_unsent);
        let models = self.models.iter().filter(|model| model.run.is_none() && model.is_dirty);
        let sync = models.filter_map(|model| model.backoff.deadline());
        [link, send].into_iter().flatten().chain(sync).min()
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self, store: &Store) -> SyncStatus {
        let mut synced_at = None;
        for (model, _) in self.schema.models().filter(|(_, model)| !model.is_local) {
            match (store.cursor(model).map(|cursor| cursor.last_sync), synced_at) {
                (None, _) => {
                    synced_at = None;
                    break;
                }
                (Some(at), None) => synced_at = Some(at),
                (Some(at), Some(before)) => synced_at = Some(at.min(before)),
            }
        }
        SyncStatus {
            network: self.network(),
            pending: store.outbox().waiting(),
            rejected: store.outbox().rejected(),
            synced_at,
            problem: self.models.iter().find_map(ModelSync::problem),
        }
    }

    fn network(&self) -> Network {
        let is_catching_up = self.models.iter().any(|model| model.is_dirty || model.run.is_some());
        match &self.link {
            _ if !self.is_started => Network::Stopped,
            _ if self.is_unauthenticated => Network::Unauthenticated,
            _ if !self.is_online => Network::Offline,
            Link::Ready { .. } if is_catching_up => Network::Connecting,
            Link::Ready { .. } => Network::Online,
            Link::Opening(_) if self.link_backoff.failures() == 0 => Network::Connecting,
            Link::Opening(_) | Link::Closed => Network::Offline,
        }
    }

    /// Begins, and gives what the server could not make sense of another try: it may have been an
    /// older server, which has learned since.
    fn start(&mut self, store: &Store, effects: &mut Vec<Effect>) {
        if self.schema.models().all(|(_, model)| model.is_local) {
            return;
        }
        self.is_started = true;
        self.retry_now();
        // What was on its way when the last session ended.
        let attempts = store.outbox().iter().filter(|(_, _, pending)| pending.attempt.is_some());
        self.unsure.extend(attempts.map(|(model, key, _)| (model, key.clone())));
        let invalid = store.outbox().iter().filter(|(_, _, pending)| {
            let rejection = pending.rejection.as_ref();
            rejection.is_some_and(|rejection| rejection.kind == RemoteErrorKind::Invalid)
        });
        let retries: Vec<Intent> =
            invalid.map(|(model, key, _)| Intent::Retry(model, key.clone())).collect();
        if !retries.is_empty() {
            self.commit(Storing::Answers(Vec::new()), retries, effects);
        }
    }

    fn stop(&mut self, effects: &mut Vec<Effect>) {
        self.is_started = false;
        self.close_link(effects);
        for model in &mut self.models {
            model.run = None;
        }
        // Answers to what is under way are still taken in: they are the truth.
        let dropped = self.asked.extract_if(.., |_, asked| !matches!(asked, Asked::Mutations(_)));
        let lookups = dropped.filter_map(|(_, asked)| match asked {
            Asked::Record(sent) => Some((sent.model, sent.key)),
            Asked::Mutations(_) | Asked::Page(..) => None,
        });
        let lookups: Vec<Place> = lookups.collect();
        self.release(&lookups);
    }

    /// Believes the browser's word for now. Where it says that there is no network, attempts go
    /// on at the pace of the backoff: it may be wrong, as with a server on this very machine.
    fn connectivity(&mut self, now: Timestamp, is_online: bool, effects: &mut Vec<Effect>) {
        self.is_online = is_online;
        if is_online {
            self.retry_now();
        } else {
            self.close_link(effects);
            self.link_backoff.fail(now, &mut self.jitter);
            self.send_backoff.fail(now, &mut self.jitter);
        }
    }

    fn retry_now(&mut self) {
        self.link_backoff.reset();
        self.send_backoff.reset();
        for model in &mut self.models {
            model.backoff.reset();
        }
    }

    fn close_link(&mut self, effects: &mut Vec<Effect>) {
        if let Link::Opening(id) | Link::Ready { id, .. } =
            std::mem::replace(&mut self.link, Link::Closed)
        {
            effects.push(Effect::Disconnect(id));
        }
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn ask(&mut self, asked: Asked, request: Request, effects: &mut Vec<Effect>) {
        let id = RequestId(self.next_id());
        self.asked.insert(id, asked);
        effects.push(Effect::Send(id, request));
    }

    fn commit(&mut self, storing: Storing, intents: Vec<Intent>, effects: &mut Vec<Effect>) {
        let id = CommitId(self.next_id());
        self.storing.insert(id, storing);
        effects.push(Effect::Commit(id, intents));
    }
}

/// Answers and commits.
impl Engine {
    fn answered(
        &mut self,
        now: Timestamp,
        id: RequestId,
        answer: Result<Answer, RemoteError>,
        effects: &mut Vec<Effect>,
    ) {
        let wrong = |_| RemoteError::new(RemoteErrorKind::Malformed, "an answer of another kind");
        match self.asked.remove(&id) {
            None => {}
            Some(Asked::Mutations(sent)) => {
                let answers = answer.and_then(|answer| match answer {
                    Answer::Mutate(answers) => Ok(answers),
                    other @ (Answer::Sync(_) | Answer::Get(_)) => Err(wrong(other)),
                });
                self.mutations_answered(now, sent, answers, effects);
            }
            Some(Asked::Page(model, run)) if !self.is_current(model, run) => {}
            Some(Asked::Page(model, _)) => {
                let page = answer.and_then(|answer| match answer {
                    Answer::Sync(page) => Ok(page),
                    other @ (Answer::Mutate(_) | Answer::Get(_)) => Err(wrong(other)),
                });
                self.page_answered(now, model, page, effects);
            }
            Some(Asked::Record(sent)) => {
                let record = answer.and_then(|answer| match answer {
                    Answer::Get(record) => Ok(record),
                    other @ (Answer::Mutate(_) | Answer::Sync(_)) => Err(wrong(other)),
                });
                self.record_answered(now, sent, record, effects);
            }
        }
    }

    fn committed(
        &mut self,
        now: Timestamp,
        store: &Store,
        id: CommitId,
        is_stored: bool,
        effects: &mut Vec<Effect>,
    ) {
        match self.storing.remove(&id) {
            None => {}
            Some(Storing::Marks(places)) if is_stored && self.is_started => {
                self.send(store, places, effects);
            }
            Some(Storing::Marks(places) | Storing::Answers(places)) => {
                // What could not be stored is asked again, which does no harm, after a pause.
                self.release(&places);
                if is_stored {
                    self.send_backoff.reset();
                } else {
                    self.send_backoff.fail(now, &mut self.jitter);
                }
            }
            Some(Storing::Page(model, run)) if !self.is_current(model, run) => {}
            Some(Storing::Page(model, _)) if is_stored => {
                let state = &mut self.models[model.index()];
                state.backoff.reset();
                if state.run.as_ref().is_some_and(|run| run.is_finished) {
                    state.run = None;
                } else {
                    self.ask_page(model, effects);
                }
            }
            Some(Storing::Page(model, _) | Storing::Change(model)) if !is_stored => {
                self.sync_failed(now, model);
            }
            Some(Storing::Page(..) | Storing::Change(_)) => {}
        }
    }
}
