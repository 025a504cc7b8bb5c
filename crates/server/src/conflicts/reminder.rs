use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use espressync_model::ModelId;

use crate::backend::Undecided;

/// How often the log says the same.
const PAUSE: Duration = Duration::from_mins(1);

/// Sees to it that what goes wrong again and again is said now and then.
#[derive(Debug, Default)]
pub(super) struct Reminder(Mutex<BTreeMap<(ModelId, Undecided), Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    left_out: u64,
}

impl Reminder {
    /// Whether it is time to say this of a model; then how often it has not been said since.
    pub(super) fn is_due(&self, model: ModelId, reason: Undecided, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = said.get_mut(&(model, reason)) else {
            said.insert((model, reason), Said { at: now, left_out: 0 });
            return Some(0);
        };
        if now.duration_since(last.at) < PAUSE {
            last.left_out += 1;
            return None;
        }
        let left_out = last.left_out;
        *last = Said { at: now, left_out: 0 };
        Some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute() {
        let (reminder, start) = (Reminder::default(), Instant::now());
        let is_due = |model, reason, seconds| {
            reminder.is_due(ModelId(model), reason, start + Duration::from_secs(seconds))
        };
        for (model, reason, seconds, expected) in [
            (0, Undecided::BadAnswer, 0, Some(0)),
            (0, Undecided::BadAnswer, 1, None),
            (1, Undecided::BadAnswer, 1, Some(0)),
            (0, Undecided::NoAnswer, 2, Some(0)),
            (0, Undecided::BadAnswer, 59, None),
            (0, Undecided::BadAnswer, 60, Some(2)),
            (0, Undecided::BadAnswer, 119, None),
        ] {
            assert_eq!(is_due(model, reason, seconds), expected, "{model} {reason:?} {seconds}");
        }
    }
}
