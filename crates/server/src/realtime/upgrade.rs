use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::response::Response;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_wire::realtime::{PROTOCOL, read_header, read_offered_protocols};

use super::session::Session;
use crate::app::AppState;
use crate::auth::{API_KEY_HEADER, Shown};

/// How many times longer than allowed a message may be and still be answered; beyond it the socket
/// closes.
const STILL_READ: usize = 4;

/// What is read at once from a socket; what is longer takes several reads. Every socket keeps as
/// much memory.
const READ_BUFFER: usize = 4 * 1024;

/// The query of the handshake, by which older clients authorise (contract 5.2).
type HandshakeQuery = std::collections::HashMap<String, String>;

/// Opens a realtime socket. Bad credentials are told over the socket, where clients look for them.
pub(crate) async fn upgrade(
    State(state): State<Arc<AppState>>,
    Query(query): Query<HandshakeQuery>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    let admitted = match shown(&query, &headers) {
        Ok(shown) => state.gate.admit(&shown).await.map(|_| shown),
        Err(error) => Err(error),
    };
    if admitted.is_err() {
        state.metrics.auth_refused.inc();
    }
    let socket = socket
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .max_message_size(STILL_READ * state.realtime.message_bytes);
    let sockets = state.sockets.clone();
    socket.on_upgrade(move |socket| sockets.track_future(Session::run(state, socket, admitted)))
}

/// The three ways to authorise: a subprotocol, the query, the HTTP headers.
fn shown(query: &HandshakeQuery, headers: &HeaderMap) -> Result<Shown, RemoteError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        RemoteError::new(RemoteErrorKind::Unauthenticated, error.to_string())
    };
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let offered: Vec<&str> = offered.filter_map(|value| value.to_str().ok()).collect();
    let offered = read_offered_protocols(&offered.join(",")).map_err(|error| unreadable(&error))?;
    if let Some(header) = offered {
        return Ok(Shown::in_object(&header));
    }
    if let Some(header) = query.get("header") {
        let header = read_header(header).map_err(|error| unreadable(&error))?;
        return Ok(Shown::in_object(&header));
    }
    Ok(match query.get(API_KEY_HEADER) {
        Some(key) => Shown::key(key),
        None => Shown::in_headers(headers),
    })
}
