use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_wire::answer::ERROR_TYPE_HEADER;
use espressync_wire::error::{error_type, http_body};
use serde_json::{Map, Value as Json};
use tracing::Instrument;
use uuid::Uuid;

use crate::app::{AppState, BODY_LIMIT};
use crate::graphql::Request;

/// Names a request in the log and in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Carries out a GraphQL request.
pub(crate) async fn graphql(
    State(state): State<Arc<AppState>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let caller = match state.keys.check_headers(&headers) {
        Ok(caller) => caller,
        Err(error) => return refuse(StatusCode::UNAUTHORIZED, &error),
    };
    let request = match body.map_err(|error| unreadable(&error)).and_then(|body| {
        read(&body).map_err(|message| {
            (StatusCode::BAD_REQUEST, RemoteError::new(RemoteErrorKind::Invalid, message))
        })
    }) {
        Ok(request) => request,
        Err((status, error)) => return refuse(status, &error),
    };
    let started = Instant::now();
    let reply = state.api.execute(caller, request).await;
    tracing::info!(
        operations = reply.operations.join(","),
        errors = reply.errors(),
        duration_us = micros(started),
        "graphql"
    );
    (json_type(), reply.body.to_string()).into_response()
}

/// Gives each request an id and logs what became of it: never keys, never rows.
pub(crate) async fn trace(request: HttpRequest, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
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

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Only a body that is too large is so for good; one that broke off comes whole the next time.
fn unreadable(error: &BytesRejection) -> (StatusCode, RemoteError) {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the request's body is larger than {BODY_LIMIT} bytes");
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

fn json_type() -> [(HeaderName, &'static str); 1] {
    [(CONTENT_TYPE, "application/json; charset=utf-8")]
}

#[cfg(test)]
mod tests {
    use super::*;

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
