use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use espressync_model::remote::Change;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::backend::{Commit, Events, Undecided};
use crate::graphql::{Kind, Tally};
use crate::realtime::Hub;

/// What the answer of [`Metrics::text`] is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the server has done, for Prometheus. Labels are of few, fixed values: never a key, an id
/// or a model's row.
pub struct Metrics {
    registry: Registry,
    requests: Family<[Label; 2], Counter>,
    duration: Family<[Label; 1], Histogram, fn() -> Histogram>,
    mutations: Family<[Label; 1], Counter>,
    commits: Counter,
    commit_mutations: Histogram,
    commit_duration: Histogram,
    commits_failed: Counter,
    undecided: Family<[Label; 1], Counter>,
    sync_pages: Family<[Label; 1], Counter>,
    /// Requests and sockets with bad credentials.
    pub(crate) auth_refused: Counter,
    /// Requests over a key's rate.
    pub(crate) rate_limited: Counter,
    /// Requests beyond what the server carries out at once.
    pub(crate) overloaded: Counter,
    /// Events that were queued for a subscriber's socket.
    pub(crate) events_sent: Counter,
    /// Sockets that read too slowly.
    pub(crate) cut_off: Counter,
    sockets: Gauge,
    subscriptions: Gauge,
    waiting: Gauge,
}

type Label = (&'static str, &'static str);

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it was answered.
    Ok,
    /// The answer has errors.
    Errors,
    /// It was put off: the client comes again.
    PutOff,
    /// It took too long.
    TimedOut,
    /// It could not be read, or showed bad credentials.
    Refused,
}

/// What is so at the moment of a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// The realtime sockets that are open.
    pub(crate) sockets: usize,
    /// Their subscriptions.
    pub(crate) subscriptions: usize,
    /// The requests whose mutations wait for the writer.
    pub(crate) waiting: usize,
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut metrics = Self {
            registry: Registry::with_prefix("espressync"),
            requests: Family::default(),
            duration: Family::new_with_constructor(seconds),
            mutations: Family::default(),
            commits: Counter::default(),
            commit_mutations: Histogram::new(exponential_buckets(1.0, 4.0, 6)),
            commit_duration: seconds(),
            commits_failed: Counter::default(),
            undecided: Family::default(),
            sync_pages: Family::default(),
            auth_refused: Counter::default(),
            rate_limited: Counter::default(),
            overloaded: Counter::default(),
            events_sent: Counter::default(),
            cut_off: Counter::default(),
            sockets: Gauge::default(),
            subscriptions: Gauge::default(),
            waiting: Gauge::default(),
        };
        metrics.register_requests();
        metrics.register_commits();
        metrics.register_realtime();
        Arc::new(metrics)
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        let help = "GraphQL requests by kind of operation and outcome";
        registry.register("requests", help, self.requests.clone());
        let help = "Time from a request's headers to its answer, in seconds";
        registry.register("request_duration_seconds", help, self.duration.clone());
        let help = "Pages of sync queries, by what they were read from";
        registry.register("sync_pages", help, self.sync_pages.clone());
        let help = "Requests and sockets that showed no good credentials";
        registry.register("auth_refused", help, self.auth_refused.clone());
        let help = "Requests that were put off because their key sent too many";
        registry.register("rate_limited", help, self.rate_limited.clone());
        let help = "Requests that were put off because too many were under way";
        registry.register("overloaded", help, self.overloaded.clone());
    }

    fn register_commits(&mut self) {
        let registry = &mut self.registry;
        let help = "Mutations by outcome, single ones of a request counted by themselves";
        registry.register("mutations", help, self.mutations.clone());
        registry.register("commits", "Commits to the database", self.commits.clone());
        let help = "Batches of which nothing could be written";
        registry.register("commits_failed", help, self.commits_failed.clone());
        let help = "Conflicts that a handler was asked about in vain, by what was wrong";
        registry.register("conflicts_undecided", help, self.undecided.clone());
        // Counts that an alarm looks at are there before the first.
        for reason in [Undecided::NoAnswer, Undecided::BadAnswer, Undecided::Restless] {
            drop(self.undecided.get_or_create(&reason_of(reason)));
        }
        let help = "How many mutations shared a commit";
        registry.register("commit_mutations", help, self.commit_mutations.clone());
        let help = "Time from a commit's beginning to its answers, in seconds";
        registry.register("commit_duration_seconds", help, self.commit_duration.clone());
        let help = "Requests whose mutations wait for the writer";
        registry.register("writer_waiting", help, self.waiting.clone());
    }

    fn register_realtime(&mut self) {
        let registry = &mut self.registry;
        registry.register("realtime_sockets", "Realtime sockets", self.sockets.clone());
        let help = "Subscriptions of realtime sockets";
        registry.register("realtime_subscriptions", help, self.subscriptions.clone());
        let help = "Events that were queued for a subscriber's socket";
        registry.register("realtime_events", help, self.events_sent.clone());
        let help = "Realtime sockets that read too slowly and were cut off";
        registry.register("realtime_cut_off", help, self.cut_off.clone());
    }

    /// Counts a request that has been answered.
    pub(crate) fn answered(&self, tally: &Tally, outcome: Outcome, took: Duration) {
        let kind = name_of(tally.kind);
        let outcome = match outcome {
            Outcome::Ok => "ok",
            Outcome::Errors => "errors",
            Outcome::PutOff => "put_off",
            Outcome::TimedOut => "timed_out",
            Outcome::Refused => "refused",
        };
        self.requests.get_or_create(&[("kind", kind), ("outcome", outcome)]).inc();
        self.duration.get_or_create(&[("kind", kind)]).observe(took.as_secs_f64());
        for (source, pages) in [("base", tally.base_pages), ("delta", tally.delta_pages)] {
            if pages > 0 {
                self.sync_pages.get_or_create(&[("source", source)]).inc_by(pages);
            }
        }
    }

    fn committed(&self, commit: &Commit) {
        let mutations = commit.accepted + commit.refused;
        self.commits.inc();
        #[allow(clippy::cast_precision_loss, reason = "a batch is far below 2^52")]
        self.commit_mutations.observe(mutations as f64);
        self.commit_duration.observe(commit.took.as_secs_f64());
        for (outcome, count) in [("accepted", commit.accepted), ("refused", commit.refused)] {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.mutations.get_or_create(&[("outcome", outcome)]).inc_by(count);
        }
    }

    /// All of it as Prometheus reads it.
    pub(crate) fn text(&self, level: Level) -> String {
        let set = |gauge: &Gauge, count: usize| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        set(&self.sockets, level.sockets);
        set(&self.subscriptions, level.subscriptions);
        set(&self.waiting, level.waiting);
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// From a tenth of a millisecond to a minute and a half.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 3.0, 13))
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Query => "query",
        Kind::Mutation => "mutation",
        Kind::Unknown => "unknown",
    }
}

fn reason_of(reason: Undecided) -> [Label; 1] {
    let reason = match reason {
        Undecided::NoAnswer => "no_answer",
        Undecided::BadAnswer => "bad_answer",
        Undecided::Restless => "restless",
    };
    [("reason", reason)]
}

/// Counts what is committed on its way to the subscribers.
#[derive(Debug)]
pub struct Counted {
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
}

impl Counted {
    /// Between a backend and this hub.
    #[must_use]
    pub fn new(hub: Arc<Hub>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { hub, metrics })
    }
}

impl Events for Counted {
    fn publish(&self, changes: Vec<Change>) {
        self.hub.publish(changes);
    }

    fn committed(&self, commit: &Commit) {
        self.metrics.committed(commit);
    }

    fn failed(&self) {
        self.metrics.commits_failed.inc();
    }

    fn undecided(&self, reason: Undecided) {
        self.metrics.undecided.get_or_create(&reason_of(reason)).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_can_be_read() {
        let metrics = Metrics::new();
        let tally = Tally { kind: Kind::Query, base_pages: 2, delta_pages: 0 };
        metrics.answered(&tally, Outcome::Ok, Duration::from_millis(2));
        metrics.committed(&Commit { accepted: 3, refused: 1, took: Duration::from_millis(1) });
        let text = metrics.text(Level { sockets: 1, subscriptions: 2, waiting: 3 });
        for line in [
            "espressync_requests_total{kind=\"query\",outcome=\"ok\"} 1",
            "espressync_request_duration_seconds_count{kind=\"query\"} 1",
            "espressync_sync_pages_total{source=\"base\"} 2",
            "espressync_mutations_total{outcome=\"accepted\"} 3",
            "espressync_mutations_total{outcome=\"refused\"} 1",
            "espressync_commits_total 1",
            "espressync_commit_mutations_sum 4.0",
            "espressync_writer_waiting 3",
            "espressync_realtime_subscriptions 2",
            "espressync_conflicts_undecided_total{reason=\"bad_answer\"} 0",
            "espressync_rate_limited_total 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
