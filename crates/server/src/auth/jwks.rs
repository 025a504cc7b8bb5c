use std::fmt;
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

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may be, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The public keys by which an identity provider signs tokens: a JSON Web Key Set, kept, and read
/// anew when a token names a key that is not in it.
pub(super) struct KeySet {
    place: Place,
    known: RwLock<Option<Known>>,
    /// How the keys were last asked for; held while they are.
    asked: Mutex<Option<Asked>>,
}

struct Asked {
    at: Instant,
    /// Why they were not got.
    failed: Option<String>,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Url(String),
}

#[derive(Clone)]
struct Known {
    keys: Arc<JwkSet>,
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
        Ok(Self { place, known: RwLock::new(known), asked: Mutex::default() })
    }

    /// The key by which a token says that it is signed.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found {
        let known = self.known();
        let held = known.as_ref().and_then(|known| choose(&known.keys, id));
        let is_fresh = known.as_ref().is_some_and(|known| known.at.elapsed() < FRESH);
        if let (Some(key), true) = (&held, is_fresh) {
            return usable(key, algorithm);
        }
        let asked = self.ask(known.map(|known| known.at)).await;
        let held = self.known().and_then(|known| choose(&known.keys, id));
        match (held, asked) {
            (Some(key), _) => usable(&key, algorithm),
            (None, Ok(())) => Found::None,
            (None, Err(reason)) => Found::NotNow(reason),
        }
    }

    /// Reads the keys anew, unless that was tried just now or somebody else has done it since.
    async fn ask(&self, before: Option<Instant>) -> Result<(), String> {
        let mut asked = self.asked.lock().await;
        let is_newer = self.known().map(|known| known.at) > before;
        if is_newer {
            return Ok(());
        }
        if let Some(asked) = asked.as_ref().filter(|asked| asked.at.elapsed() < ASK_AGAIN) {
            return asked.failed.clone().map_or(Ok(()), Err);
        }
        let place = self.place.clone();
        let read = tokio::task::spawn_blocking(move || read(&place)).await;
        let at = Instant::now();
        let failed = match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(keys) => {
                let known = Known { keys: Arc::new(keys), at };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
                None
            }
            Err(reason) => {
                tracing::warn!(place = ?self.place, reason, "cannot read the keys of tokens");
                Some(format!("the keys that sign tokens cannot be read: {reason}"))
            }
        };
        *asked = Some(Asked { at, failed: failed.clone() });
        failed.map_or(Ok(()), Err)
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
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
