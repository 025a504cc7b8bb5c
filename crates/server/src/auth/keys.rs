use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use espressync_model::Timestamp;
use espressync_model::remote::RemoteError;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::unauthenticated;
use crate::auth::{KeyFile, KeyFileError, StoredKey};
use crate::clock::system_time;

/// How long a change of the file of keys may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is kept of a key. Keys are long and random, so one round is enough: nobody can try them
/// all.
pub(super) type Hash = [u8; 32];

/// The keys that open the API: those that the server was started with, and those of a file, which
/// may change while it runs. Of none more than a hash is kept.
#[derive(Debug)]
pub struct Keys {
    given: Vec<Hash>,
    stored: Option<Stored>,
}

/// The keys of a file, as they were when it was last looked at.
#[derive(Debug)]
struct Stored {
    file: KeyFile,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    keys: Vec<StoredKey>,
    /// What the file looked like.
    mark: Option<super::file::Mark>,
    at: Instant,
}

impl Keys {
    /// These keys.
    #[must_use]
    pub fn new(keys: Vec<String>) -> Self {
        Self { given: keys.iter().map(|key| hash(key)).collect(), stored: None }
    }

    /// These keys and those of a file, which need not be there yet.
    ///
    /// # Errors
    /// What is wrong with the file. Later on, what was known before is kept then.
    pub fn and_of(self, file: KeyFile) -> Result<Self, KeyFileError> {
        let (mark, keys) = (file.mark(), file.read()?);
        let seen = Mutex::new(Seen { keys, mark, at: Instant::now() });
        Ok(Self { stored: Some(Stored { file, seen }), ..self })
    }

    /// Whether a key opens the API now.
    pub(super) fn check(&self, shown: &str) -> Result<(), RemoteError> {
        self.check_at(shown, system_time())
    }

    fn check_at(&self, shown: &str, now: Timestamp) -> Result<(), RemoteError> {
        let shown = hash(shown);
        // Every key is compared, so that the time tells nothing of which one came close.
        let given = self.given.iter().fold(Choice::from(0), |any, key| any | key.ct_eq(&shown));
        if given.into() {
            return Ok(());
        }
        match self.stored.as_ref().and_then(|stored| stored.find(&shown)) {
            Some(key) if key.has_expired(now) => Err(unauthenticated("the x-api-key has expired")),
            Some(_) => Ok(()),
            None => Err(unauthenticated("the x-api-key is not known here")),
        }
    }
}

impl Stored {
    fn find(&self, shown: &Hash) -> Option<StoredKey> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at.elapsed() >= LOOK_AGAIN {
            seen.at = Instant::now();
            self.look_again(&mut seen);
        }
        let same = |found: Option<StoredKey>, key: &StoredKey| match key.hash.ct_eq(shown).into() {
            true => Some(key.clone()),
            false => found,
        };
        seen.keys.iter().fold(None, same)
    }

    /// Reads the file if it has changed. One that cannot be read changes nothing: a disk that is
    /// full must not lock a shop out.
    fn look_again(&self, seen: &mut Seen) {
        let mark = self.file.mark();
        if mark == seen.mark {
            return;
        }
        match self.file.read() {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "the stored API keys have changed");
                (seen.keys, seen.mark) = (keys, mark);
            }
            Err(error) => tracing::error!(%error, "the API keys known before stay in force"),
        }
    }
}

pub(super) fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_and_no_other_text_does() {
        let keys = Keys::new(vec!["da2-one".into(), "da2-two".into()]);
        assert!(keys.check("da2-two").is_ok());
        for wrong in ["", "da2-on", "da2-one ", "DA2-ONE"] {
            assert!(keys.check(wrong).is_err());
        }
        assert!(!format!("{keys:?}").contains("da2-"));
    }

    #[test]
    fn a_running_server_sees_keys_come_and_go() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = KeyFile::of(&folder.path().join("data.sqlite"));
        let keys = Keys::new(Vec::new()).and_of(file.clone()).unwrap();
        let look = |keys: &Keys| {
            let stored = keys.stored.as_ref().unwrap();
            stored.look_again(&mut stored.seen.lock().unwrap());
        };
        let now = Timestamp(1_000);
        let lasting = file.create("till", None, now).unwrap();
        let expiring = file.create("guest", Some(Timestamp(2_000)), now).unwrap();
        look(&keys);
        let check = |key: &String, at: i64| keys.check_at(key, Timestamp(at)).is_ok();
        assert!(check(&lasting.key, 1_999) && check(&expiring.key, 1_999));
        assert!(check(&lasting.key, 2_000) && !check(&expiring.key, 2_000));
        file.revoke(&lasting.stored.id).unwrap();
        look(&keys);
        assert!(!check(&lasting.key, 1_999) && check(&expiring.key, 1_999));
        std::fs::write(folder.path().join("data.sqlite.keys"), "coffee").unwrap();
        look(&keys);
        assert!(check(&expiring.key, 1_999), "what cannot be read changes nothing");
        assert!(Keys::new(Vec::new()).and_of(file).is_err(), "but a server does not start so");
    }
}
