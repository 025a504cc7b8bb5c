use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request as HttpRequest, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::Caller;
use espressync_wire::answer::ERROR_TYPE_HEADER;
use espressync_wire::error::{error_type, http_body};
use serde_json::{Map, Value as Json};
use tokio::time::timeout;
use tracing::Instrument;
use uuid::Uuid;

use crate::app::AppState;
use crate::auth::Shown;
use crate::graphql::{Kind, Reply, Request, Tally};
use crate::limits::Beyond;
use crate::metrics::Outcome;

/// Names a request in the log and in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST_ID: usize = 128;

/// Carries out a GraphQL request.
pub(crate) async fn graphql(State(state): State<Arc<AppState>>, request: HttpRequest) -> Response {
    let started = Instant::now();
    let Answered { response, tally, outcome } = answer(&state, request).await;
    state.metrics.answered(&tally, outcome, started.elapsed());
    response
}

/// An answer and what is counted of it.
struct Answered {
    response: Response,
    tally: Tally,
    outcome: Outcome,
}

async fn answer(state: &AppState, request: HttpRequest) -> Answered {
    let (shown, is_data_store) =
        (Shown::in_headers(request.headers()), is_data_store(request.headers()));
    let caller = match state.gate.admit(&shown).await {
        Err(error) if error.kind == RemoteErrorKind::Unavailable => Err(error),
        Err(error) if is_data_store && state.gate.has_expired(&shown).await => Err(error),
        Err(error) => return unauthenticated(state, &error),
        Ok(caller) => Ok(caller),
    };
    let body = Bytes::from_request(request, &());
    let request = match timeout(state.limits.time, body).await {
        Ok(body) => receive(state, body),
        // It may be a mutation.
        Err(_) => return put_off(&Request::default(), &too_slow(), Outcome::TimedOut),
    };
    let request = match request {
        Ok(request) => request,
        Err((status, error)) => return Answered::refused(status, &error),
    };
    // Whose mutation it is cannot be told just now; nobody is to give it up for that.
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) => return not_admitted(state, &request, &error),
    };
    match state.limits.admit(&caller, &shown, || state.api.weight(&request)) {
        Ok(_permit) => execute(state, caller, request).await,
        Err(beyond) => {
            match beyond {
                Beyond::Rate(_) => state.metrics.rate_limited.inc(),
                Beyond::Requests => state.metrics.overloaded.inc(),
            };
            put_off(&request, &beyond.error(), Outcome::PutOff)
        }
    }
}

/// Carries out what has been let in. A query has a limited time; a mutation is waited for, because
/// its client gives it up on any answer that does not come from its having been carried out.
async fn execute(state: &AppState, caller: Arc<Caller>, request: Request) -> Answered {
    let started = Instant::now();
    let (query, operation_name) = (request.query.clone(), request.operation_name.clone());
    let mut execution = pin!(state.api.execute(caller, request));
    let reply = match timeout(state.limits.time, &mut execution).await {
        Ok(reply) => reply,
        Err(_) => {
            let request = Request { query, operation_name, ..Request::default() };
            if Reply::put_off(&request, &too_slow()).is_none() {
                return put_off(&request, &too_slow(), Outcome::TimedOut);
            }
            execution.await
        }
    };
    tracing::info!(
        operations = reply.operations.join(","),
        errors = reply.errors(),
        duration_us = micros(started),
        "graphql"
    );
    let outcome = if reply.errors() == 0 { Outcome::Ok } else { Outcome::Errors };
    Answered::of(&reply, outcome)
}

/// Tells a client to come again: one that writes in the words on which it keeps its write, one
/// that asks by an HTTP status.
fn put_off(request: &Request, error: &RemoteError, outcome: Outcome) -> Answered {
    tracing::warn!(reason = %error, "put off");
    if let Some(reply) = Reply::put_off(request, error) {
        return Answered::of(&reply, outcome);
    }
    let status = match error.kind == RemoteErrorKind::Throttled {
        true => StatusCode::TOO_MANY_REQUESTS,
        false => StatusCode::GATEWAY_TIMEOUT,
    };
    let mut response = refuse(status, error);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    Answered { response, tally: Tally { kind: Kind::Query, ..Tally::default() }, outcome }
}

/// Answers a request of which it may be another time whose it is: the issuer cannot be asked for
/// its keys, or the token of a DataStore has expired. Of the latter only mutations are put off.
fn not_admitted(state: &AppState, request: &Request, error: &RemoteError) -> Answered {
    if error.kind == RemoteErrorKind::Unavailable {
        return put_off(request, error, Outcome::PutOff);
    }
    let later = RemoteError::new(RemoteErrorKind::Unavailable, error.message.as_str());
    match Reply::put_off(request, &later) {
        Some(_) => put_off(request, &later, Outcome::PutOff),
        None => unauthenticated(state, error),
    }
}

fn unauthenticated(state: &AppState, error: &RemoteError) -> Answered {
    state.metrics.auth_refused.inc();
    Answered::refused(StatusCode::UNAUTHORIZED, error)
}

/// Whether a request is of the DataStore of `aws-amplify` (contract 3.4).
fn is_data_store(headers: &HeaderMap) -> bool {
    let agent = headers.get("x-amz-user-agent").and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| agent.split(' ').any(|part| part.starts_with("datastore/")))
}

fn too_slow() -> RemoteError {
    RemoteError::new(RemoteErrorKind::Unavailable, "the request took too long; try again")
}

impl Answered {
    fn of(reply: &Reply, outcome: Outcome) -> Self {
        let response = (json_type(), text_of(&reply.body)).into_response();
        Self { response, tally: reply.tally, outcome }
    }

    fn refused(status: StatusCode, error: &RemoteError) -> Self {
        let response = refuse(status, error);
        Self { response, tally: Tally::default(), outcome: Outcome::Refused }
    }
}

/// A request's body as a request, or why it is none and with which status that is told.
fn receive(
    state: &AppState,
    body: Result<Bytes, BytesRejection>,
) -> Result<Request, (StatusCode, RemoteError)> {
    let body = body.map_err(|error| unreadable(&error, state.limits.body))?;
    read(&body).map_err(|message| {
        (StatusCode::BAD_REQUEST, RemoteError::new(RemoteErrorKind::Invalid, message))
    })
}

/// Gives each request an id, if it has none that can be kept, and logs what became of it: never
/// keys, never rows.
pub(crate) async fn trace(request: HttpRequest, next: Next) -> Response {
    let id = kept_id(request.headers()).unwrap_or_else(|| Uuid::new_v4().to_string());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", %id);
    async move {
        let started = Instant::now();
        let mut response = next.run(request).await;
        let (status, duration_us) = (response.status().as_u16(), micros(started));
        tracing::debug!(%method, path, status, duration_us, "answered");
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// The id that a proxy or a client has given a request, if a log can hold it as it is.
fn kept_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    let is_sane = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_plain);
    is_sane.then(|| id.to_owned())
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Only a body that is too large is so for good; one that broke off comes whole the next time.
fn unreadable(error: &BytesRejection, limit: usize) -> (StatusCode, RemoteError) {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the request's body is larger than {limit} bytes");
        let error = RemoteError::new(RemoteErrorKind::Invalid, message);
        return (StatusCode::PAYLOAD_TOO_LARGE, error);
    }
    let message = format!("the request's body could not be read: {}", error.body_text());
    let error = RemoteError::new(RemoteErrorKind::Unavailable, message);
    (StatusCode::SERVICE_UNAVAILABLE, error)
}

/// Reads a request's body, naming what does not fit.
fn read(body: &[u8]) -> Result<Request, String> {
    let json: Json = serde_json::from_slice(body)
        .map_err(|error| format!("the request's body is not JSON: {error}"))?;
    let Json::Object(mut members) = json else {
        return Err("the request's body should be an object".to_owned());
    };
    let query = match members.remove("query") {
        Some(Json::String(query)) => query,
        Some(_) => return Err("`query` should be text".to_owned()),
        None => return Err("the request's body has no `query`".to_owned()),
    };
    let variables = match members.remove("variables") {
        Some(Json::Object(variables)) => variables,
        None | Some(Json::Null) => Map::new(),
        Some(_) => return Err("`variables` should be an object".to_owned()),
    };
    let operation_name = match members.remove("operationName") {
        Some(Json::String(name)) => Some(name),
        None | Some(Json::Null) => None,
        Some(_) => return Err("`operationName` should be text".to_owned()),
    };
    Ok(Request { query, variables, operation_name })
}

/// An answer that is no success, in AppSync's form (contract 3.4).
pub(crate) fn refuse(status: StatusCode, error: &RemoteError) -> Response {
    let name = HeaderName::from_static(ERROR_TYPE_HEADER);
    let kind = HeaderValue::from_static(error_type(error.kind));
    tracing::info!(status = status.as_u16(), reason = %error, "refused");
    (status, json_type(), [(name, kind)], http_body(error).to_string()).into_response()
}

/// An answer's text. Its `Display` writes through a formatter, piece by piece, which takes longer.
pub(crate) fn text_of(json: &Json) -> String {
    // What is JSON can be written.
    serde_json::to_string(json).unwrap_or_default()
}

fn json_type() -> [(HeaderName, &'static str); 1] {
    [(CONTENT_TYPE, "application/json; charset=utf-8")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_log_can_hold_is_kept() {
        let check = |id: &[u8], is_kept: bool| {
            let value = HeaderValue::from_bytes(id).unwrap();
            let headers = HeaderMap::from_iter([(REQUEST_ID, value)]);
            assert_eq!(kept_id(&headers).is_some(), is_kept, "{id:?}");
        };
        check(b"4bf92f35-77b3/1.2:a_B+c=", true);
        check(b"", false);
        check(b"two words", false);
        check("schön".as_bytes(), false);
        check(&[b'x'; 128], true);
        check(&[b'x'; 129], false);
    }

    #[test]
    fn a_body_that_is_no_request_is_named() {
        let check = |body: &str, expected: &str| {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        };
        check("{\"query\":", "the request's body is not JSON: EOF");
        check("[]", "the request's body should be an object");
        check("{}", "the request's body has no `query`");
        check("{\"query\":1}", "`query` should be text");
        check("{\"query\":\"\",\"variables\":[]}", "`variables` should be an object");
        check("{\"query\":\"\",\"operationName\":1}", "`operationName` should be text");
    }
}
