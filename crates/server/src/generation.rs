//! What serves one schema, from one push to the next.
//!
//! A push changes the database beside the server (see `sqlite/push.rs`), which then goes on with
//! another generation: the same file, keys, limits and counts, with another API, backend and hub.
//! The one before answers what it has begun; what comes to it in between it puts off, in words on
//! which clients keep their writes. Its realtime sockets end, so that their clients come again and
//! read what they may have missed.

use std::convert::Infallible;
use std::fs::read_to_string;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use espressync_model::ModelId;
use espressync_resolver::Rules;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::Api;
use crate::app::{AppState, app, metrics_app};
use crate::backend::{Backend, Events};
use crate::config::Config;
use crate::metrics::{Counted, Metrics};
use crate::realtime::Hub;
use crate::serve::{ServeError, rules_of};
use crate::sqlite::{OpenError, Pushed, SqliteBackend, TakenUp};
use crate::sweeper;

/// How long a generation that cannot begin waits before it is tried again.
const REST: Duration = Duration::from_secs(1);

/// What serves one schema.
pub(crate) struct Generation {
    rules: Arc<Rules>,
    state: Arc<AppState>,
    backend: Arc<SqliteBackend>,
    app: Router,
    metrics_app: Router,
}

/// What depends on the schema.
pub(crate) struct Parts {
    pub(crate) rules: Arc<Rules>,
    pub(crate) api: Arc<Api>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) backend: Arc<SqliteBackend>,
}

impl Parts {
    /// The parts over a backend that `open` opens, telling its events to whom it is given.
    pub(crate) fn new(
        config: &Config,
        rules: Arc<Rules>,
        metrics: &Arc<Metrics>,
        open: impl FnOnce(Arc<Rules>, Arc<dyn Events>) -> Result<SqliteBackend, OpenError>,
    ) -> Result<Self, ServeError> {
        let hub = Hub::new();
        let events = Counted::new(Arc::clone(&hub), Arc::clone(metrics));
        let backend = open(Arc::clone(&rules), events)?;
        let backend = Arc::new(match config.handler(rules.schema()) {
            Some(handler) => backend.with_handler(Arc::new(handler)),
            None => backend,
        });
        let dynamic = Arc::clone(&backend) as Arc<dyn Backend>;
        let api = Api::new(Arc::clone(&rules), dynamic, config.retention().journal)?;
        let api = Arc::new(api.with_limits(config.query.clone()));
        Ok(Self { rules, api, hub, backend })
    }
}

impl Generation {
    pub(crate) fn new(
        rules: Arc<Rules>,
        backend: Arc<SqliteBackend>,
        state: AppState,
    ) -> Arc<Self> {
        let state = Arc::new(state);
        let (app, metrics_app) = (app(Arc::clone(&state)), metrics_app(Arc::clone(&state)));
        Arc::new(Self { rules, state, backend, app, metrics_app })
    }

    pub(crate) fn state(&self) -> &AppState {
        &self.state
    }

    pub(crate) fn backend(&self) -> &SqliteBackend {
        &self.backend
    }

    pub(crate) fn app(&self) -> &Router {
        &self.app
    }

    pub(crate) fn metrics_app(&self) -> &Router {
        &self.metrics_app
    }

    /// Begins what goes on beside the requests.
    fn begin(&self, config: &Config) {
        let models: Vec<ModelId> = self.rules.schema().models().map(|(model, _)| model).collect();
        let swept = Arc::clone(&self.backend) as Arc<dyn Backend>;
        let stop = self.state.shutdown.clone();
        tokio::spawn(sweeper::run(swept, models, config.retention(), stop));
    }

    /// The generation after this one, of these rules, once this one writes nothing more.
    async fn next(
        &self,
        config: &Config,
        rules: Arc<Rules>,
        stop: &CancellationToken,
    ) -> Result<Arc<Self>, ServeError> {
        self.backend.close().await;
        let (before, config) = (Arc::clone(&self.backend), config.clone());
        let metrics = Arc::clone(&self.state.metrics);
        // A file that waits for its disk is not to keep requests waiting.
        let parts = tokio::task::spawn_blocking(move || {
            Parts::new(&config, rules, &metrics, |rules, events| before.reopen(rules, events))
        });
        let Parts { rules, api, hub, backend } = parts.await.map_err(std::io::Error::from)??;
        let state = AppState {
            api,
            hub,
            backend: Arc::clone(&backend) as Arc<dyn Backend>,
            shutdown: stop.child_token(),
            ..(*self.state).clone()
        };
        Ok(Self::new(rules, backend, state))
    }
}

/// The generation that serves now.
pub(crate) struct Current(RwLock<Arc<Generation>>);

impl Current {
    pub(crate) fn new(first: Arc<Generation>) -> Arc<Self> {
        Arc::new(Self(RwLock::new(first)))
    }

    pub(crate) fn get(&self) -> Arc<Generation> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The routes of whatever generation serves at the time of a request.
    pub(crate) fn door(self: &Arc<Self>, of: fn(&Generation) -> &Router) -> Router {
        let current = Arc::clone(self);
        Router::new().fallback(move |request: Request| {
            let router = of(&current.get()).clone();
            async move {
                let answer: Result<Response, Infallible> = router.oneshot(request).await;
                answer
            }
        })
    }

    /// Takes up what is pushed, until it is stopped; what it has begun by then it ends.
    pub(crate) async fn keep(&self, config: &Config, stop: &CancellationToken) {
        self.get().begin(config);
        loop {
            let generation = self.get();
            tokio::select! {
                () = stop.cancelled() => return,
                () = generation.backend.superseded() => {}
            }
            match self.renew(&generation, config, stop).await {
                Ok(()) => {}
                Err(error) => {
                    tracing::error!(%error, "a push could not be taken up; trying again");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    /// Goes on with the next generation: by the schema that was pushed or, where this server cannot
    /// serve that, by the one there is.
    async fn renew(
        &self,
        generation: &Generation,
        config: &Config,
        stop: &CancellationToken,
    ) -> Result<(), ServeError> {
        let (push, pushed) = generation.backend.pushed().await.map_err(std::io::Error::other)?;
        let (rules, taken_up) = choose(push, pushed, &generation.rules, config);
        let next = generation.next(config, rules, stop).await?;
        if next.backend.pushes() != push {
            tracing::info!("another push has come meanwhile");
        }
        next.begin(config);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        generation.state.shutdown.cancel();
        match &taken_up {
            TakenUp { is_served: true, note, .. } => {
                let note = note.as_deref().unwrap_or_default();
                tracing::info!(push, note, "serving the schema that was pushed");
            }
            TakenUp { is_served: false, note, .. } => {
                tracing::error!(push, note, "going on with the schema of before a push");
            }
        }
        next.backend.tell_push(taken_up).await.map_err(std::io::Error::other)?;
        Ok(())
    }
}

/// The rules to go on with, and what the push is told.
fn choose(
    push: i64,
    pushed: Option<Pushed>,
    before: &Arc<Rules>,
    config: &Config,
) -> (Arc<Rules>, TakenUp) {
    let kept =
        |note: String| (Arc::clone(before), TakenUp { push, note: Some(note), is_served: false });
    let Some(Pushed { name, text }) = pushed else {
        return kept("the database does not hold the schema that was pushed".to_owned());
    };
    let rules = rules_of(config, &name, &text);
    let rules = rules.and_then(|rules| Ok(Api::check_rules(&rules).map(|()| rules)?));
    let rules = match rules {
        Ok(rules) => Arc::new(rules),
        Err(error) => return kept(error.to_string()),
    };
    let own = read_to_string(&config.schema).unwrap_or_default();
    let note = (own != text).then(|| {
        format!(
            "its own --schema {} says otherwise: copy the new one there before it is started again",
            config.schema.display()
        )
    });
    (rules, TakenUp { push, note, is_served: true })
}
