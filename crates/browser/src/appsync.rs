use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use espressync_client::Transport;
use espressync_model::Schema;
use espressync_model::remote::{Answer, RemoteError, RemoteErrorKind, Request};
use espressync_wire::Auth;
use espressync_wire::answer::{ERROR_TYPE_HEADER, Reply, read};
use espressync_wire::document::Document;
use futures::future::{Either, select};
use gloo_net::http;
use gloo_timers::future::sleep;
use web_sys::{AbortController, RequestCache};

use crate::{Link, scope};

/// How long a request may take. A page of a thousand rows over a poor connection needs some.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An AppSync API: AWS's, or the `espressync` server's.
#[derive(Debug)]
pub struct AppSync {
    schema: Rc<Schema>,
    endpoint: String,
    auth: RefCell<Auth>,
    timeout: Duration,
}

impl AppSync {
    /// The API at an endpoint, which may be relative to the page.
    #[must_use]
    pub fn new(schema: impl Into<Rc<Schema>>, endpoint: &str, auth: Auth) -> Self {
        Self {
            schema: schema.into(),
            endpoint: scope::absolute(endpoint),
            auth: RefCell::new(auth),
            timeout: TIMEOUT,
        }
    }

    /// This API, given up on after another time: for a request, and for a realtime connection
    /// until every subscription stands.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes other credentials from the next request on: a token that was renewed.
    pub fn set_auth(&self, auth: Auth) {
        *self.auth.borrow_mut() = auth;
    }

    async fn ask(&self, request: &Request) -> Result<Answer, RemoteError> {
        let body = Document::of(&self.schema, request).body();
        let abort = AbortOnDrop::new()?;
        let sent = self.build(&body, &abort)?.send().await.map_err(offline)?;
        let error_type = sent.headers().get(ERROR_TYPE_HEADER);
        let status = sent.status();
        let body = sent.text().await.map_err(offline)?;
        let reply = Reply { status, error_type: error_type.as_deref(), body: &body };
        read(&self.schema, request, reply)
    }

    fn build(&self, body: &str, abort: &AbortOnDrop) -> Result<http::Request, RemoteError> {
        let auth = self.auth.borrow();
        let (name, secret) = auth.http_header();
        // The browser throws on what no header may hold.
        if !secret.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let message = format!("the value for {name} holds characters that no header may");
            return Err(RemoteError::new(RemoteErrorKind::Unauthenticated, message));
        }
        http::Request::post(&self.endpoint)
            .header("content-type", "application/json; charset=UTF-8")
            .header(name, secret)
            .cache(RequestCache::NoStore)
            .abort_signal(Some(&abort.0.signal()))
            .body(body)
            .map_err(|error| RemoteError::new(RemoteErrorKind::Invalid, error.to_string()))
    }
}

impl Transport for AppSync {
    type Link = Link;

    async fn send(&self, request: Request) -> Result<Answer, RemoteError> {
        let asked = std::pin::pin!(self.ask(&request));
        match select(asked, sleep(self.timeout)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => {
                let seconds = self.timeout.as_secs_f32();
                let message = format!("{} has not answered within {seconds} s", self.endpoint);
                Err(RemoteError::new(RemoteErrorKind::Offline, message))
            }
        }
    }

    fn connect(&self) -> Link {
        Link::open(Rc::clone(&self.schema), &self.auth.borrow(), &self.endpoint, self.timeout)
    }
}

/// Whatever keeps an answer from coming.
fn offline(error: gloo_net::Error) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Offline, error.to_string())
}

/// Ends a request that nobody waits for any more.
struct AbortOnDrop(AbortController);

impl AbortOnDrop {
    fn new() -> Result<Self, RemoteError> {
        let failed = |_| RemoteError::new(RemoteErrorKind::Offline, "fetch cannot be used here");
        AbortController::new().map(Self).map_err(failed)
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
