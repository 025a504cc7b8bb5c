use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use espressync_model::Timestamp;

/// Gives every commit its `_lastChangedAt` and every sync query its `startedAt`, so that a client
/// that asks for the changes since the last `startedAt` never misses one.
///
/// There is one writer. Around each transaction it holds an [`OpenCommit`], whose moment all
/// records of that transaction get; a reader takes [`horizon`](Self::horizon) *before* its
/// snapshot. Both happen under one lock, and the clock never goes back.
///
/// Why nothing is missed: let a reader take the horizon `s` and then a snapshot in which some
/// commit, of moment `t`, is not visible. A commit is visible at the latest when its `OpenCommit`
/// ends, so this one ends after the reader's visit to the lock. Either it began before that visit:
/// then it was open, and `s <= t` because the horizon is at most the moment of an open commit. Or
/// it began after: then `t` is at least the latest moment the clock has given out, which the
/// reader's visit raised to `s` or above. So `s <= t` both times, and the next delta sync, which
/// reads changes *at or after* `s`, finds the commit. A record's own time may lie above `t` (the
/// resolver never sets it back), which only keeps it in reach longer.
///
/// After a restart the clock begins at the newest time in the file, so a system clock that was set
/// back does not break the order of commits. One thing is taken for granted: that it was not set
/// back, while the server was down, to before a moment that a reader has been given since the last
/// commit. Such a reader is told everything anew as long as its moment lies in the future.
pub struct CommitClock {
    source: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The latest moment given out, to a commit or a reader.
    latest: Timestamp,
    /// The moment of the commit under way.
    open: Option<Timestamp>,
}

impl CommitClock {
    /// A clock over a source of time, which may go back, that starts at `latest` or later.
    pub fn new(
        source: impl Fn() -> Timestamp + Send + Sync + 'static,
        latest: Timestamp,
    ) -> Arc<Self> {
        let state = Mutex::new(State { latest, open: None });
        Arc::new(Self { source: Arc::new(source), state })
    }

    /// Begins a commit. Only the one writer may call this, one commit at a time.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> OpenCommit {
        let mut state = self.state();
        let moment = (self.source)().max(state.latest);
        *state = State { latest: moment, open: Some(moment) };
        drop(state);
        OpenCommit { clock: Arc::clone(self), moment }
    }

    /// The `startedAt` of a reader that opens its snapshot after this call.
    #[must_use]
    pub fn horizon(&self) -> Timestamp {
        let mut state = self.state();
        state.latest = state.latest.max((self.source)());
        state.open.unwrap_or(state.latest)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CommitClock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CommitClock").field("state", &self.state).finish_non_exhaustive()
    }
}

/// A commit under way. It ends when this is dropped, which must be after the transaction's end.
#[derive(Debug)]
pub struct OpenCommit {
    clock: Arc<CommitClock>,
    moment: Timestamp,
}

impl OpenCommit {
    /// The moment of all that the commit writes.
    #[must_use]
    pub fn moment(&self) -> Timestamp {
        self.moment
    }
}

impl Drop for OpenCommit {
    fn drop(&mut self) {
        self.clock.state().open = None;
    }
}

/// The system's time.
#[must_use]
pub fn system_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn at(times: &Arc<AtomicI64>) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let times = Arc::clone(times);
        move || Timestamp(times.load(Ordering::SeqCst))
    }

    #[test]
    fn a_reader_starts_no_later_than_an_open_commit() {
        let times = Arc::new(AtomicI64::new(10));
        let clock = CommitClock::new(at(&times), Timestamp::ZERO);
        let open = clock.begin();
        times.store(50, Ordering::SeqCst);
        assert_eq!(clock.horizon(), Timestamp(10));
        drop(open);
        assert_eq!(clock.horizon(), Timestamp(50));
    }

    #[test]
    fn a_commit_starts_no_earlier_than_any_reader_and_time_never_goes_back() {
        let times = Arc::new(AtomicI64::new(10));
        let clock = CommitClock::new(at(&times), Timestamp(40));
        assert_eq!(clock.horizon(), Timestamp(40));
        times.store(60, Ordering::SeqCst);
        assert_eq!(clock.horizon(), Timestamp(60));
        times.store(20, Ordering::SeqCst);
        assert_eq!(clock.begin().moment(), Timestamp(60));
    }
}
