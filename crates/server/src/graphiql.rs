use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as InPath, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;

use crate::app::AppState;

/// The page that asks the API in a browser, for development. Its parts are npm's and are taken into
/// the binary when it is built: whoever has that needs neither npm nor a network.
#[derive(Debug, Clone)]
pub struct Graphiql(Cow<'static, [Part]>);

/// A part of the page.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

/// The parts are not in this program.
#[derive(Debug, Error)]
#[error(
    "this espressync was built without the parts of the page /graphiql: `cargo xtask server` \
     fetches them from npm and builds one that has them. Or leave --graphiql out"
)]
pub struct GraphiqlError;

/// What the build has found.
const OWN: &[Part] = include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));

const PAGE: &str = include_str!("../graphiql/page.html");

/// What the page does: all of it that is ours.
const SCRIPT: Part =
    Part::new("page.js", "text/javascript; charset=utf-8", include_bytes!("../graphiql/page.js"));

impl Part {
    /// A part of this name, of this type, with this content.
    #[must_use]
    pub const fn new(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Self {
        Self { name, kind, bytes }
    }
}

impl Graphiql {
    /// The page with the parts that were there when the program was built.
    ///
    /// # Errors
    /// [`GraphiqlError`] if none were.
    pub fn own() -> Result<Self, GraphiqlError> {
        if OWN.is_empty() {
            return Err(GraphiqlError);
        }
        Ok(Self(Cow::Borrowed(OWN)))
    }

    /// The page with other parts.
    #[must_use]
    pub fn of(parts: Vec<Part>) -> Self {
        Self(Cow::Owned(parts))
    }
}

/// The page and its parts, where there are any.
pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/graphiql", get(|| async { Html(PAGE) }))
        .route("/graphiql/{part}", get(part))
}

#[allow(clippy::unused_async, reason = "a handler")]
async fn part(State(state): State<Arc<AppState>>, InPath(wanted): InPath<String>) -> Response {
    let parts = state.graphiql.iter().flat_map(|graphiql| graphiql.0.iter());
    match parts.chain([&SCRIPT]).find(|part| part.name == wanted) {
        Some(part) => {
            let headers = [(CONTENT_TYPE, part.kind), (CACHE_CONTROL, "no-cache")];
            (headers, part.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
