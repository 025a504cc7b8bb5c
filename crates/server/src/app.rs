use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::cors::CorsLayer;

use crate::auth::Gate;
use crate::backend::Backend;
use crate::callers::{Callers, guard};
use crate::graphiql::{self, Graphiql};
use crate::graphql::Api;
use crate::health::{self, MetricsAt};
use crate::http::{self, REQUEST_ID};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::realtime::{self, Hub, RealtimeLimits};
use crate::static_files;

/// What the server's doors share.
#[derive(Clone)]
pub struct AppState {
    /// The API.
    pub api: Arc<Api>,
    /// Who may use it.
    pub gate: Arc<Gate>,
    /// Whose pages may use it with such a key.
    pub callers: Callers,
    /// Where realtime subscriptions wait; the backend's events go to the same.
    pub hub: Arc<Hub>,
    /// Where records live.
    pub backend: Arc<dyn Backend>,
    /// How much the server takes on.
    pub limits: Arc<Limits>,
    /// What it has done.
    pub metrics: Arc<Metrics>,
    /// Where that is told.
    pub metrics_at: MetricsAt,
    /// The page that asks the API, where it is served.
    pub graphiql: Option<Arc<Graphiql>>,
    /// Says that the server will stop: requests should go elsewhere.
    pub draining: CancellationToken,
    /// Ends the realtime sockets.
    pub shutdown: CancellationToken,
    /// How much realtime clients may ask.
    pub realtime: RealtimeLimits,
    /// The realtime sockets that are open.
    pub sockets: TaskTracker,
    /// The pages that are served beside the API, and what they are told.
    pub pages: Pages,
}

/// Keys stay out of whatever prints this.
impl std::fmt::Debug for AppState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AppState")
            .field("api", &self.api)
            .field("gate", &self.gate)
            .field("callers", &self.callers)
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

/// The pages that are served beside the API.
#[derive(Clone, Default)]
pub struct Pages {
    /// Where they are.
    pub folder: Option<PathBuf>,
    /// The key that they are handed at `/espressync.json`.
    pub shared_key: Option<String>,
    /// The database's name, which they are told beside the key: records that they keep are of this
    /// one.
    pub database: String,
}

/// The key stays out of whatever prints this.
impl std::fmt::Debug for Pages {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { folder, shared_key, database } = self;
        out.debug_struct("Pages")
            .field("folder", folder)
            .field("shares_key", &shared_key.is_some())
            .field("database", database)
            .finish()
    }
}

/// The server as a function from requests to answers: tests call it without a socket.
pub fn app(state: Arc<AppState>) -> Router {
    let api = Router::new()
        .route("/graphql", post(http::graphql))
        .route("/graphql/realtime", any(realtime::upgrade))
        .layer(DefaultBodyLimit::max(state.limits.body))
        .layer(cors(&state.callers))
        .layer(from_fn_with_state(Arc::clone(&state), guard));
    let router = Router::new()
        .merge(api)
        .merge(health::routes(state.metrics_at))
        .route("/espressync.json", get(share_key));
    let router = match &state.graphiql {
        Some(_) => router.merge(graphiql::routes()),
        None => router,
    };
    let router = match &state.pages.folder {
        Some(folder) => {
            let files = static_files::folder(folder);
            router.fallback(move |request| static_files::serve(files, request))
        }
        None => router,
    };
    router.with_state(state).layer(from_fn(http::trace))
}

/// The metrics at an address of their own, with what tells whether the server is well.
pub fn metrics_app(state: Arc<AppState>) -> Router {
    health::routes(MetricsAt::Here).with_state(state)
}

/// What pages of other origins may do, where they may use the API at all.
fn cors(callers: &Callers) -> CorsLayer {
    let own = ["x-api-key", "x-amz-user-agent", "x-amz-date", "x-amz-security-token"];
    let headers = own.map(HeaderName::from_static).into_iter().chain([CONTENT_TYPE, AUTHORIZATION]);
    CorsLayer::new()
        .allow_origin(callers.cors())
        .allow_methods([Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
        .expose_headers([HeaderName::from_static("x-amzn-errortype"), REQUEST_ID])
        .max_age(std::time::Duration::from_secs(3600))
}

/// Hands the key to the pages of this server. No other origin can read the answer, as it carries
/// no CORS header; and [`Callers`] says who gets none at all.
async fn share_key(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let no_store = [(CACHE_CONTROL, "no-store")];
    let Some(key) = &state.pages.shared_key else {
        return (StatusCode::NOT_FOUND, no_store, Body::empty()).into_response();
    };
    if !state.callers.may_have_key(&headers) {
        let message = "the key is handed to this server's own pages only\n";
        return (StatusCode::FORBIDDEN, no_store, message).into_response();
    }
    let body = json!({ "apiKey": key, "database": state.pages.database }).to_string();
    (no_store, [(CONTENT_TYPE, "application/json")], body).into_response()
}
