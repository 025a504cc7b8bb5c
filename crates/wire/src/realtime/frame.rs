use espressync_model::remote::{RemoteError, RemoteErrorKind};
use serde_json::{Map, Value as Json, json};

use crate::document::Document;
use crate::failure::{WireError, parse};
use crate::{classify, error};

/// A message from a client.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientFrame {
    /// Opens the session.
    ConnectionInit,
    /// Subscribes. An id that is in use already replaces its subscription.
    Start {
        /// The client's name for the subscription.
        id: String,
        /// What it subscribes to.
        document: Document,
        /// The credentials, as in the handshake.
        authorization: Map<String, Json>,
    },
    /// Ends a subscription.
    Stop {
        /// The client's name for the subscription.
        id: String,
    },
}

/// A message from a server.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerFrame {
    /// The session is open.
    ConnectionAck {
        /// After how many milliseconds without a message the client takes the socket for dead.
        timeout_ms: u32,
    },
    /// The session is alive.
    KeepAlive,
    /// A subscription stands.
    StartAck {
        /// The client's name for it.
        id: String,
    },
    /// A subscription's event.
    Data {
        /// The client's name for the subscription.
        id: String,
        /// A GraphQL answer: `data`, and `errors` if there are any.
        payload: Json,
    },
    /// A subscription was refused or has failed; without an id, a message was not understood.
    Error {
        /// The client's name for the subscription.
        id: Option<String>,
        /// Why.
        errors: Vec<FrameError>,
    },
    /// A subscription has ended.
    Complete {
        /// The client's name for it.
        id: String,
    },
    /// The session was refused; the socket closes.
    ConnectionError {
        /// Why.
        errors: Vec<FrameError>,
    },
}

/// The text of [`ServerFrame::Data`], of a payload that is text already: what many subscriptions
/// are told is written once.
#[must_use]
pub fn data_frame(id: &str, payload: &str) -> String {
    let id = Json::from(id).to_string();
    ["{\"id\":", &id, ",\"type\":\"data\",\"payload\":", payload, "}"].concat()
}

/// An error in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrameError {
    /// AppSync's name for it.
    pub error_type: String,
    /// For people.
    pub message: String,
    /// Its number in HTTP's terms.
    pub code: Option<u16>,
}

const DEFAULT_TIMEOUT_MS: u32 = 300_000;

impl ClientFrame {
    /// The frame's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let json = match self {
            Self::ConnectionInit => json!({ "type": "connection_init" }),
            Self::Start { id, document, authorization } => json!({
                "id": id,
                "payload": {
                    "data": document.body(),
                    "extensions": { "authorization": authorization },
                },
                "type": "start",
            }),
            Self::Stop { id } => json!({ "type": "stop", "id": id }),
        };
        json.to_string()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// Text that is no JSON, an unknown type, a missing part: each by name.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let json = parse("the realtime message", text)?;
        match frame_type(&json)? {
            "connection_init" => Ok(Self::ConnectionInit),
            "start" => parse_start(&json),
            "stop" => Ok(Self::Stop { id: id_of(&json, "stop.id")? }),
            name => Err(WireError::UnknownFrame { name: name.to_owned() }),
        }
    }
}

fn parse_start(json: &Json) -> Result<ClientFrame, WireError> {
    let id = id_of(json, "start.id")?;
    let data = at(json, "/payload/data");
    let data = (data.as_str()).ok_or_else(|| {
        WireError::shape("start.payload.data", "the text of a GraphQL request", data)
    })?;
    let mut request = parse("start.payload.data", data)?;
    let query = at(&request, "/query");
    let text = (query.as_str())
        .ok_or_else(|| WireError::shape("query in start.payload.data", "text", query))?
        .to_owned();
    let variables = match request.get_mut("variables").map(Json::take) {
        None | Some(Json::Null) => json!({}),
        Some(variables @ Json::Object(_)) => variables,
        Some(other) => {
            return Err(WireError::shape("variables in start.payload.data", "an object", &other));
        }
    };
    let authorization = match at(json, "/payload/extensions/authorization") {
        Json::Object(header) => header.clone(),
        Json::Null => Map::new(),
        other => {
            let place = "start.payload.extensions.authorization";
            return Err(WireError::shape(place, "an object", other));
        }
    };
    Ok(ClientFrame::Start { id, document: Document { text, variables }, authorization })
}

impl ServerFrame {
    /// The frame's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let json = match self {
            Self::ConnectionAck { timeout_ms } => json!({
                "type": "connection_ack",
                "payload": { "connectionTimeoutMs": timeout_ms },
            }),
            Self::KeepAlive => json!({ "type": "ka" }),
            Self::StartAck { id } => json!({ "type": "start_ack", "id": id }),
            Self::Data { id, payload } => json!({ "id": id, "type": "data", "payload": payload }),
            Self::Error { id, errors } => match id {
                Some(id) => json!({ "type": "error", "id": id, "payload": errors_to_json(errors) }),
                None => json!({ "type": "error", "payload": errors_to_json(errors) }),
            },
            Self::Complete { id } => json!({ "type": "complete", "id": id }),
            Self::ConnectionError { errors } => {
                json!({ "type": "connection_error", "payload": errors_to_json(errors) })
            }
        };
        json.to_string()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// Text that is no JSON, an unknown type (which a client passes over), a missing part.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let mut json = parse("the realtime message", text)?;
        Ok(match frame_type(&json)? {
            "connection_ack" => {
                let timeout = at(&json, "/payload/connectionTimeoutMs").as_u64();
                let timeout = timeout.and_then(|timeout| u32::try_from(timeout).ok());
                Self::ConnectionAck { timeout_ms: timeout.unwrap_or(DEFAULT_TIMEOUT_MS) }
            }
            "ka" => Self::KeepAlive,
            "start_ack" => Self::StartAck { id: id_of(&json, "start_ack.id")? },
            "data" => {
                let id = id_of(&json, "data.id")?;
                Self::Data { id, payload: json["payload"].take() }
            }
            "error" => Self::Error { id: id_of(&json, "error.id").ok(), errors: errors_of(&json) },
            "complete" => Self::Complete { id: id_of(&json, "complete.id")? },
            "connection_error" => Self::ConnectionError { errors: errors_of(&json) },
            name => return Err(WireError::UnknownFrame { name: name.to_owned() }),
        })
    }
}

impl FrameError {
    /// The frame's form of an error.
    #[must_use]
    pub fn of(error: &RemoteError) -> Self {
        let code = match error.kind {
            RemoteErrorKind::Unauthenticated => Some(401),
            RemoteErrorKind::Invalid => Some(400),
            _ => None,
        };
        let error_type = error::error_type(error.kind).to_owned();
        Self { error_type, message: error.message.clone(), code }
    }

    /// What a client makes of it.
    #[must_use]
    pub fn to_remote(&self) -> RemoteError {
        let expired = self.message.contains("Token expired");
        let kind = match self.code {
            _ if expired => RemoteErrorKind::Unauthenticated,
            Some(status) => classify::http_error(status, &self.error_type, true),
            None => classify::graphql_error(&self.error_type, &self.message),
        };
        let parts = [self.error_type.as_str(), self.message.as_str()];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        RemoteError::new(kind, said.join(": "))
    }
}

fn errors_to_json(errors: &[FrameError]) -> Json {
    let errors = errors.iter().map(|error| {
        let mut json = json!({ "errorType": error.error_type, "message": error.message });
        if let Some(code) = error.code {
            json["errorCode"] = code.into();
        }
        json
    });
    json!({ "errors": errors.collect::<Vec<_>>() })
}

/// The errors of a frame: a list, or one object alone (contract 5.3).
fn errors_of(json: &Json) -> Vec<FrameError> {
    let found = at(json, "/payload/errors");
    let errors = if let Json::Array(errors) = found { errors } else { std::slice::from_ref(found) };
    let read = |error: &Json| {
        let text = |name| at(error, name).as_str().unwrap_or_default().to_owned();
        let code = at(error, "/errorCode").as_u64().and_then(|code| code.try_into().ok());
        FrameError { error_type: text("/errorType"), message: text("/message"), code }
    };
    errors.iter().filter(|error| error.is_object()).map(read).collect()
}

fn frame_type(json: &Json) -> Result<&str, WireError> {
    let name = at(json, "/type");
    name.as_str().ok_or_else(|| WireError::shape("the realtime message's type", "text", name))
}

fn id_of(json: &Json, place: &str) -> Result<String, WireError> {
    match at(json, "/id") {
        Json::String(id) if !id.is_empty() => Ok(id.clone()),
        other => Err(WireError::shape(place, "text", other)),
    }
}

fn at<'a>(json: &'a Json, pointer: &str) -> &'a Json {
    json.pointer(pointer).unwrap_or(&Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_is_text_already_makes_the_same_frame() {
        let payload = json!({ "data": { "onCreateX": { "id": "1" } } });
        let text = data_frame("a\"b", &payload.to_string());
        let frame = ServerFrame::Data { id: "a\"b".to_owned(), payload };
        assert_eq!(ServerFrame::parse(&text), Ok(frame));
    }
}
