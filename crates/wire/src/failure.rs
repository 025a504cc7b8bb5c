use espressync_model::ModelError;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use serde_json::Value as Json;
use thiserror::Error;

/// JSON that is not what the schema or the protocol says. Every variant names the place at fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// Text that is no JSON at all.
    #[error("{what} is not JSON: {reason}")]
    NotJson {
        /// Which text.
        what: String,
        /// What the parser said.
        reason: String,
    },
    /// A handshake header that is not base64.
    #[error("{what} is not base64 of UTF-8 text")]
    NotBase64 {
        /// Which text.
        what: String,
    },
    /// JSON of another shape than the protocol prescribes.
    #[error("{place} should be {expected}, found {found}")]
    Shape {
        /// Where.
        place: String,
        /// What should be there.
        expected: &'static str,
        /// What was found, shortened.
        found: String,
    },
    /// A server's record without a value that the schema requires.
    #[error("the server sent null for {model}.{field}, which the schema requires")]
    NullField {
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// A realtime message of no known type.
    #[error("there is no realtime message of type `{name}`")]
    UnknownFrame {
        /// The type it names.
        name: String,
    },
    /// A name or value that does not fit the schema.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// What is wrong with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// They cannot be parsed.
    Syntax,
    /// They do not fit the schema.
    Schema,
    /// They do not fit AppSync's protocol.
    Protocol,
}

impl WireError {
    /// The kind, on which callers branch.
    #[must_use]
    pub fn kind(&self) -> WireErrorKind {
        match self {
            Self::NotJson { .. } | Self::NotBase64 { .. } => WireErrorKind::Syntax,
            Self::NullField { .. } | Self::Model(_) => WireErrorKind::Schema,
            Self::Shape { .. } | Self::UnknownFrame { .. } => WireErrorKind::Protocol,
        }
    }

    pub(crate) fn shape(place: impl Into<String>, expected: &'static str, found: &Json) -> Self {
        Self::Shape { place: place.into(), expected, found: describe(found) }
    }
}

/// Read by a client, a bad answer is an answer that could not be understood.
impl From<WireError> for RemoteError {
    fn from(error: WireError) -> Self {
        Self::new(RemoteErrorKind::Malformed, error.to_string())
    }
}

/// Parses text, naming it in the error.
pub(crate) fn parse(what: &str, text: &str) -> Result<Json, WireError> {
    serde_json::from_str(text)
        .map_err(|error| WireError::NotJson { what: what.to_owned(), reason: error.to_string() })
}

/// A JSON value in few words, for error messages.
pub(crate) fn describe(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => espressync_model::Value::from(text.as_str()).to_string(),
        Json::Array(elements) => format!("a list of {}", elements.len()),
        Json::Object(_) => "an object".to_owned(),
    }
}
