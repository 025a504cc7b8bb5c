use std::fmt;

use serde_json::{Map, Value as Json};

use crate::json::object;

/// What a client shows to be let in (contract 3.4). Printing it shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// An API key.
    ApiKey(String),
    /// A raw JWT of a user pool or OIDC, or a Lambda authoriser's token.
    Token(String),
}

impl Auth {
    /// The header of an HTTP request.
    #[must_use]
    pub fn http_header(&self) -> (&'static str, &str) {
        match self {
            Self::ApiKey(key) => ("x-api-key", key),
            Self::Token(token) => ("authorization", token),
        }
    }

    /// The header object of the realtime handshake and of each `start`; `host` is that of the
    /// GraphQL endpoint.
    #[must_use]
    pub fn realtime_header(&self, host: &str) -> Map<String, Json> {
        let (name, secret) = match self {
            Self::ApiKey(key) => ("x-api-key", key),
            Self::Token(token) => ("Authorization", token),
        };
        let members = [("host", host), (name, secret)];
        object(members.map(|(name, value)| (name.to_owned(), Json::from(value))))
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ApiKey(_) => "Auth::ApiKey(..)",
            Self::Token(_) => "Auth::Token(..)",
        })
    }
}
