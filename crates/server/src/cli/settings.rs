use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::FalseyValueParser;
use merge::Merge;
use serde::Deserialize;

use super::values::one_or_several;
use super::{Conflict, LogFormat, Origin, Size, Time};
use crate::auth::JwtSettings;
use crate::config::{Config, DemoKey, KeySharing, LimitConfig, ModelConfig, PageSetting};
use crate::realtime::RealtimeLimits;

/// What a server may be told, by flags, by the environment or by a file. What is not said is
/// `None`: [`Config`] has the defaults.
///
/// A new setting is a field here, with a heading of the help, and a line in
/// [`into_config`](Self::into_config).
#[derive(Clone, Default, Args, Deserialize, Merge)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[merge(strategy = merge::option::overwrite_none)]
pub struct Settings {
    #[arg(skip)]
    pub(super) schema: Option<PathBuf>,
    #[arg(skip)]
    pub(super) data: Option<PathBuf>,
    /// A folder of pages to serve beside the API, such as a built app
    #[arg(long = "static", value_name = "DIR", env = "ESPRESSYNC_STATIC", help_heading = "Files")]
    #[serde(rename = "static")]
    pages: Option<PathBuf>,
    /// The first records of a new database: {"Product": [{...}]}
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_SEED", help_heading = "Files")]
    seed: Option<PathBuf>,

    /// Where to listen [default: 127.0.0.1:20002]
    #[arg(long, value_name = "ADDR", env = "ESPRESSYNC_LISTEN", help_heading = "Network")]
    listen: Option<SocketAddr>,
    /// Serve over TLS with this certificate: a PEM file, below it those that vouch for it. It is
    /// read anew, with its key, when either file changes and on SIGHUP; open connections go on
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_TLS_CERT", help_heading = "Network")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_TLS_KEY", help_heading = "Network")]
    tls_key: Option<PathBuf>,
    /// Serve over TLS with a certificate made at each start, which browsers warn of: for
    /// development, as aws-amplify opens its realtime socket over TLS only
    #[arg(
        long,
        env = "ESPRESSYNC_TLS_SELF_SIGNED",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL",
        default_missing_value = "true",
        value_parser = FalseyValueParser::new(),
        help_heading = "Network"
    )]
    tls_self_signed: Option<bool>,

    /// A key that opens the API; give it several times for several keys. Without one, the demo's
    /// key opens it, on this machine only
    #[arg(
        long,
        value_name = "KEY",
        env = "ESPRESSYNC_API_KEYS",
        value_delimiter = ',',
        hide_env_values = true,
        help_heading = "Who may use it"
    )]
    #[serde(deserialize_with = "one_or_several")]
    api_key: Option<Vec<String>>,
    #[command(flatten)]
    #[merge(strategy = JwtSettings::fill)]
    jwt: JwtSettings,
    /// Hand the first key to the pages of --static, at /espressync.json
    #[arg(
        long,
        env = "ESPRESSYNC_SHARE_KEY",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL",
        default_missing_value = "true",
        value_parser = FalseyValueParser::new(),
        help_heading = "Who may use it"
    )]
    share_key: Option<bool>,
    /// Let pages of another origin, such as https://shop.example, use the API although its key is
    /// shared or the demo's; give it several times for several, * for all. Where the key is a
    /// secret of your own, pages of every origin may use the API, as with AppSync
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "ESPRESSYNC_ALLOW_ORIGINS",
        value_delimiter = ',',
        help_heading = "Who may use it"
    )]
    allow_origin: Option<Vec<Origin>>,
    /// Let the demo's key, which everybody knows, open a server that others can reach
    #[arg(
        long,
        env = "ESPRESSYNC_ALLOW_DEMO_KEY",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL",
        default_missing_value = "true",
        value_parser = FalseyValueParser::new(),
        help_heading = "Who may use it"
    )]
    allow_demo_key: Option<bool>,

    /// What becomes of a write on an older version: automerge (what only one side changed, both
    /// keep), automerge-strict (AppSync's documented rules), optimistic (it is refused) or
    /// lambda=URL (an endpoint is sent AppSync's Lambda event and decides). A model's own is in
    /// the file: [models.Product] conflict = "optimistic" [default: automerge]
    #[arg(long, value_name = "HOW", env = "ESPRESSYNC_CONFLICT", help_heading = "Sync")]
    conflict: Option<Conflict>,
    /// How far back changes are told one by one; who was away longer reads everything anew
    /// [default: 30d]
    #[arg(
        long,
        alias = "delta-window",
        value_name = "TIME",
        env = "ESPRESSYNC_DELTA_TTL",
        help_heading = "Sync"
    )]
    #[serde(alias = "delta-window")]
    delta_ttl: Option<Time>,
    /// How long a deleted record is kept, so that clients learn of it and it can be undeleted; at
    /// least for --delta-ttl all the same [default: 30d]
    #[arg(long, value_name = "TIME", env = "ESPRESSYNC_BASE_TTL", help_heading = "Sync")]
    base_ttl: Option<Time>,
    /// How many realtime sockets may be open at once [default: 20000]
    #[arg(
        long,
        value_name = "COUNT",
        env = "ESPRESSYNC_REALTIME_SOCKETS",
        help_heading = "Realtime"
    )]
    realtime_sockets: Option<usize>,
    /// How many subscriptions one socket may have; a DataStore has three for each model
    /// [default: 900]
    #[arg(
        long,
        value_name = "COUNT",
        env = "ESPRESSYNC_REALTIME_SUBSCRIPTIONS",
        help_heading = "Realtime"
    )]
    realtime_subscriptions: Option<usize>,
    /// How long a realtime socket may live before its client has to open another [default: 24h]
    #[arg(
        long,
        value_name = "TIME",
        env = "ESPRESSYNC_REALTIME_LIFETIME",
        help_heading = "Realtime"
    )]
    realtime_lifetime: Option<Time>,
    #[arg(skip)]
    #[merge(strategy = take_below)]
    models: BTreeMap<String, ModelSettings>,

    /// The largest body of a request [default: 1MiB]
    #[arg(long, value_name = "SIZE", env = "ESPRESSYNC_BODY_LIMIT", help_heading = "Limits")]
    body_limit: Option<Size>,
    /// How long a request may take to arrive, and a query to be answered. A mutation that has
    /// arrived is always answered [default: 30s]
    #[arg(long, value_name = "TIME", env = "ESPRESSYNC_REQUEST_TIMEOUT", help_heading = "Limits")]
    request_timeout: Option<Time>,
    /// How many requests may be under way; clients send those beyond again [default: 4096]
    #[arg(long, value_name = "COUNT", env = "ESPRESSYNC_MAX_REQUESTS", help_heading = "Limits")]
    max_requests: Option<NonZeroUsize>,
    /// How many queries, mutations and subscriptions a second a key (or the user of a token) may
    /// ask for, of which a request may carry several; clients ask for those beyond again
    /// [default: as many as it likes]
    #[arg(long, value_name = "COUNT", env = "ESPRESSYNC_RATE_LIMIT", help_heading = "Limits")]
    rate_limit: Option<NonZeroU32>,
    /// How deep the fields of a request may nest [default: 24]
    #[arg(long, value_name = "COUNT", env = "ESPRESSYNC_QUERY_DEPTH", help_heading = "Limits")]
    query_depth: Option<NonZeroUsize>,
    /// How many fields a request may select, its fragments written out [default: 20000]
    #[arg(long, value_name = "COUNT", env = "ESPRESSYNC_QUERY_FIELDS", help_heading = "Limits")]
    query_fields: Option<NonZeroU64>,
    /// How many queries or mutations one request may carry, under aliases [default: 1000]
    #[arg(long, value_name = "COUNT", env = "ESPRESSYNC_QUERY_ALIASES", help_heading = "Limits")]
    query_aliases: Option<NonZeroUsize>,
    /// How many records an answer may be made of, related ones included [default: 200000]
    #[arg(long, value_name = "COUNT", env = "ESPRESSYNC_QUERY_RECORDS", help_heading = "Limits")]
    query_records: Option<NonZeroUsize>,

    /// An address of its own for /metrics, with /healthz and /readyz. Without it /metrics is
    /// beside the API if that listens on this machine only, and else nowhere
    #[arg(
        long,
        value_name = "ADDR",
        env = "ESPRESSYNC_METRICS_LISTEN",
        help_heading = "Operation"
    )]
    metrics_listen: Option<SocketAddr>,
    /// Serve the page GraphiQL at /graphiql, which asks the API in a browser, for development
    #[arg(
        long,
        env = "ESPRESSYNC_GRAPHIQL",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL",
        default_missing_value = "true",
        value_parser = FalseyValueParser::new(),
        help_heading = "Operation"
    )]
    graphiql: Option<bool>,
    /// How long /readyz says no before the server, asked to stop, takes no more requests: as long
    /// as your load balancer takes to notice [default: 0s]
    #[arg(long, value_name = "TIME", env = "ESPRESSYNC_DRAIN_DELAY", help_heading = "Operation")]
    drain_delay: Option<Time>,
    /// How to write the log, which goes to standard error. ESPRESSYNC_LOG says how much
    /// [default: text]
    #[arg(long, value_enum, env = "ESPRESSYNC_LOG_FORMAT", help_heading = "Operation")]
    log_format: Option<LogFormat>,
}

/// What a file says of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ModelSettings {
    conflict: Option<Conflict>,
}

impl Settings {
    /// How to write the log.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or_default()
    }

    /// These settings, their gaps filled with those below.
    pub(super) fn or(mut self, below: Self) -> Self {
        self.merge(below);
        self
    }

    /// These settings with their paths taken from a folder.
    pub(super) fn within(self, folder: &Path) -> Self {
        let at = |path: PathBuf| folder.join(path);
        Self {
            schema: self.schema.map(at),
            data: self.data.map(at),
            pages: self.pages.map(at),
            seed: self.seed.map(at),
            jwt: self.jwt.within(folder),
            tls_cert: self.tls_cert.map(at),
            tls_key: self.tls_key.map(at),
            ..self
        }
    }

    /// The settings that a server starts with.
    #[must_use]
    pub fn into_config(self) -> Config {
        let usual = Config::default();
        let models = self.models.into_iter().map(|(name, of_model)| {
            (name, ModelConfig { conflict: of_model.conflict.map(|Conflict(how)| how) })
        });
        Config {
            schema: self.schema.unwrap_or(usual.schema),
            data: self.data.unwrap_or(usual.data),
            listen: self.listen.unwrap_or(usual.listen),
            tls_certificate: self.tls_cert,
            tls_key: self.tls_key,
            tls_self_signed: self.tls_self_signed.unwrap_or_default(),
            pages: self.pages,
            seed: self.seed,
            api_keys: self.api_key.unwrap_or_default(),
            jwt: self.jwt.into_config(),
            share_key: match self.share_key {
                Some(true) => KeySharing::On,
                _ => KeySharing::Off,
            },
            allowed_origins: self.allow_origin.into_iter().flatten().map(|Origin(it)| it).collect(),
            demo_key: match self.allow_demo_key {
                Some(true) => DemoKey::Anywhere,
                _ => DemoKey::LocalOnly,
            },
            conflict: self.conflict.map_or(usual.conflict, |Conflict(how)| how),
            window: self.delta_ttl.map_or(usual.window, |Time(window)| window),
            base_ttl: self.base_ttl.map_or(usual.base_ttl, |Time(time)| time),
            limits: LimitConfig {
                body: self.body_limit.map_or(usual.limits.body, |Size(bytes)| bytes),
                time: self.request_timeout.map_or(usual.limits.time, |Time(time)| time),
                requests: self.max_requests.map_or(usual.limits.requests, NonZeroUsize::get),
                rate: self.rate_limit,
            },
            query: crate::Limits {
                depth: self.query_depth.map_or(usual.query.depth, NonZeroUsize::get),
                fields: self.query_fields.map_or(usual.query.fields, NonZeroU64::get),
                aliases: self.query_aliases.map_or(usual.query.aliases, NonZeroUsize::get),
                records: self.query_records.map_or(usual.query.records, NonZeroUsize::get),
            },
            metrics_listen: self.metrics_listen,
            graphiql: match self.graphiql {
                Some(true) => PageSetting::On,
                _ => PageSetting::Off,
            },
            drain_delay: self.drain_delay.map_or(usual.drain_delay, |Time(delay)| delay),
            realtime: RealtimeLimits {
                sockets: self.realtime_sockets.unwrap_or(usual.realtime.sockets),
                subscriptions: self.realtime_subscriptions.unwrap_or(usual.realtime.subscriptions),
                lifetime: self.realtime_lifetime.map_or(usual.realtime.lifetime, |Time(it)| it),
                ..usual.realtime
            },
            models: models.collect(),
        }
    }
}

/// Only a file has such settings.
fn take_below<T>(above: &mut T, below: T) {
    *above = below;
}

/// Keys stay out of whatever prints this.
impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings").field("listen", &self.listen).finish_non_exhaustive()
    }
}
