use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::{Caller, Claim};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::API_KEY_HEADER;
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
    /// Its key has sent too many.
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

    /// Lets a caller's request in for as long as the permit is held.
    pub(crate) fn admit(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<OwnedSemaphorePermit, Beyond> {
        if let Some(rate) = &self.rate {
            rate.check(caller, headers)?;
        }
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| Beyond::Requests)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(&LimitConfig::default())
    }
}

impl Rate {
    fn check(&self, caller: &Caller, headers: &HeaderMap) -> Result<(), Beyond> {
        if self.limiter.len() > REMEMBERED_KEYS {
            self.limiter.retain_recent();
        }
        let key = match subject(caller) {
            Some(subject) => self.hasher.hash_one(subject),
            None => self.hasher.hash_one(credentials(headers)),
        };
        self.limiter.check_key(&key).map_err(|_| Beyond::Rate(self.per_second))
    }
}

/// Whom a token is about: all tokens of one user count together.
fn subject(caller: &Caller) -> Option<&str> {
    let Caller::Known(identity) = caller else { return None };
    match identity.claims.get("sub") {
        Some(Claim::One(subject)) => Some(subject),
        Some(Claim::Several(_)) | None => None,
    }
}

fn credentials(headers: &HeaderMap) -> &[u8] {
    let shown = headers.get(API_KEY_HEADER).or_else(|| headers.get(AUTHORIZATION));
    shown.map(|value| value.as_bytes()).unwrap_or_default()
}

impl Beyond {
    /// What the client is told.
    pub(crate) fn error(self) -> RemoteError {
        let message = match self {
            Self::Rate(per_second) => {
                format!("this key sends more than {per_second} requests a second; try again")
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
    use super::*;

    fn key(key: &'static str) -> HeaderMap {
        [(API_KEY_HEADER.parse().unwrap(), key.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn each_key_has_a_rate_of_its_own() {
        let rate = NonZeroU32::new(2);
        let limits = Limits::new(&LimitConfig { rate, ..LimitConfig::default() });
        let admit = |headers| limits.admit(&Caller::with_api_key(), headers).map(drop);
        let (one, other) = (key("one"), key("other"));
        assert_eq!((admit(&one), admit(&one)), (Ok(()), Ok(())));
        assert_eq!(admit(&one), Err(Beyond::Rate(NonZeroU32::new(2).unwrap())));
        assert_eq!(admit(&other), Ok(()));
    }

    #[test]
    fn a_request_gives_its_place_back() {
        let limits = Limits::new(&LimitConfig { requests: 1, ..LimitConfig::default() });
        let admit = || limits.admit(&Caller::with_api_key(), &key("one"));
        let first = admit().unwrap();
        assert_eq!(admit().map(drop), Err(Beyond::Requests));
        drop(first);
        assert!(admit().is_ok());
    }
}
