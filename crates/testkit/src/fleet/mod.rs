//! A fleet of tills in virtual time.
//!
//! Everything random comes from the seed, so a failure is repeated by its seed alone. While the
//! faults last, tills sell, edit and delete, lose their network, crash and come back from their
//! log; requests and answers are dropped, delayed, repeated and overtaken. Then the network heals,
//! and once all is quiet the [`Ledger`] says whether anything was lost, doubled or torn.

mod ledger;
mod schema;
mod server;
mod till;

use std::collections::BTreeMap;

use espressync_model::Timestamp;
use espressync_model::remote::{Answer, Change, RemoteError, RemoteErrorKind, Request};
use espressync_sync::{Effect, Input, LinkEvent, LinkId, Network, RequestId};

pub use ledger::{Ledger, Violation};
pub use server::{Rules, Server};
use till::Till;

/// How bad things are. Chances are in percent.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// A request never arrives.
    pub drop_request: u8,
    /// An answer never arrives, though the server has done what was asked.
    pub drop_answer: u8,
    /// A request arrives twice.
    pub repeat: u8,
    /// The server answers that it cannot, now.
    pub refuse: u8,
    /// A realtime message is lost because its connection died unnoticed.
    pub kill_link: u8,
    /// The longest delay of a message, in milliseconds; shorter ones overtake it.
    pub delay: u64,
    /// After an action, the till crashes and starts again from its log.
    pub crash: u8,
    /// The disk refuses what the engine wants stored.
    pub disk: u8,
    /// After an action, the till loses its network for a while.
    pub offline: u8,
}

impl Faults {
    /// A network that works.
    pub const NONE: Self = Self {
        drop_request: 0,
        drop_answer: 0,
        repeat: 0,
        refuse: 0,
        kill_link: 0,
        delay: 20,
        crash: 0,
        disk: 0,
        offline: 0,
    };

    /// A bad day: everything happens, often.
    pub const BAD: Self = Self {
        drop_request: 15,
        drop_answer: 15,
        repeat: 15,
        refuse: 10,
        kill_link: 5,
        delay: 3_000,
        crash: 8,
        disk: 3,
        offline: 10,
    };
}

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many tills.
    pub tills: usize,
    /// How many things each of them does.
    pub actions: usize,
    /// How bad things are while they do.
    pub faults: Faults,
    /// What the server does with conflicts.
    pub rules: Rules,
    /// How many milliseconds the server's journal reaches back.
    pub window: u64,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Sales that a till acknowledged to its barista, each on every till in the end.
    pub sales: usize,
    /// Edits acknowledged.
    pub edits: usize,
    /// Mutations that reached the server, repeats included.
    pub mutations: usize,
    /// Crashes survived.
    pub crashes: usize,
}

/// How long the network may take to settle after it has healed, in virtual milliseconds.
const PATIENCE: u64 = 30 * 60 * 1_000;
/// How many events a run may take: far more than any does, so that a till that spins is noticed.
const MOST_EVENTS: u64 = 1_000_000;
/// How long a request waits for its answer.
const TIMEOUT: u64 = 10_000;

/// Something on its way.
#[derive(Debug)]
enum Event {
    /// A barista does something.
    Act,
    /// An engine's deadline.
    Wake,
    /// A request arrives at the server; the answer is wanted unless this is the repeat.
    Arrive(RequestId, Request, bool),
    /// An answer arrives at the till.
    Answer(RequestId, Result<Answer, RemoteError>),
    /// News of a realtime connection.
    Link(LinkId, LinkEvent),
    /// The till's network is back.
    Reconnect,
}

/// Where an event goes: a till, and which of its lives.
type Address = (usize, u32);

struct Fleet {
    plan: Plan,
    random: fastrand::Rng,
    now: Timestamp,
    server: Server,
    tills: Vec<Till>,
    ledger: Ledger,
    events: BTreeMap<(Timestamp, u64), (Address, Event)>,
    next_event: u64,
    actions_left: usize,
    is_healed: bool,
    crashes: usize,
}

/// Runs a plan from a seed.
///
/// # Errors
/// What was lost, doubled or torn.
pub fn run(seed: u64, plan: Plan) -> Result<Report, Violation> {
    let mut fleet = Fleet::new(seed, plan);
    fleet.work();
    fleet.heal();
    fleet.settle()?;
    fleet.ledger.check(&fleet.server, fleet.tills.iter().map(|till| &till.store))?;
    Ok(Report {
        sales: fleet.ledger.sales(),
        edits: fleet.ledger.edits(),
        mutations: fleet.server.mutations(),
        crashes: fleet.crashes,
    })
}

impl Fleet {
    fn new(seed: u64, plan: Plan) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut ledger = Ledger::default();
        let server = Server::with_products(plan.rules, plan.window, &mut ledger);
        let tills = (0..plan.tills).map(|number| Till::new(number, random.u64(..))).collect();
        let mut fleet = Self {
            plan,
            random,
            now: Timestamp(1_000_000),
            server,
            tills,
            ledger,
            events: BTreeMap::new(),
            next_event: 0,
            actions_left: plan.tills * plan.actions,
            is_healed: false,
            crashes: 0,
        };
        for till in 0..plan.tills {
            fleet.step(till, Input::Start);
            for _ in 0..plan.actions {
                let after = fleet.random.u64(0..120_000);
                fleet.schedule((till, 0), after, Event::Act);
            }
        }
        fleet
    }

    fn schedule(&mut self, address: Address, after: u64, event: Event) {
        self.next_event += 1;
        self.events.insert((self.now + after, self.next_event), (address, event));
    }

    fn chance(&mut self, percent: u8) -> bool {
        !self.is_healed && self.random.u8(0..100) < percent
    }

    fn delay(&mut self) -> u64 {
        let longest = if self.is_healed { Faults::NONE.delay } else { self.plan.faults.delay };
        // Most messages are quick; a few take their time, so that others overtake them.
        let longest = if self.random.u8(0..4) > 0 { longest / 50 } else { longest };
        1 + self.random.u64(0..=longest)
    }

    /// Runs until every barista has done everything.
    fn work(&mut self) {
        while self.actions_left > 0 && self.next_event < MOST_EVENTS {
            self.next();
        }
    }

    fn heal(&mut self) {
        self.is_healed = true;
        for till in 0..self.tills.len() {
            self.reconnect(till);
        }
    }

    /// Runs until nothing is on its way and every till is content.
    fn settle(&mut self) -> Result<(), Violation> {
        let end = self.now + PATIENCE;
        while !self.is_quiet() {
            if self.now > end || self.next_event > MOST_EVENTS {
                let stuck = self.tills.iter().map(|till| till.status()).collect::<Vec<_>>();
                return Err(Violation::new(format!("the fleet never settles: {stuck:?}")));
            }
            self.next();
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        let is_still = self.events.values().all(|(_, event)| matches!(event, Event::Wake));
        is_still
            && self.tills.iter().all(|till| {
                let status = till.status();
                status.network == Network::Online && status.pending == 0
            })
    }

    fn next(&mut self) {
        let Some(((at, _), ((till, life), event))) = self.events.pop_first() else {
            // Nothing is on its way at all: let time pass until a deadline or the end.
            self.now = self.now + 1_000;
            return;
        };
        self.now = at;
        match event {
            Event::Act => {
                self.actions_left -= 1;
                self.act(till);
            }
            Event::Reconnect => self.reconnect(till),
            // What was sent by or for an earlier life is nobody's now, except at the server.
            Event::Arrive(id, request, is_answered) => {
                self.arrive((till, life), id, request, is_answered);
            }
            Event::Wake | Event::Answer(..) | Event::Link(..) if self.tills[till].life != life => {}
            Event::Wake => {
                self.tills[till].wake = None;
                self.step(till, Input::Wake);
            }
            Event::Answer(id, answer) => self.step(till, Input::Answered(id, answer)),
            Event::Link(id, event) => self.link_event(till, id, event),
        }
    }

    fn act(&mut self, till: usize) {
        self.tills[till].act(&mut self.random, &mut self.ledger);
        self.step(till, Input::Changed);
        if self.chance(self.plan.faults.crash) {
            self.crash(till);
        }
        if self.chance(self.plan.faults.offline) {
            self.tills[till].is_online = false;
            self.step(till, Input::Connectivity { is_online: false });
            let after = self.random.u64(1_000..40_000);
            self.schedule((till, 0), after, Event::Reconnect);
        }
    }

    fn crash(&mut self, till: usize) {
        self.crashes += 1;
        let seed = self.random.u64(..);
        self.tills[till].restart(seed);
        self.server.unsubscribe(till, None);
        self.step(till, Input::Start);
    }

    fn reconnect(&mut self, till: usize) {
        self.tills[till].is_online = true;
        self.step(till, Input::Connectivity { is_online: true });
    }

    /// Feeds a till's engine and carries out what it says.
    fn step(&mut self, till: usize, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.tills[till].step(self.now, input) {
                match effect {
                    Effect::Commit(id, intents) => {
                        let is_stored = !self.chance(self.plan.faults.disk);
                        if is_stored {
                            self.tills[till].commit(&intents);
                        }
                        inputs.push(Input::Committed(id, is_stored));
                    }
                    Effect::Send(id, request) => self.send(till, id, request),
                    Effect::Connect(id) => self.connect(till, id),
                    Effect::Disconnect(id) => {
                        self.tills[till].link.take_if(|current| *current == id);
                        self.server.unsubscribe(till, Some(id));
                    }
                }
            }
        }
        self.schedule_wake(till);
    }

    fn schedule_wake(&mut self, till: usize) {
        let deadline = self.tills[till].deadline();
        if let Some(at) = deadline
            && self.tills[till].wake.is_none_or(|set| at < set)
        {
            self.tills[till].wake = Some(at);
            let address = (till, self.tills[till].life);
            self.schedule(address, at.since(self.now), Event::Wake);
        }
    }

    fn send(&mut self, till: usize, id: RequestId, request: Request) {
        let faults = self.plan.faults;
        let address = (till, self.tills[till].life);
        if !self.tills[till].is_online || self.chance(faults.drop_request) {
            self.schedule(address, TIMEOUT, Event::Answer(id, Err(offline())));
            return;
        }
        if self.chance(faults.repeat) {
            let late = self.delay() + self.delay();
            self.schedule(address, late, Event::Arrive(id, request.clone(), false));
        }
        let after = self.delay();
        self.schedule(address, after, Event::Arrive(id, request, true));
    }

    fn arrive(&mut self, address: Address, id: RequestId, request: Request, is_answered: bool) {
        let faults = self.plan.faults;
        let (answer, changes) = if self.chance(faults.refuse) {
            (Err(RemoteError::new(RemoteErrorKind::Unavailable, "503")), Vec::new())
        } else {
            let (answer, changes) = self.server.answer(self.now, request);
            (Ok(answer), changes)
        };
        self.publish(&changes);
        if !is_answered {
            return;
        }
        if !self.tills[address.0].is_online || self.chance(faults.drop_answer) {
            self.schedule(address, TIMEOUT, Event::Answer(id, Err(offline())));
        } else {
            let after = self.delay();
            self.schedule(address, after, Event::Answer(id, answer));
        }
    }

    fn connect(&mut self, till: usize, id: LinkId) {
        self.tills[till].link = Some(id);
        let address = (till, self.tills[till].life);
        let after = self.delay();
        if self.tills[till].is_online && !self.chance(self.plan.faults.drop_request) {
            self.schedule(address, after, Event::Link(id, LinkEvent::Ready));
        } else {
            self.schedule(address, after, Event::Link(id, LinkEvent::Closed(offline())));
        }
    }

    /// A till hears of its connection; of one that it has closed it hears no more.
    fn link_event(&mut self, till: usize, id: LinkId, event: LinkEvent) {
        if self.tills[till].link != Some(id) {
            return;
        }
        match event {
            LinkEvent::Ready => self.server.subscribe(till, id),
            LinkEvent::Closed(_) => self.server.unsubscribe(till, Some(id)),
            LinkEvent::Alive
            | LinkEvent::Change(_)
            | LinkEvent::Missed(_)
            | LinkEvent::Refused(..) => {}
        }
        self.step(till, Input::Link(id, event));
    }

    fn publish(&mut self, changes: &[Change]) {
        for (till, id) in self.server.subscribers() {
            let address = (till, self.tills[till].life);
            for change in changes {
                if !self.tills[till].is_online || self.chance(self.plan.faults.kill_link) {
                    // The connection is dead; the till learns of it later.
                    self.server.unsubscribe(till, Some(id));
                    let after = self.delay();
                    self.schedule(address, after, Event::Link(id, LinkEvent::Closed(offline())));
                    break;
                }
                let after = self.delay();
                let event = Event::Link(id, LinkEvent::Change(change.clone()));
                self.schedule(address, after, event);
            }
        }
    }
}

fn offline() -> RemoteError {
    RemoteError::new(RemoteErrorKind::Offline, "connection reset")
}
