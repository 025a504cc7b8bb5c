use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use espressync_model::ModelId;
use espressync_resolver::Resolution;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use ureq::Agent;

use super::{Conflict, ConflictHandler, HandlerError, event};

/// How long an endpoint may take to answer, connecting included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const LARGEST_REPLY: u64 = 1024 * 1024;

/// How many conflicts are with endpoints at a time; others wait.
const MOST_CALLS: usize = 64;

/// The address of an HTTP endpoint that decides conflicts.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no address: write one such as https://host/conflicts");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        if is_http && uri.host().is_some_and(|host| !host.is_empty()) {
            Ok(Self(uri))
        } else {
            Err(wrong())
        }
    }
}

/// Without the path and what may be secret in it.
impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Endpoint").field(&self.0.host().unwrap_or_default()).finish()
    }
}

/// Which endpoint decides a model's conflicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Where a model has none of its own.
    pub default: Option<Endpoint>,
    /// Of single models.
    pub models: BTreeMap<ModelId, Endpoint>,
}

/// Asks HTTP endpoints: `POST`, with AppSync's Lambda event as the body. An answer is 200 with
/// `{"action": "RESOLVE", "item": {..}}`, `{"action": "REJECT"}` or `{"action": "REMOVE"}`; no
/// redirects are followed.
pub struct HttpHandler {
    endpoints: Endpoints,
    agent: Agent,
    calls: Arc<Semaphore>,
}

impl HttpHandler {
    /// A handler that asks these.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        Self::with_timeout(endpoints, TIMEOUT)
    }

    /// One that waits for as long as this.
    #[must_use]
    pub fn with_timeout(endpoints: Endpoints, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        let calls = Arc::new(Semaphore::new(MOST_CALLS));
        Self { endpoints, agent: config.into(), calls }
    }
}

impl ConflictHandler for HttpHandler {
    fn decide(&self, conflict: Conflict) -> BoxFuture<'_, Result<Resolution, HandlerError>> {
        let of_model = self.endpoints.models.get(&conflict.mutation.model);
        let endpoint = of_model.or(self.endpoints.default.as_ref()).cloned();
        let (agent, calls) = (self.agent.clone(), Arc::clone(&self.calls));
        async move {
            let endpoint = endpoint.ok_or_else(|| unavailable("the model has none"))?;
            let permit = calls.acquire_owned().await.map_err(unavailable)?;
            // The client blocks its thread, which suits what is rare.
            let asked = tokio::task::spawn_blocking(move || {
                let body = event::event(&conflict).to_string();
                let answer = ask(&agent, &endpoint, &body);
                drop(permit);
                answer.and_then(|text| event::resolution(&conflict, &text))
            });
            asked.await.map_err(unavailable)?
        }
        .boxed()
    }
}

/// Posts an event and returns the answer's body.
fn ask(agent: &Agent, endpoint: &Endpoint, body: &str) -> Result<String, HandlerError> {
    let request = agent.post(endpoint.0.clone()).header("content-type", "application/json");
    let mut answer = request.send(body).map_err(unavailable)?;
    if answer.status() != 200 {
        return Err(unavailable(format!("it answered {}", answer.status())));
    }
    let text = answer.body_mut().with_config().limit(LARGEST_REPLY).read_to_string();
    text.map_err(|error| match matches!(error, ureq::Error::BodyExceedsLimit(_)) {
        true => HandlerError::BadReply(format!("it is larger than {LARGEST_REPLY} bytes")),
        false => unavailable(error),
    })
}

fn unavailable(why: impl fmt::Display) -> HandlerError {
    HandlerError::Unavailable(why.to_string())
}

impl fmt::Debug for HttpHandler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HttpHandler").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
