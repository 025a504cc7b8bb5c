use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::AppState;
use crate::callers::is_from_this_machine;
use crate::metrics::{CONTENT_TYPE as METRICS_TYPE, Level};

/// How long the database may take to show that it works.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a proxy adds: a request with one of these does not begin on this machine.
const FORWARDED: [HeaderName; 3] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("via"),
];

/// The routes for whoever runs the server. The metrics are theirs alone, so they are on the API's
/// own address only if no other machine can reach that.
pub(crate) fn routes(metrics: MetricsAt) -> Router<Arc<AppState>> {
    let routes =
        Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready));
    match metrics {
        MetricsAt::Elsewhere => routes,
        MetricsAt::ThisMachine => routes.route("/metrics", get(own_metrics)),
        MetricsAt::Here => routes.route("/metrics", get(metrics_text)),
    }
}

/// Where metrics are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsAt {
    /// At an address of their own, if at all.
    #[default]
    Elsewhere,
    /// Beside the API, to requests that begin on this machine.
    ThisMachine,
    /// Here, to whoever can reach the address.
    Here,
}

/// Whether requests should come here: the database answers a read, the writer takes work, and the
/// server is not about to stop.
async fn ready(State(state): State<Arc<AppState>>) -> Response {
    let not_ready = |why: &str| {
        let no_store = [(CACHE_CONTROL, "no-store")];
        (StatusCode::SERVICE_UNAVAILABLE, no_store, format!("{why}\n")).into_response()
    };
    if state.draining.is_cancelled() {
        return not_ready("the server is shutting down");
    }
    match tokio::time::timeout(PATIENCE, state.backend.check()).await {
        Ok(Ok(())) => ([(CACHE_CONTROL, "no-store")], "ready\n").into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            not_ready("the database does not work; the log says more")
        }
        Err(_) => not_ready("the database does not answer in time"),
    }
}

async fn own_metrics(state: State<Arc<AppState>>, headers: HeaderMap) -> Response {
    if !is_from_this_machine(&headers) || FORWARDED.iter().any(|name| headers.contains_key(name)) {
        let message = "metrics are for this machine; --metrics-listen serves them to others\n";
        return (StatusCode::FORBIDDEN, message).into_response();
    }
    metrics_text(state).await
}

#[allow(clippy::unused_async, reason = "a handler")]
async fn metrics_text(State(state): State<Arc<AppState>>) -> Response {
    let level = Level {
        sockets: state.sockets.len(),
        subscriptions: state.hub.count(),
        waiting: state.backend.waiting(),
    };
    ([(CONTENT_TYPE, METRICS_TYPE)], state.metrics.text(level)).into_response()
}
