use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::cors::{Any, CorsLayer};

use crate::auth::Keys;
use crate::graphql::Api;
use crate::http::{self, REQUEST_ID};
use crate::realtime::{self, Hub};
use crate::static_files;

/// The largest body of a request.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What the server's doors share.
#[derive(Debug)]
pub struct AppState {
    /// The API.
    pub api: Api,
    /// Who may use it.
    pub keys: Keys,
    /// Where realtime subscriptions wait; the backend's events go to the same.
    pub hub: Arc<Hub>,
    /// Ends the realtime sockets.
    pub shutdown: CancellationToken,
    /// The realtime sockets that are open.
    pub sockets: TaskTracker,
    /// The pages that are served beside the API, and what they are told.
    pub pages: Pages,
}

/// The pages that are served beside the API.
#[derive(Debug, Default)]
pub struct Pages {
    /// Where they are.
    pub folder: Option<PathBuf>,
    /// The key that they are handed at `/espressync.json`.
    pub shared_key: Option<String>,
    /// The database's name, which they are told beside the key: records that they keep are of this
    /// one.
    pub database: String,
    /// Whether the server listens on this machine only.
    pub is_local: bool,
}

/// The server as a function from requests to answers: tests call it without a socket.
pub fn app(state: Arc<AppState>) -> Router {
    let api = Router::new()
        .route("/graphql", post(http::graphql))
        .route("/graphql/realtime", any(realtime::upgrade))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(cors());
    let router = Router::new()
        .merge(api)
        .route("/healthz", get(|| async { "ok" }))
        .route("/espressync.json", get(share_key));
    let router = match &state.pages.folder {
        Some(folder) => {
            let files = static_files::folder(folder);
            router.fallback(move |request| static_files::serve(files, request))
        }
        None => router,
    };
    router.with_state(state).layer(axum::middleware::from_fn(http::trace))
}

/// Pages of other origins may use the API, as they may AppSync's (contract 3.4): what they need
/// is the key, which no browser adds by itself.
fn cors() -> CorsLayer {
    let own = ["x-api-key", "x-amz-user-agent", "x-amz-date", "x-amz-security-token"];
    let headers = own.map(HeaderName::from_static).into_iter().chain([CONTENT_TYPE, AUTHORIZATION]);
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
        .expose_headers([HeaderName::from_static("x-amzn-errortype"), REQUEST_ID])
        .max_age(std::time::Duration::from_secs(3600))
}

/// Hands the key to the pages of this server. No other origin can read the answer, as it carries
/// no CORS header; and a name that somebody has pointed at this machine gets none (DNS rebinding).
async fn share_key(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let no_store = [(CACHE_CONTROL, "no-store")];
    let Some(key) = &state.pages.shared_key else {
        return (StatusCode::NOT_FOUND, no_store, Body::empty()).into_response();
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if state.pages.is_local && !names_this_machine(host) {
        let message = "the key is handed to pages of this machine only\n";
        return (StatusCode::FORBIDDEN, no_store, message).into_response();
    }
    let body = json!({ "apiKey": key, "database": state.pages.database }).to_string();
    (no_store, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_handed_the_key() {
        for host in ["localhost:20002", "127.0.0.1", "[::1]:20002", "shop.localhost"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1:20002", ""] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
