use std::time::Duration;

/// The longest wait for company. A write that comes alone for the first time is late by no more.
const LONGEST: Duration = Duration::from_millis(4);

/// How long a commit waits for the writes that will be there in a moment. Clients that were
/// answered together come again together. Where the flush of the disk takes most of a commit, to
/// begin without all of them would be to flush for half of them, and then for the other half. Where
/// it does not, just that is best: one half is written while the other is on its way, and no
/// processor is idle. One client by itself is never kept waiting.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many writes to wait for.
    expected: usize,
    patience: Duration,
}

/// How long a commit took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Took {
    /// From its first mutation to its last answer.
    pub(super) all: Duration,
    /// To make it last.
    pub(super) flush: Duration,
}

impl Pace {
    /// Whether to wait on, with so many writes at hand and after so long.
    pub(super) fn waits(&self, at_hand: usize, so_far: Duration) -> bool {
        at_hand < self.expected && so_far < self.patience
    }

    /// Learns from a commit: how many were answered and wait at its end, and how long it took.
    pub(super) fn learn(&mut self, answered: usize, waiting: usize, took: Took) {
        let all = answered + waiting;
        self.expected = if took.flush > took.all / 2 { all } else { all.div_ceil(2) };
        // Less than what another commit costs, which is saved.
        self.patience = (took.all / 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_together_is_waited_for_and_one_alone_is_not() {
        let mut pace = Pace::default();
        let (now, all) = (Duration::ZERO, Duration::from_millis(3));
        let took = Took { all, flush: all };
        assert!(!pace.waits(1, now));
        pace.learn(1, 0, took);
        assert!(!pace.waits(1, now));
        pace.learn(1, 1, took);
        assert!(pace.waits(1, now) && !pace.waits(2, now) && !pace.waits(1, all / 2));
        let long = Duration::from_secs(1);
        pace.learn(60, 4, Took { all: long, flush: long });
        assert!(pace.waits(63, now) && !pace.waits(64, now) && !pace.waits(63, LONGEST));
    }

    #[test]
    fn with_a_quick_disk_one_half_is_written_while_the_other_comes() {
        let mut pace = Pace::default();
        let (now, all) = (Duration::ZERO, Duration::from_millis(3));
        pace.learn(60, 4, Took { all, flush: all / 10 });
        assert!(pace.waits(31, now) && !pace.waits(32, now));
        pace.learn(1, 0, Took { all, flush: all / 10 });
        assert!(!pace.waits(1, now));
    }
}
