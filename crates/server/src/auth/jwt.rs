use std::collections::BTreeMap;
use std::path::PathBuf;

use espressync_model::Provider;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::{Claim, Identity};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::JwtConfig;
use super::jwks::{Found, KeySet};

/// The longest token that is looked at. Those of a user in hundreds of groups have some kilobytes.
const LONGEST: usize = 16 * 1024;

/// The shortest secret, by RFC 7518, section 3.2: as long as the hash.
const SHORTEST_SECRET: usize = 32;

/// Settings of tokens that do not go together, or keys that cannot be had.
#[derive(Debug, Error)]
pub enum JwtError {
    /// Nothing says by which keys tokens are signed.
    #[error("tokens need to be told from made-up ones: give --jwks or --jwt-secret")]
    NoKey,
    /// Two things say it.
    #[error("--jwks and --jwt-secret cannot be given both: a token is signed in one way")]
    TwoKeys,
    /// A secret that can be guessed.
    #[error("the --jwt-secret is too short: it needs {SHORTEST_SECRET} bytes, and random ones")]
    ShortSecret,
    /// A set of keys that anybody on the way could exchange.
    #[error("--jwks {url}: give an https address, for whoever sees to it signs tokens")]
    Insecure {
        /// Where it would be fetched from.
        url: String,
    },
    /// The file of keys cannot be used.
    #[error("cannot use the keys of --jwks {}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The tokens (JWT) that open the API. A token is checked for its signature, for the time it is
/// good in, for its issuer and its audience; what it says beyond that is for the `@auth` rules.
#[derive(Debug)]
pub struct Tokens {
    keys: Source,
    issuer: Option<String>,
    audience: Vec<String>,
    provider: Provider,
    leeway_seconds: u64,
}

/// The keys that sign tokens.
enum Source {
    Secret(DecodingKey),
    Set(Box<KeySet>),
}

/// Whether it matters that a token has expired.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Counts,
    Ignored,
}

impl Tokens {
    /// Tokens as these settings describe them. The keys of a file are read at once; those of a URL
    /// when they are needed, for their provider may start later than this server.
    ///
    /// # Errors
    /// [`JwtError`].
    pub fn new(config: JwtConfig) -> Result<Self, JwtError> {
        let keys = match (config.secret, config.jwks) {
            (None, None) => return Err(JwtError::NoKey),
            (Some(_), Some(_)) => return Err(JwtError::TwoKeys),
            (Some(secret), None) if secret.len() < SHORTEST_SECRET => {
                return Err(JwtError::ShortSecret);
            }
            (Some(secret), None) => Source::Secret(DecodingKey::from_secret(secret.as_bytes())),
            (None, Some(place)) => Source::Set(Box::new(KeySet::open(&place)?)),
        };
        Ok(Self {
            keys,
            issuer: config.issuer,
            audience: config.audience,
            provider: config.provider.provider(),
            leeway_seconds: config.leeway.as_secs(),
        })
    }

    /// Who it is that shows this token.
    ///
    /// # Errors
    /// [`RemoteErrorKind::Unauthenticated`] with what is wrong with it;
    /// [`RemoteErrorKind::Unavailable`] when the key to check it with cannot be had just now.
    pub async fn check(&self, token: &str) -> Result<Identity, RemoteError> {
        self.verify(token, Expiry::Counts).await
    }

    /// Whether nothing is wrong with a token but that it was good until some time ago.
    pub(super) async fn has_only_expired(&self, token: &str) -> bool {
        self.verify(token, Expiry::Ignored).await.is_ok()
    }

    async fn verify(&self, token: &str, expiry: Expiry) -> Result<Identity, RemoteError> {
        if token.len() > LONGEST {
            return Err(refused(&format!("Token is longer than {LONGEST} bytes.")));
        }
        let header = decode_header(token).map_err(|error| refused(words(&error)))?;
        let key = match &self.keys {
            Source::Secret(key) if header.alg == Algorithm::HS256 => key.clone(),
            Source::Secret(_) => return Err(refused(NOT_OURS)),
            Source::Set(set) => match set.find(header.kid.as_deref(), header.alg).await {
                Found::Key(key) => key,
                Found::None => return Err(refused(NOT_OURS)),
                Found::NotNow(reason) => {
                    return Err(RemoteError::new(RemoteErrorKind::Unavailable, reason));
                }
            },
        };
        let mut validation = self.validation(header.alg);
        validation.validate_exp = expiry == Expiry::Counts;
        let claims: Map<String, Json> =
            decode(token, &key, &validation).map_err(|error| refused(words(&error)))?.claims;
        if !self.is_for_us(&claims) {
            return Err(refused("Token is for another audience."));
        }
        Ok(Identity { provider: self.provider, claims: read_claims(claims) })
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.leeway_seconds;
        validation.validate_nbf = true;
        // The audience is checked below: the tokens of user pools have it elsewhere.
        validation.validate_aud = false;
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "iss"]);
        }
        validation
    }

    /// Whether a token is for this audience. A user pool's access tokens have no `aud`; for whom
    /// they are is in `client_id`, and with some other providers in `azp`.
    fn is_for_us(&self, claims: &Map<String, Json>) -> bool {
        if self.audience.is_empty() {
            return true;
        }
        let is_ours = |name: &Json| {
            name.as_str().is_some_and(|name| self.audience.iter().any(|known| known == name))
        };
        let named = ["aud", "client_id", "azp"].iter().find_map(|claim| claims.get(*claim));
        match named {
            Some(Json::Array(names)) => names.iter().any(is_ours),
            Some(name) => is_ours(name),
            None => false,
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Secret(_) => out.write_str("Secret(..)"),
            Self::Set(set) => set.fmt(out),
        }
    }
}

const NOT_OURS: &str = "Token is not signed by a key that is known here.";

/// What is wrong with a token, in AppSync's words where those are known.
#[allow(clippy::wildcard_enum_match_arm, reason = "the library's, of which more may come")]
fn words(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::ExpiredSignature => "Token has expired.",
        ErrorKind::ImmatureSignature => "Token is not good yet.",
        ErrorKind::InvalidIssuer => "Token is of another issuer.",
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => NOT_OURS,
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => "Token has no expiry.",
        ErrorKind::MissingRequiredClaim(_) => "Token lacks a claim that is asked for.",
        _ => "Unable to parse JWT token.",
    }
}

fn refused(message: &str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Unauthenticated, message)
}

/// The claims that rules can ask for: texts, numbers and truths as text, and lists of them.
fn read_claims(claims: Map<String, Json>) -> BTreeMap<String, Claim> {
    let read = claims.into_iter().filter_map(|(name, value)| {
        let claim = match value.as_array() {
            Some(values) => Claim::Several(values.iter().filter_map(text_of).collect()),
            None => Claim::One(text_of(&value)?),
        };
        Some((name, claim))
    });
    read.collect()
}

fn text_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
