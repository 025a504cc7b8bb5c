use std::sync::Arc;

use axum::http::HeaderMap;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::Caller;
use serde_json::{Map, Value as Json};

/// The header that carries an API key (contract 3.4).
pub const API_KEY_HEADER: &str = "x-api-key";

/// The key that opens a server which was given none. Everybody knows it, so such a server listens
/// on this machine only, unless told otherwise.
pub const DEMO_KEY: &str = "da2-espressync-demo";

/// Who may use the API: every holder of one of these keys may do everything. Tokens and access
/// rules come with the next issue, and with them other ways through this one door.
#[derive(Clone)]
pub struct Keys(Vec<String>);

impl Keys {
    /// These keys.
    #[must_use]
    pub fn new(keys: Vec<String>) -> Self {
        Self(keys)
    }

    /// Who sends an HTTP request with these headers.
    ///
    /// # Errors
    /// [`RemoteErrorKind::Unauthenticated`] without a key or with a wrong one.
    pub fn check_headers(&self, headers: &HeaderMap) -> Result<Arc<Caller>, RemoteError> {
        let key = headers.get(API_KEY_HEADER).map(|value| value.to_str().unwrap_or_default());
        self.check(key)
    }

    /// Who shows this header object in a realtime handshake or `start`.
    ///
    /// # Errors
    /// [`RemoteErrorKind::Unauthenticated`] without a key or with a wrong one.
    pub fn check_object(&self, header: &Map<String, Json>) -> Result<Arc<Caller>, RemoteError> {
        let named = |(name, _): &(&String, &Json)| name.eq_ignore_ascii_case(API_KEY_HEADER);
        let key = header.iter().find(named).map(|(_, key)| key.as_str().unwrap_or_default());
        self.check(key)
    }

    fn check(&self, given: Option<&str>) -> Result<Arc<Caller>, RemoteError> {
        let Some(given) = given else {
            let message = "You are not authorized to make this call: send an x-api-key.";
            return Err(RemoteError::new(RemoteErrorKind::Unauthenticated, message));
        };
        // Every key is compared, so that the time tells nothing of which one came close.
        let matches = self.0.iter().map(|key| is_same(key.as_bytes(), given.as_bytes()));
        if matches.fold(false, |any, one| any | one) {
            return Ok(Arc::new(Caller::with_api_key()));
        }
        let message = "You are not authorized to make this call: the x-api-key is not known here.";
        Err(RemoteError::new(RemoteErrorKind::Unauthenticated, message))
    }
}

/// Compares without stopping at the first difference.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && differences == 0
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Keys({} of them)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_and_no_other_text_does() {
        let keys = Keys::new(vec!["da2-one".into(), "da2-two".into()]);
        assert!(keys.check(Some("da2-two")).is_ok());
        for wrong in [None, Some(""), Some("da2-on"), Some("da2-one "), Some("DA2-ONE")] {
            let error = keys.check(wrong).unwrap_err();
            assert_eq!(error.kind, RemoteErrorKind::Unauthenticated);
            assert!(!error.message.contains("da2-"), "an error shows no key");
        }
        let header = |json: Json| json.as_object().unwrap().clone();
        assert!(keys.check_object(&header(serde_json::json!({ "x-api-key": "da2-one" }))).is_ok());
        assert!(keys.check_object(&header(serde_json::json!({ "x-api-key": 1 }))).is_err());
    }
}
