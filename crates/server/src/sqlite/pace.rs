use std::time::Duration;

/// How often the writer looks for more while it waits for it.
pub(super) const LOOK: Duration = Duration::from_micros(200);

/// The longest wait for company. A write that comes alone for the first time is late by no more.
const LONGEST: Duration = Duration::from_millis(4);

/// How long a commit waits for the writes that will be there in a moment. Clients that were
/// answered together come again together; to begin without them would be to flush the disk for
/// half of them, and then for the other half. Only the flush is saved by that: where it takes less
/// than a look for more does, the next commit begins at once, beside which the answers of the last
/// are on their way. One client by itself is never kept waiting.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many writes there were at the end of the last commit, answered or waiting.
    expected: usize,
    patience: Duration,
}

impl Pace {
    /// Whether to wait on, with so many writes at hand and after so long.
    pub(super) fn waits(&self, at_hand: usize, so_far: Duration) -> bool {
        at_hand < self.expected && so_far + LOOK <= self.patience
    }

    /// Learns from a commit: how many were answered and wait now, and how long the flush took.
    pub(super) fn learn(&mut self, answered: usize, waiting: usize, flush: Duration) {
        self.expected = answered + waiting;
        // Less than what the flush costs that is saved.
        self.patience = (flush / 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_together_is_waited_for_and_one_alone_is_not() {
        let mut pace = Pace::default();
        let (now, flush) = (Duration::ZERO, Duration::from_millis(3));
        assert!(!pace.waits(1, now));
        pace.learn(1, 0, flush);
        assert!(!pace.waits(1, now));
        pace.learn(1, 1, flush);
        assert!(pace.waits(1, now) && !pace.waits(2, now) && !pace.waits(1, flush / 2));
        pace.learn(1, 1, LOOK);
        assert!(!pace.waits(1, now), "the flush costs less than the wait");
        pace.learn(60, 4, Duration::from_secs(1));
        assert!(pace.waits(63, now) && !pace.waits(64, now) && !pace.waits(63, LONGEST));
    }
}
