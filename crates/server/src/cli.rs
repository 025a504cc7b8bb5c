use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Config, DemoKey, KeySharing};

/// An AppSync-compatible GraphQL API for any schema.graphql, with no backend code.
#[derive(Debug, Parser)]
#[command(name = "espressync", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the API of a schema, and the pages of an app beside it
    ///
    /// The API is at /graphql, its realtime socket at /graphql/realtime, a health check at
    /// /healthz. Clients send a key as x-api-key.
    Serve(Serve),
}

/// The settings of `serve`.
#[derive(Args)]
pub struct Serve {
    /// The schema: types with @model get queries, mutations and subscriptions
    #[arg(long, value_name = "FILE", default_value = "schema.graphql", env = "ESPRESSYNC_SCHEMA")]
    schema: PathBuf,
    /// The SQLite file that holds the records; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "espressync.sqlite", env = "ESPRESSYNC_DATA")]
    data: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:20002", env = "ESPRESSYNC_LISTEN")]
    listen: SocketAddr,
    /// A folder of pages to serve beside the API, such as a built app
    #[arg(long = "static", value_name = "DIR", env = "ESPRESSYNC_STATIC")]
    pages: Option<PathBuf>,
    /// The first records of a new database: {"Product": [{...}]}
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_SEED")]
    seed: Option<PathBuf>,
    /// A key that opens the API; give it several times for several keys. Without one, the demo's
    /// key opens it, on this machine only
    #[arg(
        long = "api-key",
        value_name = "KEY",
        env = "ESPRESSYNC_API_KEYS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    api_keys: Vec<String>,
    /// Hand the first key to the pages of --static, at /espressync.json
    #[arg(long, env = "ESPRESSYNC_SHARE_KEY")]
    share_key: bool,
    /// Let pages of another origin, such as https://shop.example, use the API although its key is
    /// shared or the demo's; give it several times for several, * for all. Where the key is a
    /// secret of your own, pages of every origin may use the API, as with AppSync
    #[arg(
        long = "allow-origin",
        value_name = "ORIGIN",
        env = "ESPRESSYNC_ALLOW_ORIGINS",
        value_delimiter = ',',
        value_parser = origin
    )]
    allowed_origins: Vec<String>,
    /// Let the demo's key, which everybody knows, open a server that others can reach
    #[arg(long, env = "ESPRESSYNC_ALLOW_DEMO_KEY")]
    allow_demo_key: bool,
    /// How far back changes are told one by one; who was away longer reads everything anew
    #[arg(long, value_name = "TIME", default_value = "30d", env = "ESPRESSYNC_DELTA_WINDOW", value_parser = duration)]
    delta_window: Duration,
    /// How to write the log, which goes to standard error. ESPRESSYNC_LOG says how much
    #[arg(long, value_enum, default_value_t, env = "ESPRESSYNC_LOG_FORMAT")]
    pub log_format: LogFormat,
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

impl Serve {
    /// The settings.
    #[must_use]
    pub fn into_config(self) -> Config {
        Config {
            schema: self.schema,
            data: self.data,
            listen: self.listen,
            pages: self.pages,
            seed: self.seed,
            api_keys: self.api_keys,
            share_key: if self.share_key { KeySharing::On } else { KeySharing::Off },
            allowed_origins: self.allowed_origins,
            demo_key: if self.allow_demo_key { DemoKey::Anywhere } else { DemoKey::LocalOnly },
            window: self.delta_window,
        }
    }
}

/// Keys stay out of whatever prints this.
impl std::fmt::Debug for Serve {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Serve").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// Reads `https://shop.example:8443` or `*`: what browsers send as their `Origin`.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '*']);
    if text == "*" || host.is_some_and(is_host) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no origin: write one such as https://shop.example, or *"))
}

/// Reads `30d`, `12h`, `90m`, `45s`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write a number and s, m, h or d, such as 30d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for right in ["https://shop.example", "http://localhost:5173", "*"] {
            assert_eq!(origin(right).as_deref(), Ok(right));
        }
        for wrong in ["shop.example", "https://", "https://shop.example/", "https://*.example"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 24 * 3600)));
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "30", "d", "-1d", "1é", "99999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
