use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use espressync_model::Schema;
use espressync_resolver::{Retention, Strategies};
use thiserror::Error;

use crate::auth::{DEMO_KEY, JwtConfig, KeyFile};
use crate::callers::Callers;
use crate::conflicts::{ConflictSetting, Endpoints, HttpHandler};
use crate::graphql::DEFAULT_WINDOW_MS;
use crate::health::MetricsAt;
use crate::realtime::RealtimeLimits;
use crate::tls::Tls;

/// What a server is told at its start.
#[derive(Clone)]
pub struct Config {
    /// The schema's file.
    pub schema: PathBuf,
    /// The database's file.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate to show, and who vouches for it, as a PEM file.
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key, as a PEM file.
    pub tls_key: Option<PathBuf>,
    /// Whether to show a certificate that is made at each start instead.
    pub tls_self_signed: bool,
    /// The pages to serve beside the API.
    pub pages: Option<PathBuf>,
    /// The records of a new database.
    pub seed: Option<PathBuf>,
    /// The keys that open the API; the first is the one that is shared.
    pub api_keys: Vec<String>,
    /// How tokens are checked, where they open the API.
    pub jwt: Option<JwtConfig>,
    /// Whether the pages are handed the first key.
    pub share_key: KeySharing,
    /// Whose pages may use the API where its key is no secret, beside the server's own.
    pub allowed_origins: Vec<String>,
    /// Whether the demo's key may open a server that others can reach.
    pub demo_key: DemoKey,
    /// What becomes of a write on an older version.
    pub conflict: ConflictSetting,
    /// How far back changes are told one by one.
    pub window: Duration,
    /// How long tombstones are kept; at least for that time all the same.
    pub base_ttl: Duration,
    /// How much the server takes on.
    pub limits: LimitConfig,
    /// How much one request may ask for.
    pub query: crate::Limits,
    /// Where metrics are served; beside the API on this machine alone, where that listens nowhere
    /// else.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether the page that asks the API is served.
    pub graphiql: PageSetting,
    /// How long the server says that it is not ready before it takes no more requests.
    pub drain_delay: Duration,
    /// How much realtime clients may ask.
    pub realtime: RealtimeLimits,
    /// What holds for single models, by name.
    pub models: BTreeMap<String, ModelConfig>,
}

/// Keys stay out of whatever prints this.
impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Config")
            .field("schema", &self.schema)
            .field("data", &self.data)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// How much the server takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitConfig {
    /// The largest body of a request, in bytes.
    pub body: usize,
    /// How long a request may take to arrive, and a query to be answered.
    pub time: Duration,
    /// How many requests may be under way.
    pub requests: usize,
    /// How many queries, mutations and subscriptions a second a key may ask for, if that is
    /// limited; one request may carry several.
    pub rate: Option<NonZeroU32>,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self { body: 1024 * 1024, time: Duration::from_secs(30), requests: 4096, rate: None }
    }
}

/// What holds for one model; what is `None` is as for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelConfig {
    /// What becomes of a write on an older version.
    pub conflict: Option<ConflictSetting>,
}

/// Whether pages are handed a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeySharing {
    /// They bring their own.
    #[default]
    Off,
    /// They get it at `/espressync.json`.
    On,
}

/// Whether the page for development is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageSetting {
    /// It is not.
    #[default]
    Off,
    /// It is.
    On,
}

/// Where the demo's key, which everybody knows, is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DemoKey {
    /// On this machine.
    #[default]
    LocalOnly,
    /// Wherever the server can be reached from.
    Anywhere,
}

/// Settings that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Others could reach a server that a key opens which everybody knows.
    #[error(
        "with {listen} others can reach this server, and its key is the demo's, which everybody \
         knows: give it a key of its own by --api-key, or say --allow-demo-key"
    )]
    DemoKeyExposed {
        /// The address.
        listen: SocketAddr,
    },
    /// A key that no client can send.
    #[error("an --api-key is empty")]
    EmptyKey,
    /// A certificate without its key, or the other way round.
    #[error("--tls-cert and --tls-key go together, and only {given} is given")]
    HalfCertificate {
        /// The one that is there.
        given: &'static str,
    },
    /// Two certificates.
    #[error(
        "--tls-self-signed makes a certificate, and --tls-cert brings one: leave one of them out"
    )]
    TwoCertificates,
    /// Settings for a model that the schema has not.
    #[error("[models.{name}] is about no model of the schema, which has {known}")]
    UnknownModel {
        /// The name.
        name: String,
        /// The models there are.
        known: String,
    },
}

/// What holds where nothing else is said: the files of the current folder, this machine only.
impl Default for Config {
    fn default() -> Self {
        Self {
            schema: PathBuf::from("schema.graphql"),
            data: PathBuf::from("espressync.sqlite"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 20002)),
            tls_certificate: None,
            tls_key: None,
            tls_self_signed: false,
            pages: None,
            seed: None,
            api_keys: Vec::new(),
            jwt: None,
            share_key: KeySharing::Off,
            allowed_origins: Vec::new(),
            demo_key: DemoKey::LocalOnly,
            conflict: ConflictSetting::default(),
            window: Duration::from_millis(DEFAULT_WINDOW_MS),
            base_ttl: Duration::from_millis(DEFAULT_WINDOW_MS),
            limits: LimitConfig::default(),
            query: crate::Limits::default(),
            metrics_listen: None,
            graphiql: PageSetting::Off,
            drain_delay: Duration::ZERO,
            realtime: RealtimeLimits::default(),
            models: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Where the API's own listener serves metrics: nowhere that another machine can reach.
    #[must_use]
    pub fn metrics_at(&self) -> MetricsAt {
        match self.metrics_listen.is_none() && self.listen.ip().is_loopback() {
            true => MetricsAt::ThisMachine,
            false => MetricsAt::Elsewhere,
        }
    }

    /// The keys in force beside the stored ones: the demo's where nothing else opens the API.
    ///
    /// # Errors
    /// [`ConfigError`] when they do not suit the address.
    pub fn keys(&self) -> Result<Vec<String>, ConfigError> {
        if self.api_keys.iter().any(String::is_empty) {
            return Err(ConfigError::EmptyKey);
        }
        let keys = match self.api_keys.is_empty() && !self.has_other_keys() {
            true => vec![DEMO_KEY.to_owned()],
            false => self.api_keys.clone(),
        };
        let is_demo = keys.iter().any(|key| key == DEMO_KEY);
        if is_demo && self.demo_key == DemoKey::LocalOnly && !self.listen.ip().is_loopback() {
            return Err(ConfigError::DemoKeyExposed { listen: self.listen });
        }
        Ok(keys)
    }

    /// Whether to listen over TLS, and with which certificate.
    ///
    /// # Errors
    /// [`ConfigError`] when it is one half of a certificate, or two.
    pub fn tls(&self) -> Result<Tls, ConfigError> {
        match (&self.tls_certificate, &self.tls_key, self.tls_self_signed) {
            (None, None, false) => Ok(Tls::Off),
            (None, None, true) => Ok(Tls::SelfSigned),
            (Some(certificate), Some(key), false) => {
                Ok(Tls::Files { certificate: certificate.clone(), key: key.clone() })
            }
            (_, _, true) => Err(ConfigError::TwoCertificates),
            (Some(_), None, false) => Err(ConfigError::HalfCertificate { given: "--tls-cert" }),
            (None, Some(_), false) => Err(ConfigError::HalfCertificate { given: "--tls-key" }),
        }
    }

    /// How each model's conflicts are resolved.
    ///
    /// # Errors
    /// [`ConfigError::UnknownModel`].
    pub fn strategies(&self, schema: &Schema) -> Result<Strategies, ConfigError> {
        let mut strategies = Strategies::from(self.conflict.strategy());
        for (name, of_model) in &self.models {
            let Ok(model) = schema.id_of(name) else {
                let known: Vec<&str> =
                    schema.models().map(|(_, model)| model.name.as_str()).collect();
                let (name, known) = (name.clone(), known.join(", "));
                return Err(ConfigError::UnknownModel { name, known });
            };
            if let Some(conflict) = &of_model.conflict {
                strategies.models.insert(model, conflict.strategy());
            }
        }
        Ok(strategies)
    }

    /// Who decides the conflicts that are a handler's; `None` when none are.
    #[must_use]
    pub fn handler(&self, schema: &Schema) -> Option<HttpHandler> {
        let of_models = self.models.iter().filter_map(|(name, of_model)| {
            let endpoint = of_model.conflict.as_ref()?.endpoint()?;
            Some((schema.id_of(name).ok()?, endpoint.clone()))
        });
        let endpoints =
            Endpoints { default: self.conflict.endpoint().cloned(), models: of_models.collect() };
        (endpoints != Endpoints::default()).then(|| HttpHandler::new(endpoints))
    }

    /// How long what has changed is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (journal, tombstones) = (milliseconds(self.window), milliseconds(self.base_ttl));
        Retention { journal, tombstones }
    }

    /// Whether tokens open the API, or keys were ever stored: who has revoked the last of them does
    /// not want the demo's back.
    fn has_other_keys(&self) -> bool {
        self.jwt.is_some() || KeyFile::of(&self.data).exists()
    }

    /// Whose pages may use the API that these keys open.
    #[must_use]
    pub fn callers(&self, keys: &[String]) -> Callers {
        let is_secret = !keys.iter().any(|key| key == DEMO_KEY);
        if is_secret && self.share_key == KeySharing::Off {
            return Callers::Any;
        }
        let allowed = self.allowed_origins.clone();
        Callers::Own { allowed, is_local: self.listen.ip().is_loopback() }
    }
}

#[cfg(test)]
mod tests {
    use espressync_model::sdl;
    use espressync_resolver::ConflictStrategy;

    use super::*;

    fn config(listen: &str, keys: &[&str], demo_key: DemoKey) -> Config {
        Config {
            listen: listen.parse().unwrap(),
            api_keys: keys.iter().map(ToString::to_string).collect(),
            demo_key,
            ..Config::default()
        }
    }

    fn keys(listen: &str, keys: &[&str], demo_key: DemoKey) -> Result<Vec<String>, ConfigError> {
        config(listen, keys, demo_key).keys()
    }

    #[test]
    fn pages_of_others_may_come_only_where_the_key_is_a_secret() {
        let callers = |listen: &str, key: &str, share_key| {
            let config = Config { share_key, ..config(listen, &[key], DemoKey::Anywhere) };
            config.callers(&config.keys().unwrap())
        };
        let own = |is_local| Callers::Own { allowed: Vec::new(), is_local };
        let (local, open) = ("127.0.0.1:1", "0.0.0.0:1");
        assert_eq!(callers(local, "own", KeySharing::Off), Callers::Any);
        assert_eq!(callers(open, "own", KeySharing::Off), Callers::Any);
        assert_eq!(callers(local, DEMO_KEY, KeySharing::Off), own(true));
        assert_eq!(callers(local, "own", KeySharing::On), own(true));
        assert_eq!(callers(open, DEMO_KEY, KeySharing::Off), own(false));
        assert_eq!(callers(open, "own", KeySharing::On), own(false));
    }

    #[test]
    fn metrics_are_for_this_machine_unless_they_have_an_address() {
        let at = |listen: &str, metrics_listen: Option<SocketAddr>| {
            Config { metrics_listen, ..config(listen, &[], DemoKey::Anywhere) }.metrics_at()
        };
        let (local, open) = ("127.0.0.1:1", "0.0.0.0:1");
        assert_eq!(at(local, None), MetricsAt::ThisMachine);
        assert_eq!(at(open, None), MetricsAt::Elsewhere);
        assert_eq!(at(local, Some("127.0.0.1:2".parse().unwrap())), MetricsAt::Elsewhere);
    }

    #[test]
    fn the_demo_key_opens_this_machine_only() {
        let (local, open) = ("127.0.0.1:1", "0.0.0.0:1");
        assert_eq!(keys(local, &[], DemoKey::LocalOnly), Ok(vec![DEMO_KEY.to_owned()]));
        assert!(keys(local, &[DEMO_KEY], DemoKey::LocalOnly).is_ok());
        for exposed in [&[][..], &[DEMO_KEY], &["own", DEMO_KEY]] {
            let error = keys(open, exposed, DemoKey::LocalOnly).unwrap_err();
            assert!(matches!(error, ConfigError::DemoKeyExposed { .. }));
            assert!(keys(open, exposed, DemoKey::Anywhere).is_ok());
        }
        assert!(keys(open, &["own"], DemoKey::LocalOnly).is_ok());
        assert_eq!(keys(local, &[""], DemoKey::LocalOnly), Err(ConfigError::EmptyKey));
    }

    #[test]
    fn a_certificate_is_whole_and_one() {
        let of = |certificate: Option<&str>, key: Option<&str>, tls_self_signed| {
            let (tls_certificate, tls_key) = (certificate.map(Into::into), key.map(Into::into));
            Config { tls_certificate, tls_key, tls_self_signed, ..Config::default() }.tls()
        };
        let half = |given| Err(ConfigError::HalfCertificate { given });
        let files = Tls::Files { certificate: "c".into(), key: "k".into() };
        assert_eq!(of(None, None, false), Ok(Tls::Off));
        assert_eq!(of(None, None, true), Ok(Tls::SelfSigned));
        assert_eq!(of(Some("c"), Some("k"), false), Ok(files));
        assert_eq!(of(Some("c"), None, false), half("--tls-cert"));
        assert_eq!(of(None, Some("k"), false), half("--tls-key"));
        assert_eq!(of(Some("c"), Some("k"), true), Err(ConfigError::TwoCertificates));
    }

    #[test]
    fn a_model_may_have_its_own_way_and_must_exist() {
        let schema = sdl::parse("type A @model { x: Int } type B @model { x: Int }", "s").unwrap();
        let optimistic = ConflictSetting::Rule(ConflictStrategy::Optimistic);
        let of = |name: &str| {
            let own = ModelConfig { conflict: Some(optimistic.clone()) };
            let models = BTreeMap::from([(name.to_owned(), own)]);
            Config { models, ..Config::default() }.strategies(&schema)
        };
        let strategies = of("B").unwrap();
        assert_eq!(strategies.default, ConflictStrategy::AutoMerge);
        let b = schema.id_of("B").unwrap();
        assert_eq!(strategies.models, BTreeMap::from([(b, ConflictStrategy::Optimistic)]));
        let expected = "[models.C] is about no model of the schema, which has A, B";
        assert_eq!(of("C").unwrap_err().to_string(), expected);
    }
}
