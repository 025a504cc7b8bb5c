//! What `nextToken` says is not for everybody: it names the last record that a page has looked at,
//! which its reader may not be allowed to see. So whoever does not see everything gets tokens that
//! are sealed, and can use no others: by made-up ones they could feel for records as by a filter.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use espressync_resolver::Caller;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::Api;
use super::document::Selected;
use super::execution::Execution;

/// The argument, and the field, of pages.
const NEXT_TOKEN: &str = "nextToken";

/// Closes and opens tokens. Its key is the database's own, so that a page follows on the one
/// before it across a restart.
pub(super) struct Seal(Option<LessSafeKey>);

impl Seal {
    pub(super) fn new(secret: &str) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &Sha256::digest(secret.as_bytes()));
        Self(key.ok().map(LessSafeKey::new))
    }

    /// A token that only this server can read, and only for the same field.
    fn close(&self, field: &str, token: String) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut text = token.into_bytes();
        let (sealed, of) = (Nonce::assume_unique_for_key(nonce), Aad::from(field.as_bytes()));
        self.0.as_ref()?.seal_in_place_append_tag(sealed, of, &mut text).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &text].concat()))
    }

    fn open(&self, field: &str, sealed: &str) -> Option<String> {
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let of = Aad::from(field.as_bytes());
        let text = self.0.as_ref()?.open_in_place(nonce, of, text).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl Api {
    /// Opens the tokens of a request. What is not sealed as it should be is taken for no token of
    /// this server's, which whoever reads it says.
    pub(super) fn open_tokens(&self, caller: &Caller, fields: &mut [Selected]) {
        for field in fields {
            let Selected { name, arguments, fields, .. } = field;
            if let Some(Json::String(token)) = arguments.get_mut(NEXT_TOKEN)
                && !self.sees_everything(caller)
            {
                *token = self.seal.open(name, token).unwrap_or_default();
            }
            self.open_tokens(caller, fields);
        }
    }
}

impl Execution<'_> {
    /// A token as the caller gets it. Without a seal there is none, and no page that follows.
    pub(super) fn close_token(&self, field: &Selected, token: String) -> Option<String> {
        match self.api.sees_everything(&self.caller) {
            true => Some(token),
            false => self.api.seal.close(&field.name, token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_by_the_server_and_the_field_that_gave_it() {
        let seal = Seal::new("secret");
        let token = seal.close("listNotes", "after|key".to_owned()).unwrap();
        assert_eq!(seal.open("listNotes", &token).as_deref(), Some("after|key"));
        assert_ne!(seal.close("listNotes", "after|key".to_owned()).unwrap(), token);
        assert_eq!(seal.open("syncNotes", &token), None);
        assert_eq!(Seal::new("another").open("listNotes", &token), None);
        for wrong in ["", "after|key", "AAAA", &token[..token.len() - 1]] {
            assert_eq!(seal.open("listNotes", wrong), None, "{wrong}");
        }
    }
}
