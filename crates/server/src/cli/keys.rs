use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use espressync_model::Timestamp;
use thiserror::Error;

use super::{FileError, Files, Settings, Time};
use crate::auth::{KeyFile, KeyFileError, StoredKey};
use crate::clock::system_time;

/// What `keys` is told.
#[derive(Debug, Args)]
pub struct Keys {
    /// What to do
    #[command(subcommand)]
    command: KeysCommand,
    /// A server's file of settings in TOML, for the `data` that it names
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// The database whose keys they are; it need not be there yet [default: espressync.sqlite]
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_DATA", global = true)]
    data: Option<PathBuf>,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Makes a key and shows it, this once
    Create {
        /// What it is for, such as the name of a till
        #[arg(long, value_name = "NAME", default_value = "")]
        name: String,
        /// How long it is good [default: until it is revoked]
        #[arg(long, value_name = "TIME")]
        expires: Option<Time>,
    },
    /// Shows the keys there are: ids, names, and until when they are good
    List,
    /// Makes keys worthless: for requests at once, for open sockets within half a minute
    Revoke {
        /// Their ids, as `list` shows them
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

/// Why a command about keys failed.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The file of settings cannot be used.
    #[error(transparent)]
    Settings(#[from] FileError),
    /// The keys cannot be read or changed.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The answer cannot be shown.
    #[error("cannot show the answer: {0}")]
    Output(#[from] std::io::Error),
}

impl Keys {
    /// Does what was said. A key goes to `out` alone on its line, so that programs can take it.
    ///
    /// # Errors
    /// [`KeysError`]; a key that could not be shown is revoked again.
    pub fn run(self, out: &mut impl Write) -> Result<(), KeysError> {
        let files = Files { config: self.config, data: self.data, ..Files::default() };
        let config = files.settings(Settings::default())?.into_config();
        let (file, now) = (KeyFile::of(&config.data), system_time());
        match self.command {
            KeysCommand::Create { name, expires } => {
                let expires = expires.map(|Time(long)| {
                    let long = i64::try_from(long.as_millis()).unwrap_or(i64::MAX);
                    Timestamp(now.0.saturating_add(long))
                });
                let made = file.create(&name, expires, now)?;
                if let Err(error) = writeln!(out, "{}", made.key).and_then(|()| out.flush()) {
                    file.revoke(&made.stored.id)?;
                    return Err(error.into());
                }
            }
            KeysCommand::List => {
                for key in file.read()? {
                    writeln!(out, "{}", line(&key, now))?;
                }
            }
            KeysCommand::Revoke { ids } => {
                for id in ids {
                    file.revoke(&id)?;
                }
            }
        }
        Ok(())
    }
}

/// A key as `list` shows it.
fn line(key: &StoredKey, now: Timestamp) -> String {
    let until = match key.expires {
        None => "until it is revoked".to_owned(),
        Some(moment) if key.has_expired(now) => format!("expired {}", date(moment)),
        Some(moment) => format!("until {}", date(moment)),
    };
    format!("{}  made {}  {until}  {}", key.id, date(key.created), key.name)
}

/// A moment for people and programs alike.
fn date(moment: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(moment.0).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        keys: Keys,
    }

    #[test]
    fn a_key_is_shown_once_and_listed_without_itself() {
        let folder = tempfile::TempDir::new().unwrap();
        let data = folder.path().join("d").display().to_string();
        let run = |told: &[&str]| {
            let told = [&["keys"], told, &["--data", &data]].concat();
            let mut out = Vec::new();
            let done = Line::parse_from(told).keys.run(&mut out);
            done.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(run(&["list"]).unwrap(), "");
        let made = run(&["create", "--name", "till 1", "--expires", "30d"]).unwrap();
        assert!(made.starts_with("da2-") && made.lines().count() == 1, "{made}");
        run(&["create", "--name", "old", "--expires", "0s"]).unwrap();
        let listed = run(&["list"]).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(lines[0].contains("  until 2") && lines[0].ends_with("  till 1"), "{listed}");
        assert!(lines[1].contains("  expired 2") && lines[1].ends_with("  old"), "{listed}");
        assert!(!listed.contains(made.trim()), "{listed}");
        let ids: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
        run(&["revoke", ids[0], ids[1]]).unwrap();
        assert_eq!(run(&["list"]).unwrap(), "");
        assert!(run(&["revoke", ids[0]]).unwrap_err().starts_with("there is no key "));
    }

    #[test]
    fn the_database_may_be_named_by_a_file_of_settings() {
        let folder = tempfile::TempDir::new().unwrap();
        let config = folder.path().join("espressync.toml").display().to_string();
        std::fs::write(&config, "data = 'shop.sqlite'").unwrap();
        let run = |told: &[&str]| {
            let mut out = Vec::new();
            let done = Line::parse_from([&["keys"], told].concat()).keys.run(&mut out);
            done.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
        };
        run(&["create", "--name", "till", "--config", &config]).unwrap();
        assert!(KeyFile::of(&folder.path().join("shop.sqlite")).exists());
        assert!(run(&["--config", &config, "list"]).unwrap().ends_with("  till\n"));
        let other = folder.path().join("other").display().to_string();
        assert_eq!(run(&["list", "--config", &config, "--data", &other]).unwrap(), "");
        std::fs::write(&config, "dta = 'shop.sqlite'").unwrap();
        let error = run(&["list", "--config", &config]).unwrap_err();
        assert!(error.contains("espressync.toml, line 1, `dta`: unknown field `dta`"), "{error}");
    }
}
