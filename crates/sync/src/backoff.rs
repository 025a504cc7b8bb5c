use espressync_model::Timestamp;

/// The first pause after a failure, in milliseconds.
const FIRST: u64 = 200;
/// The longest pause, in milliseconds: how long a till waits at most to notice a server's return
/// that the browser does not announce.
const LONGEST: u64 = 30_000;

/// When to try again: capped exponential backoff with full jitter, so that a fleet that lost its
/// server does not return as one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    failures: u32,
    not_before: Option<Timestamp>,
}

impl Backoff {
    /// Notes that an attempt is made, so that there is nothing to wait for until it fails.
    pub(crate) fn attempt(&mut self) {
        self.not_before = None;
    }

    /// Notes a failure. Of several attempts that fail together only the first counts.
    pub(crate) fn fail(&mut self, now: Timestamp, jitter: &mut Jitter) {
        if self.not_before.is_some_and(|at| at > now) {
            return;
        }
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(20)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // A floor of a tenth keeps an unlucky draw from hammering a server that is down.
        self.not_before = Some(now + (ceiling / 10 + jitter.below(ceiling)));
    }

    /// Notes a success, or news that makes it worth trying at once.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// How many attempts in a row have failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether it is time.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }

    /// Until when to wait.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.not_before
    }
}

/// A seeded source of jitter (SplitMix64): the same seed gives the same pauses.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to, not including, `limit`; 0 for a limit of 0.
    fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_cap_and_a_success_ends_them() {
        let (mut backoff, mut jitter) = (Backoff::default(), Jitter::new(7));
        let now = Timestamp(1_000);
        assert!(backoff.is_due(now));
        for failure in 0..40 {
            backoff.attempt();
            backoff.fail(now, &mut jitter);
            let pause = backoff.deadline().unwrap().since(now);
            let ceiling = (FIRST << failure.min(20)).min(LONGEST);
            assert!((ceiling / 10..=ceiling + ceiling / 10).contains(&pause), "{failure}: {pause}");
            assert!(!backoff.is_due(now));
        }
        backoff.reset();
        assert!(backoff.is_due(now));
    }
}
