use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use espressync_model::sdl::{self, SdlError};
use espressync_resolver::Rules;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{AppState, Pages};
use crate::auth::{Gate, JwtConfig, JwtError, KeyFile, KeyFileError, Keys, Tokens};
use crate::backend::Backend;
use crate::clock::system_time;
use crate::config::{Config, ConfigError, KeySharing, PageSetting};
use crate::generation::{Current, Generation, Parts};
use crate::graphiql::{Graphiql, GraphiqlError};
use crate::graphql::ApiError;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::seed::{SeedError, seed};
use crate::sqlite::{OpenError, SqliteBackend};
use crate::tls::{Listener, TlsError};

/// How long sockets and requests may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(8);

/// Why a server did not start, or ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Settings that do not go together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stored API keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// Tokens cannot be checked.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// The schema's file cannot be read.
    #[error("cannot read the schema {file}: {source}")]
    Schema {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The schema is wrong, or says what this version cannot do.
    #[error("the schema cannot be used\n{}", .0.report())]
    Sdl(#[from] SdlError),
    /// The schema's names clash.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The first records cannot be stored.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The page that asks the API is not in this program.
    #[error(transparent)]
    Graphiql(#[from] GraphiqlError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server's socket has failed.
    #[error("the server's socket failed: {0}")]
    Socket(#[from] std::io::Error),
}

/// A server that is ready to serve.
pub struct Server {
    listener: Listener,
    metrics_listener: Option<TcpListener>,
    config: Config,
    current: Arc<Current>,
    /// Ends the realtime sockets of every generation.
    shutdown: CancellationToken,
}

impl Server {
    /// Reads the schema, opens the database, seeds a new one, and listens.
    ///
    /// # Errors
    /// [`ServeError`]; nothing that was there before is changed then.
    pub async fn start(config: &Config) -> Result<Self, ServeError> {
        Self::start_on(None, config).await
    }

    /// Starts on a socket that is open already, which then counts as `config.listen`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_on(
        socket: Option<std::net::TcpListener>,
        config: &Config,
    ) -> Result<Self, ServeError> {
        let mut config = config.clone();
        if let Some(socket) = &socket {
            config.listen = socket.local_addr()?;
        }
        let config = &config;
        let keys = config.keys()?;
        let gate = gate(config, keys.clone())?;
        let handshake = config.tls()?.open(config.listen.ip())?;
        let graphiql = match config.graphiql {
            PageSetting::On => Some(Arc::new(Graphiql::own()?)),
            PageSetting::Off => None,
        };
        let rules = Arc::new(rules(config)?);
        let listener = match socket {
            Some(socket) => TcpListener::from_std(socket)?,
            None => listen(config.listen).await?,
        };
        let metrics_listener = match config.metrics_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let (metrics, shutdown) = (Metrics::new(), CancellationToken::new());
        let parts = Parts::new(config, Arc::clone(&rules), &metrics, |rules, events| {
            SqliteBackend::open(&config.data, rules, system_time, events)
        })?;
        let Parts { rules, api, hub, backend } = parts;
        if let (Some(file), true) = (&config.seed, backend.is_new()) {
            let records = seed(&*backend, &rules, file).await?;
            tracing::info!(records, "the new database has its first records");
        }
        let pages = Pages {
            folder: config.pages.clone(),
            shared_key: match config.share_key {
                KeySharing::On => keys.first().cloned(),
                KeySharing::Off => None,
            },
            database: backend.identity().to_owned(),
        };
        let state = AppState {
            api,
            callers: config.callers(&keys),
            gate: Arc::new(gate),
            hub,
            backend: Arc::clone(&backend) as Arc<dyn Backend>,
            limits: Arc::new(Limits::new(&config.limits)),
            metrics,
            metrics_at: config.metrics_at(),
            graphiql,
            draining: CancellationToken::new(),
            realtime: config.realtime,
            shutdown: shutdown.child_token(),
            sockets: TaskTracker::new(),
            pages,
        };
        let current = Current::new(Generation::new(rules, backend, state));
        let listener = Listener::new(listener, handshake);
        Ok(Self { listener, metrics_listener, config: config.clone(), current, shutdown })
    }

    /// Where it listens, with the port that was found when 0 was asked for.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What a browser on this machine opens.
    ///
    /// # Errors
    /// The system's.
    pub fn url(&self) -> std::io::Result<String> {
        let scheme = if self.listener.is_tls() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// Where its metrics have an address of their own.
    ///
    /// # Errors
    /// The system's.
    pub fn metrics_address(&self) -> std::io::Result<Option<SocketAddr>> {
        self.metrics_listener.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves until `stop` resolves, then finishes: `/readyz` says so first, sockets are told,
    /// requests under way are answered, what waits is committed.
    ///
    /// # Errors
    /// [`ServeError::Socket`].
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self { listener, metrics_listener, config, current, shutdown } = self;
        let generation = current.get();
        let (draining, sockets) =
            (generation.state().draining.clone(), generation.state().sockets.clone());
        drop(generation);
        let (stop_all, drain_delay) = (shutdown.clone(), config.drain_delay);
        let stopped = async move {
            stop.await;
            tracing::info!("stopping");
            draining.cancel();
            tokio::time::sleep(drain_delay).await;
            stop_all.cancel();
        };
        let metrics = metrics_listener.map(|listener| {
            let serving = axum::serve(listener, current.door(Generation::metrics_app));
            tokio::spawn(serving.into_future())
        });
        let keeping = {
            let (current, shutdown) = (Arc::clone(&current), shutdown.clone());
            tokio::spawn(async move { current.keep(&config, &shutdown).await })
        };
        if let Some(certificate) = listener.files() {
            tokio::spawn(certificate.keep(shutdown.clone()));
        }
        let door = current.door(Generation::app);
        let serving = axum::serve(listener, door).with_graceful_shutdown(stopped);
        tokio::select! {
            served = serving.into_future() => served?,
            // A client that keeps its request open cannot keep the server from stopping.
            () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => {
                tracing::warn!("some requests did not end in time");
            }
        }
        sockets.close();
        if tokio::time::timeout(DRAIN, sockets.wait()).await.is_err() {
            tracing::warn!("some sockets did not end in time");
        }
        if tokio::time::timeout(DRAIN, keeping).await.is_err() {
            tracing::warn!("a push was not taken up in time");
        }
        current.get().backend().close().await;
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// The door that these settings make.
fn gate(config: &Config, keys: Vec<String>) -> Result<Gate, ServeError> {
    let keys = Keys::new(keys).and_of(KeyFile::of(&config.data))?;
    for warning in config.jwt.iter().flat_map(JwtConfig::warnings) {
        tracing::warn!("{warning}");
    }
    let tokens = config.jwt.clone().map(Tokens::new).transpose()?;
    Ok(Gate::new(keys).with_tokens(tokens))
}

/// What holds for every write to the API that these settings describe.
///
/// # Errors
/// [`ServeError`] for a schema that cannot be read, or settings that do not fit it.
pub fn rules(config: &Config) -> Result<Rules, ServeError> {
    rules_of(config, &config.schema.display().to_string(), &schema_text(config)?)
}

/// The text of the schema's file.
pub(crate) fn schema_text(config: &Config) -> Result<String, ServeError> {
    let file = &config.schema;
    let text = std::fs::read_to_string(file);
    text.map_err(|source| ServeError::Schema { file: file.clone(), source })
}

/// What holds for every write under a schema of this name and text.
pub(crate) fn rules_of(config: &Config, name: &str, text: &str) -> Result<Rules, ServeError> {
    let schema = sdl::parse_api(text, name)?;
    let strategies = config.strategies(&schema.schema)?;
    Ok(Rules::new(Arc::new(schema), strategies))
}

async fn listen(listen: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(listen).await;
    bound.map_err(|source| ServeError::Listen { listen, source })
}

impl std::fmt::Debug for Server {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Server")
            .field("address", &self.listener.local_addr())
            .finish_non_exhaustive()
    }
}
