use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;

use super::JwtError;

/// How often the keys are asked for at most, whoever shows tokens of unknown keys.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// After this long keys are asked for again, so that one that was taken back is not good for ever.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How many keys that were not there are remembered between two times that the set is asked for.
/// Tokens of those beyond are put off once more.
const STRANGERS: usize = 10_000;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may be, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The public keys by which an identity provider signs tokens: a JSON Web Key Set, kept, and read
/// anew when a token names a key that is not in it.
///
/// A provider may have begun to sign with a new key since the set was read, and the set is not read
/// for every token. So a token of an unknown key is refused for good only by a set that was read
/// after somebody had shown that key; until then it is put off, for `aws-amplify` gives up the
/// mutation that is refused with a 401.
pub(super) struct KeySet {
    place: Place,
    known: RwLock<Option<Known>>,
    /// How the keys were last asked for; held while they are.
    asked: Mutex<Asked>,
    /// How often they are asked for at most.
    ask_again: Duration,
    /// Of the names of unknown keys, which strangers choose, only hashes are kept.
    hasher: RandomState,
}

#[derive(Default)]
struct Asked {
    at: Option<Instant>,
    /// Why they were not got.
    failed: Option<String>,
    /// The keys that were looked for before they were last read, and were not there then.
    strangers: HashSet<u64>,
    /// Those that were looked for since.
    waiting: HashSet<u64>,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Url(String),
}

#[derive(Clone)]
struct Known {
    keys: Arc<JwkSet>,
    /// When somebody began to read them.
    at: Instant,
}

/// What came of looking for a key.
pub(super) enum Found {
    Key(DecodingKey),
    /// There is no such key, or it is not for this algorithm.
    None,
    /// That cannot be told just now.
    NotNow(String),
}

impl KeySet {
    /// The set of a file, which has to be good, or of a URL, which is asked when a token comes.
    pub(super) fn open(place: &str) -> Result<Self, JwtError> {
        let place = match place.split_once("://") {
            None => Place::File(PathBuf::from(place)),
            Some(("https", _)) => Place::Url(place.to_owned()),
            Some(("http", rest)) if is_this_machine(rest) => Place::Url(place.to_owned()),
            Some(_) => return Err(JwtError::Insecure { url: place.to_owned() }),
        };
        let known = match &place {
            Place::File(file) => {
                let failed = |reason| JwtError::File { file: file.clone(), reason };
                Some(Known { keys: Arc::new(read(&place).map_err(failed)?), at: Instant::now() })
            }
            Place::Url(_) => None,
        };
        Ok(Self {
            place,
            known: RwLock::new(known),
            asked: Mutex::default(),
            ask_again: ASK_AGAIN,
            hasher: RandomState::new(),
        })
    }

    /// The key by which a token says that it is signed.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found {
        let since = Instant::now();
        let fresh = self.known().filter(|known| known.at.elapsed() < FRESH);
        if let Some(Known { keys, .. }) = fresh {
            match choose(&keys, id) {
                Some(key) => return usable(&key, algorithm),
                // A provider of several keys names the one by which it signs.
                None if id.is_none() && keys.keys.len() > 1 => return Found::None,
                None => {}
            }
        }
        let asked = self.ask(id, since).await;
        let held = self.known().and_then(|known| choose(&known.keys, id));
        match (held, asked) {
            (Some(key), _) => usable(&key, algorithm),
            (None, Ok(())) => Found::None,
            (None, Err(reason)) => Found::NotNow(reason),
        }
    }

    /// Reads the keys anew, unless that was tried just now or somebody else has done it since. An
    /// error says why a key that is not there now may be there all the same.
    async fn ask(&self, id: Option<&str>, since: Instant) -> Result<(), String> {
        let mut asked = self.asked.lock().await;
        if self.known().is_some_and(|known| known.at >= since) {
            return Ok(());
        }
        let key = self.hasher.hash_one(id);
        if asked.at.is_some_and(|at| at.elapsed() < self.ask_again) {
            return asked.meanwhile(key);
        }
        let (place, at) = (self.place.clone(), Instant::now());
        let read = tokio::task::spawn_blocking(move || read(&place)).await;
        asked.at = Some(Instant::now());
        match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(keys) => {
                let known = Known { keys: Arc::new(keys), at };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
                asked.failed = None;
                asked.strangers = std::mem::take(&mut asked.waiting);
                asked.strangers.insert(key);
                Ok(())
            }
            Err(reason) => {
                tracing::warn!(place = ?self.place, reason, "cannot read the keys of tokens");
                let reason = format!("the keys that sign tokens cannot be read: {reason}");
                asked.failed = Some(reason.clone());
                Err(reason)
            }
        }
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Asked {
    /// Whether a key is known not to exist, until the set may be asked for again.
    fn meanwhile(&mut self, key: u64) -> Result<(), String> {
        if let Some(reason) = &self.failed {
            return Err(reason.clone());
        }
        if self.strangers.contains(&key) {
            return Ok(());
        }
        if self.waiting.len() < STRANGERS {
            self.waiting.insert(key);
        }
        Err("the key of this token is not known yet, and is looked for soon; try again".to_owned())
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("KeySet").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The key of an id. A token that names none is taken to mean the only key there is.
fn choose(keys: &JwkSet, id: Option<&str>) -> Option<Jwk> {
    match (id, keys.keys.as_slice()) {
        (Some(id), _) => keys.find(id).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

/// The key, if it is one for such signatures. The key decides over the algorithm, not the token:
/// else a public key could be taken for a shared secret.
fn usable(key: &Jwk, algorithm: Algorithm) -> Found {
    let is_of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        AlgorithmParameters::EllipticCurve(key) => {
            (key.curve == EllipticCurve::P256 && algorithm == Algorithm::ES256)
                || (key.curve == EllipticCurve::P384 && algorithm == Algorithm::ES384)
        }
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        // A shared secret does not belong into a set that is published.
        AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_) | _ => false,
    };
    let is_said = key.common.key_algorithm.is_none_or(|said| said == algorithm.into());
    let is_to_sign =
        key.common.public_key_use.as_ref().is_none_or(|what| *what == PublicKeyUse::Signature);
    match DecodingKey::from_jwk(key) {
        Ok(key) if is_of_kind && is_said && is_to_sign => Found::Key(key),
        Ok(_) | Err(_) => Found::None,
    }
}

fn read(place: &Place) -> Result<JwkSet, String> {
    let text = match place {
        Place::File(file) => std::fs::read_to_string(file).map_err(|error| error.to_string())?,
        Place::Url(url) => fetch(url).map_err(|error| error.to_string())?,
    };
    serde_json::from_str(&text).map_err(|error| format!("it is no JSON Web Key Set: {error}"))
}

fn fetch(url: &str) -> Result<String, ureq::Error> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        // To another place than the one that was trusted.
        .max_redirects(0)
        .build();
    let mut answer = config.new_agent().get(url).call()?;
    answer.body_mut().with_config().limit(LONGEST).read_to_string()
}

/// Whether the rest of a URL, after its scheme, is of this machine.
fn is_this_machine(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set with one key of each name.
    fn set(names: &[&str]) -> String {
        let key = |name: &&str| {
            serde_json::json!({
                "kty": "OKP", "crv": "Ed25519", "kid": name,
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            })
        };
        serde_json::json!({ "keys": names.iter().map(key).collect::<Vec<_>>() }).to_string()
    }

    #[tokio::test]
    async fn a_key_is_unknown_for_good_only_by_a_set_read_after_it_was_asked_for() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("jwks.json");
        std::fs::write(&file, set(&["old"])).unwrap();
        let mut keys = KeySet::open(&file.display().to_string()).unwrap();
        let check = async |keys: &KeySet, id: &str, expected: &str| {
            let found = match keys.find(Some(id), Algorithm::EdDSA).await {
                Found::Key(_) => "there",
                Found::None => "not there",
                Found::NotNow(_) => "not now",
            };
            assert_eq!(found, expected, "{id}");
        };
        check(&keys, "old", "there").await;
        check(&keys, "stranger", "not there").await;
        // The provider changes its key within the time in which it is not asked again.
        std::fs::write(&file, set(&["new"])).unwrap();
        check(&keys, "new", "not now").await;
        check(&keys, "other", "not now").await;
        check(&keys, "stranger", "not there").await;
        keys.ask_again = Duration::ZERO;
        check(&keys, "new", "there").await;
        keys.ask_again = ASK_AGAIN;
        check(&keys, "other", "not there").await;
        check(&keys, "another", "not now").await;
        // Where the set cannot be read, nobody is a stranger for certain.
        std::fs::write(&file, "").unwrap();
        keys.ask_again = Duration::ZERO;
        check(&keys, "other", "not now").await;
        check(&keys, "new", "there").await;
    }

    #[test]
    fn strangers_are_forgotten_beyond_a_number() {
        let mut asked = Asked::default();
        let most = u64::try_from(STRANGERS).unwrap();
        for key in 0..most + 5 {
            assert!(asked.meanwhile(key).is_err());
        }
        assert_eq!(asked.waiting.len(), STRANGERS);
    }

    #[test]
    fn keys_come_from_files_and_over_safe_ways() {
        let check = |place: &str, is_refused: bool| {
            let refused = matches!(KeySet::open(place), Err(JwtError::Insecure { .. }));
            assert_eq!(refused, is_refused, "{place}");
        };
        check("https://id.example/.well-known/jwks.json", false);
        check("http://localhost:8080/jwks", false);
        check("http://127.0.0.1:8080/jwks", false);
        check("http://[::1]:8080/jwks", false);
        check("http://id.example/jwks", true);
        check("http://127.0.0.1.evil.example/jwks", true);
        check("http://localhost@evil.example/jwks", true);
        check("ftp://localhost/jwks", true);
        check("/nowhere/jwks.json", false);
        let error = KeySet::open("/nowhere/jwks.json").unwrap_err().to_string();
        assert!(error.starts_with("cannot use the keys of --jwks /nowhere/jwks.json: "), "{error}");
    }
}
