use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use espressync_model::{Timestamp, sdl};
use espressync_resolver::{ConflictStrategy, Rules, Strategies};
use espressync_server::app::{AppState, Pages, app};
use espressync_server::auth::{Gate, Keys};
use espressync_server::backend::{Backend, Events};
use espressync_server::callers::Callers;
use espressync_server::config::LimitConfig;
use espressync_server::conflicts::ConflictHandler;
use espressync_server::health::MetricsAt;
use espressync_server::limits::Limits;
use espressync_server::metrics::{Counted, Metrics};
use espressync_server::sqlite::{OpenError, SqliteBackend};
use espressync_server::{Api, DEFAULT_WINDOW_MS, Hub, RealtimeLimits};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub(crate) const KEY: &str = "da2-test";

pub(crate) const POS: &str = include_str!("../../../../src/schema.graphql");

/// Something of everything that the schema language has.
pub(crate) const RICH: &str = include_str!("../schemas/rich.graphql");

/// A clock that tests set.
#[derive(Debug, Clone)]
pub(crate) struct Time {
    moment: Arc<AtomicI64>,
    /// How often it was looked at.
    looks: Arc<AtomicI64>,
    /// How far it moves at each look.
    step: i64,
}

impl Time {
    pub(crate) fn at(moment: i64) -> Self {
        Self { moment: Arc::new(AtomicI64::new(moment)), looks: Arc::default(), step: 0 }
    }

    /// A clock that moves on whenever it is looked at.
    pub(crate) fn ticking() -> Self {
        Self { step: 1, ..Self::at(1_000_000) }
    }

    pub(crate) fn set(&self, moment: i64) {
        self.moment.store(moment, Ordering::SeqCst);
    }

    pub(crate) fn looks(&self) -> i64 {
        self.looks.load(Ordering::SeqCst)
    }

    pub(crate) fn source(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let Self { moment, looks, step } = self.clone();
        move || {
            looks.fetch_add(1, Ordering::SeqCst);
            Timestamp(moment.fetch_add(step, Ordering::SeqCst))
        }
    }
}

/// A server on a file of its own.
pub(crate) struct Server {
    pub(crate) state: Arc<AppState>,
    pub(crate) backend: Arc<SqliteBackend>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) time: Time,
    folder: TempDir,
}

/// What a server is set up with, the usual aside.
#[derive(Default)]
struct Setup {
    limits: LimitConfig,
    strategy: ConflictStrategy,
    handler: Option<Arc<dyn ConflictHandler>>,
}

impl Server {
    /// The point of sale's server at the moment 1,000,000.
    pub(crate) fn new() -> Self {
        Self::of(POS)
    }

    pub(crate) fn of(source: &str) -> Self {
        Self::with(source, Time::at(1_000_000))
    }

    pub(crate) fn with(source: &str, time: Time) -> Self {
        let folder = TempDir::new().expect("a folder");
        Self::in_folder(folder, source, time, Setup::default()).expect("a new file opens")
    }

    /// The point of sale's server with one way to resolve conflicts, by a handler where it is that.
    pub(crate) fn resolving(
        strategy: ConflictStrategy,
        handler: Option<Arc<dyn ConflictHandler>>,
    ) -> Self {
        let (folder, time) = (TempDir::new().expect("a folder"), Time::at(1_000_000));
        let setup = Setup { strategy, handler, ..Setup::default() };
        Self::in_folder(folder, POS, time, setup).expect("a new file opens")
    }

    /// A server of a schema with one way to resolve conflicts.
    pub(crate) fn by(source: &str, strategy: ConflictStrategy) -> Self {
        let (folder, time) = (TempDir::new().expect("a folder"), Time::at(1_000_000));
        let setup = Setup { strategy, ..Setup::default() };
        Self::in_folder(folder, source, time, setup).expect("a new file opens")
    }

    /// The point of sale's server with limits of its own.
    pub(crate) fn limited(limits: LimitConfig) -> Self {
        let (folder, time) = (TempDir::new().expect("a folder"), Time::at(1_000_000));
        let setup = Setup { limits, ..Setup::default() };
        Self::in_folder(folder, POS, time, setup).expect("a new file opens")
    }

    fn in_folder(
        folder: TempDir,
        source: &str,
        time: Time,
        setup: Setup,
    ) -> Result<Self, OpenError> {
        let schema = sdl::parse_api(source, "schema.graphql").expect("a good schema");
        let rules = Arc::new(Rules::new(Arc::new(schema), Strategies::from(setup.strategy)));
        let hub = Hub::new();
        let (metrics, file) = (Metrics::new(), folder.path().join("data.sqlite"));
        let events = Counted::new(Arc::clone(&hub), Arc::clone(&metrics));
        let backend = open(&file, &rules, &time, events)?;
        let backend = Arc::new(match setup.handler {
            Some(handler) => backend.with_handler(handler),
            None => backend,
        });
        let dynamic = Arc::clone(&backend) as Arc<dyn Backend>;
        let api = Api::new(Arc::clone(&rules), dynamic, DEFAULT_WINDOW_MS).expect("an API");
        let state = Arc::new(AppState {
            api: Arc::new(api),
            gate: Arc::new(Gate::new(Keys::new(vec![KEY.to_owned()]))),
            callers: Callers::Any,
            hub,
            backend: Arc::clone(&backend) as Arc<dyn Backend>,
            limits: Arc::new(Limits::new(&setup.limits)),
            metrics,
            metrics_at: MetricsAt::ThisMachine,
            graphiql: None,
            draining: CancellationToken::new(),
            realtime: RealtimeLimits::default(),
            shutdown: CancellationToken::new(),
            sockets: TaskTracker::new(),
            pages: Pages::default(),
        });
        Ok(Self { state, backend, rules, time, folder })
    }

    /// Stops the server and starts it again on the same file, perhaps with another schema.
    pub(crate) async fn restart(self, source: &str) -> Self {
        self.backend.close().await;
        let Self { state, backend, time, folder, .. } = self;
        drop((state, backend));
        Self::in_folder(folder, source, time, Setup::default()).expect("the file opens again")
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("data.sqlite")
    }

    pub(crate) fn router(&self) -> Router {
        app(Arc::clone(&self.state))
    }

    /// Sends a request and returns the whole answer.
    pub(crate) async fn ask(&self, query: &str, variables: Json) -> Json {
        let body = json!({ "query": query, "variables": variables }).to_string();
        json_of(self.post(body).await).await
    }

    /// Sends a request that must succeed and returns `data`.
    pub(crate) async fn data(&self, query: &str, variables: Json) -> Json {
        let mut answer = self.ask(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].take()
    }

    pub(crate) async fn post(&self, body: impl Into<Body>) -> Response<Body> {
        let request = Request::post("/graphql")
            .header("content-type", "application/json; charset=UTF-8")
            .header("x-api-key", KEY)
            .body(body.into())
            .expect("a request");
        self.router().oneshot(request).await.expect("routers do not fail")
    }

    /// What Prometheus reads.
    pub(crate) async fn metrics(&self) -> String {
        let request = Request::get("/metrics").header("host", "localhost");
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.router().oneshot(request).await.expect("routers do not fail");
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    /// Creates a product.
    pub(crate) async fn product(&self, id: &str, name: &str, price: f64) -> Json {
        let query = "mutation m($input: CreateProductInput!) {
            createProduct(input: $input) { id _version _lastChangedAt } }";
        let input = json!({ "id": id, "name": name, "price": price });
        self.data(query, json!({ "input": input })).await["createProduct"].take()
    }

    /// Updates a product and returns the whole answer.
    pub(crate) async fn update(&self, input: Json) -> Json {
        let query = "mutation m($input: UpdateProductInput!) {
            updateProduct(input: $input) { id name price image _version _deleted } }";
        self.ask(query, json!({ "input": input })).await
    }
}

pub(crate) fn open(
    file: &Path,
    rules: &Arc<Rules>,
    time: &Time,
    events: Arc<dyn Events>,
) -> Result<SqliteBackend, OpenError> {
    SqliteBackend::open(file, Arc::clone(rules), time.source(), events)
}

pub(crate) async fn text_of(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

pub(crate) async fn json_of(response: Response<Body>) -> Json {
    let text = text_of(response).await;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
