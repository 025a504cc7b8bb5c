use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use espressync_model::Provider;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::{Caller, Claim};
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Shown;
use crate::config::LimitConfig;

/// Beyond so many keys those that are within their rate are forgotten, which changes nothing for
/// them.
const REMEMBERED_KEYS: usize = 10_000;

/// How much the server takes on, so that it stays quick for what it has taken on. Who is beyond it
/// is told to come again in the way that loses no write (see
/// [`Api::put_off`](crate::Api::put_off)).
#[derive(Debug)]
pub struct Limits {
    /// The largest body of a request.
    pub(crate) body: usize,
    /// How long a request may take to arrive, and a query to be answered. A mutation that has
    /// arrived is always answered.
    pub(crate) time: Duration,
    requests: Arc<Semaphore>,
    rate: Option<Rate>,
}

#[derive(Debug)]
struct Rate {
    per_second: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<u64>,
    /// Of what tells callers apart only a hash is kept, which nobody can turn back.
    hasher: RandomState,
}

/// Why a request is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Its key has asked for too much.
    Rate(NonZeroU32),
    /// Too many are under way.
    Requests,
}

impl Limits {
    /// These limits.
    #[must_use]
    pub fn new(config: &LimitConfig) -> Self {
        let rate = config.rate.map(|per_second| Rate {
            per_second,
            limiter: RateLimiter::keyed(Quota::per_second(per_second)),
            hasher: RandomState::new(),
        });
        let requests = config.requests.min(Semaphore::MAX_PERMITS);
        let requests = Arc::new(Semaphore::new(requests));
        Self { body: config.body, time: config.time, requests, rate }
    }

    /// Lets a caller's request in for as long as the permit is held. `shown` is what they were let
    /// in by, and `weight` is how much they ask for.
    pub(crate) fn admit(
        &self,
        caller: &Caller,
        shown: &Shown,
        weight: impl FnOnce() -> NonZeroU32,
    ) -> Result<OwnedSemaphorePermit, Beyond> {
        if let Some(rate) = &self.rate {
            let checked = rate.check(caller, shown, weight());
            checked.map_err(|_| Beyond::Rate(rate.per_second))?;
        }
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| Beyond::Requests)
    }

    /// Resolves when a caller may ask for one thing more.
    pub(crate) async fn turn(&self, caller: &Caller, shown: &Shown) {
        let Some(rate) = &self.rate else { return };
        while let Err(wait) = rate.check(caller, shown, NonZeroU32::MIN) {
            tokio::time::sleep(wait).await;
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(&LimitConfig::default())
    }
}

impl Rate {
    /// Counts what somebody asks for. What is more than they may ask for in a second is let in
    /// where it is the first for as long, and counts as so much. An error says how long it takes
    /// until there is room.
    fn check(&self, caller: &Caller, shown: &Shown, weight: NonZeroU32) -> Result<(), Duration> {
        if self.limiter.len() > REMEMBERED_KEYS {
            self.limiter.retain_recent();
        }
        let key = self.hasher.hash_one(Who::of(caller, shown));
        match self.limiter.check_key_n(&key, weight.min(self.per_second)) {
            Ok(Err(until)) => Err(until.wait_time_from(self.limiter.clock().now())),
            // There is always room for what is no more than the rate.
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}

/// What tells callers apart: what has let them in, whatever they show beside it.
#[derive(Hash)]
enum Who<'a> {
    /// All tokens of one user count together.
    User(&'a str),
    Token(Option<&'a str>),
    Key(Option<&'a str>),
}

impl<'a> Who<'a> {
    fn of(caller: &'a Caller, shown: &'a Shown) -> Self {
        match caller {
            Caller::Known(identity) if identity.provider != Provider::ApiKey => {
                match identity.claims.get("sub") {
                    Some(Claim::One(subject)) => Self::User(subject),
                    Some(Claim::Several(_)) | None => Self::Token(shown.token.as_deref()),
                }
            }
            Caller::Known(_) | Caller::Operator => Self::Key(shown.key.as_deref()),
        }
    }
}

impl Beyond {
    /// What the client is told.
    pub(crate) fn error(self) -> RemoteError {
        let message = match self {
            Self::Rate(per_second) => {
                format!("this key asks for more than {per_second} things a second; try again")
            }
            Self::Requests => {
                "the server has more requests under way than it takes; try again".to_owned()
            }
        };
        RemoteError::new(RemoteErrorKind::Throttled, message)
    }
}

#[cfg(test)]
mod tests {
    use espressync_resolver::Identity;

    use super::*;

    fn one() -> NonZeroU32 {
        NonZeroU32::MIN
    }

    fn limited(rate: u32) -> Limits {
        Limits::new(&LimitConfig { rate: NonZeroU32::new(rate), ..LimitConfig::default() })
    }

    #[test]
    fn each_key_has_a_rate_of_its_own() {
        let limits = limited(2);
        let admit = |key| limits.admit(&Caller::with_api_key(), &Shown::key(key), one).map(drop);
        assert_eq!((admit("one"), admit("one")), (Ok(()), Ok(())));
        assert_eq!(admit("one"), Err(Beyond::Rate(NonZeroU32::new(2).unwrap())));
        assert_eq!(admit("other"), Ok(()));
    }

    #[test]
    fn a_request_counts_for_what_it_asks_and_is_let_in_once_however_large() {
        let limits = limited(10);
        let admit = |key, weight| {
            let weight = || NonZeroU32::new(weight).unwrap();
            limits.admit(&Caller::with_api_key(), &Shown::key(key), weight).is_ok()
        };
        assert_eq!([admit("a", 5), admit("a", 5), admit("a", 5)], [true, true, false]);
        assert_eq!([admit("b", 5), admit("b", 9), admit("b", 5)], [true, false, true]);
        assert_eq!([admit("c", 500), admit("c", 1)], [true, false]);
    }

    #[test]
    fn who_comes_by_a_token_counts_by_it_whatever_key_they_show_beside() {
        let user = |claims: &[(&str, &str)]| {
            let claims = claims.iter();
            let claims =
                claims.map(|(name, text)| (name.to_string(), Claim::One(text.to_string())));
            let (provider, claims) = (Provider::UserPools, claims.collect());
            Caller::Known(Identity { provider, claims })
        };
        let shown = |token: &str, key: &str| Shown {
            token: Some(token.to_owned()),
            key: Some(key.to_owned()),
        };
        let (limits, key) = (limited(1), Caller::with_api_key());
        let check = |caller: &Caller, shown: &Shown, expected: bool| {
            assert_eq!(limits.admit(caller, shown, one).is_ok(), expected, "{caller:?}");
        };
        // One user with two tokens, and keys that did not let them in.
        check(&user(&[("sub", "ann")]), &shown("t1", "k1"), true);
        check(&user(&[("sub", "ann")]), &shown("t2", "k2"), false);
        check(&user(&[("sub", "bob")]), &shown("t3", "k1"), true);
        check(&user(&[]), &shown("t4", "k1"), true);
        check(&user(&[]), &shown("t4", "k2"), false);
        check(&user(&[]), &shown("t5", "k1"), true);
        check(&key, &Shown::key("k1"), true);
        check(&key, &shown("Basic Zm9v", "k1"), false);
        // A key that is called as a user is.
        check(&key, &Shown::key("ann"), true);
    }

    #[test]
    fn a_request_gives_its_place_back() {
        let limits = Limits::new(&LimitConfig { requests: 1, ..LimitConfig::default() });
        let admit = || limits.admit(&Caller::with_api_key(), &Shown::key("one"), one);
        let first = admit().unwrap();
        assert_eq!(admit().map(drop), Err(Beyond::Requests));
        drop(first);
        assert!(admit().is_ok());
    }
}
