//! Who may use the API (contract 3.4, 5.2): who shows a good API key, or a good token where the
//! server takes tokens. What they may do then is for the schema's `@auth` rules.
//!
//! - Where both a token and a key are shown and the server takes tokens, the token counts, because
//!   it says more of who asks; a bad token beside a good key is refused.
//! - A realtime socket outlives the token that opened it, as with AppSync; but each `start` shows
//!   credentials that are checked anew, those of the handshake where it has none of its own.
//! - A token whose issuer cannot be asked for its keys just now, or not so soon again, is refused
//!   as unavailable, which passes, and not as unauthenticated.
//! - A token that has expired is refused with a 401, at which clients get another. But the
//!   DataStore of `aws-amplify` gives up the mutation that is answered so (contract 6.4), so a
//!   mutation of its is put off; it comes again with the token that the app has by then.

mod file;
mod jwks;
mod jwt;
mod keys;
mod settings;

use std::sync::Arc;

use axum::http::HeaderMap;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::Caller;
use serde_json::{Map, Value as Json};

pub use file::{KeyFile, KeyFileError, NewKey, StoredKey};
pub use jwt::{JwtError, Tokens};
pub use keys::Keys;
pub use settings::{JwtConfig, JwtSettings, TokenProvider};

/// The header that carries an API key (contract 3.4).
pub const API_KEY_HEADER: &str = "x-api-key";

/// The header that carries a token.
const TOKEN_HEADER: &str = "authorization";

/// The key that opens a server which was given none. Everybody knows it, so such a server listens
/// on this machine only, unless told otherwise.
pub const DEMO_KEY: &str = "da2-espressync-demo";

/// The door of the API.
#[derive(Debug)]
pub struct Gate {
    keys: Keys,
    tokens: Option<Tokens>,
}

/// What somebody shows to be let in.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Shown {
    pub(crate) key: Option<String>,
    pub(crate) token: Option<String>,
}

impl Gate {
    /// A door that these keys open.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self { keys, tokens: None }
    }

    /// This door, which tokens open too.
    #[must_use]
    pub fn with_tokens(self, tokens: Option<Tokens>) -> Self {
        Self { tokens, ..self }
    }

    /// Who it is that shows this.
    ///
    /// # Errors
    /// [`RemoteErrorKind::Unauthenticated`] for whoever shows nothing good,
    /// [`RemoteErrorKind::Unavailable`] where that cannot be told just now.
    pub async fn admit(&self, shown: &Shown) -> Result<Arc<Caller>, RemoteError> {
        let caller = match (&self.tokens, &shown.token, &shown.key) {
            (Some(tokens), Some(token), _) => Caller::Known(tokens.check(token).await?),
            (_, _, Some(key)) => {
                self.keys.check(key)?;
                Caller::with_api_key()
            }
            (None, Some(_), None) => {
                return Err(unauthenticated("this server takes API keys only"));
            }
            (None, None, None) => return Err(unauthenticated("send an x-api-key")),
            (Some(_), None, None) => {
                return Err(unauthenticated("send a token as authorization, or an x-api-key"));
            }
        };
        Ok(Arc::new(caller))
    }

    /// Whether somebody who is not let in shows a token that was good until it has expired.
    pub(crate) async fn has_expired(&self, shown: &Shown) -> bool {
        match (&self.tokens, &shown.token) {
            (Some(tokens), Some(token)) => tokens.has_only_expired(token).await,
            (None, _) | (_, None) => false,
        }
    }

    /// Whether what once let somebody in, who is still here, does so now: a key that was revoked
    /// or has expired does not. A token that expires ends nothing that has begun, as with AppSync.
    ///
    /// # Errors
    /// [`RemoteErrorKind::Unauthenticated`].
    pub fn still(&self, shown: &Shown) -> Result<(), RemoteError> {
        match (&self.tokens, &shown.token, &shown.key) {
            (Some(_), Some(_), _) | (_, _, None) => Ok(()),
            (_, _, Some(key)) => self.keys.check(key),
        }
    }
}

impl Shown {
    /// What an HTTP request shows.
    #[must_use]
    pub fn in_headers(headers: &HeaderMap) -> Self {
        let header = |name| Some(headers.get(name)?.to_str().unwrap_or_default());
        Self::of(header(API_KEY_HEADER), header(TOKEN_HEADER))
    }

    /// What the header object of a realtime handshake or `start` shows.
    #[must_use]
    pub fn in_object(header: &Map<String, Json>) -> Self {
        let named = |name: &str| {
            let mut members = header.iter();
            let (_, value) = members.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            Some(value.as_str().unwrap_or_default())
        };
        Self::of(named(API_KEY_HEADER), named(TOKEN_HEADER))
    }

    /// An API key.
    #[must_use]
    pub fn key(key: &str) -> Self {
        Self::of(Some(key), None)
    }

    /// A token, with or without `Bearer`.
    #[must_use]
    pub fn token(token: &str) -> Self {
        Self::of(None, Some(token))
    }

    fn of(key: Option<&str>, token: Option<&str>) -> Self {
        let token = token.map(|token| {
            let (scheme, rest) = token.split_once(' ').unwrap_or_default();
            let is_bearer = scheme.eq_ignore_ascii_case("bearer");
            if is_bearer { rest.trim().to_owned() } else { token.to_owned() }
        });
        Self { key: key.map(ToOwned::to_owned), token }
    }
}

/// What was shown stays out of whatever prints this.
impl std::fmt::Debug for Shown {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Shown")
            .field("key", &self.key.is_some())
            .field("token", &self.token.is_some())
            .finish()
    }
}

/// The refusal of whoever shows nothing good, with what to do.
fn unauthenticated(what: &str) -> RemoteError {
    let message = format!("You are not authorized to make this call: {what}.");
    RemoteError::new(RemoteErrorKind::Unauthenticated, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_is_found_in_headers_and_objects() {
        let object = |json: Json| Shown::in_object(json.as_object().unwrap());
        let check = |shown: Shown, key: Option<&str>, token: Option<&str>| {
            assert_eq!((shown.key.as_deref(), shown.token.as_deref()), (key, token));
        };
        check(object(json!({ "x-api-key": "k" })), Some("k"), None);
        check(object(json!({ "X-Api-Key": 1 })), Some(""), None);
        check(object(json!({ "Authorization": "a.b.c", "host": "h" })), None, Some("a.b.c"));
        check(object(json!({ "authorization": "Bearer a.b.c" })), None, Some("a.b.c"));
        check(object(json!({ "authorization": "bearer  a.b.c " })), None, Some("a.b.c"));
        check(object(json!({ "authorization": "Basic Zm9v" })), None, Some("Basic Zm9v"));
        check(object(json!({})), None, None);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer t".parse().unwrap());
        headers.insert("x-api-key", "k".parse().unwrap());
        check(Shown::in_headers(&headers), Some("k"), Some("t"));
        assert!(!format!("{:?}", Shown::key("secret")).contains("secret"));
    }

    #[tokio::test]
    async fn a_door_without_tokens_knows_keys_only() {
        let gate = Gate::new(Keys::new(vec!["da2-one".into()]));
        assert_eq!(*gate.admit(&Shown::key("da2-one")).await.unwrap(), Caller::with_api_key());
        let both = Shown { key: Some("da2-one".into()), token: Some("Basic Zm9v".into()) };
        assert!(gate.admit(&both).await.is_ok());
        for wrong in [Shown::default(), Shown::key("da2-two"), Shown::token("a.b.c")] {
            let error = gate.admit(&wrong).await.unwrap_err();
            assert_eq!(error.kind, RemoteErrorKind::Unauthenticated);
            assert!(!error.message.contains("da2-"), "an error shows no key");
        }
    }
}
