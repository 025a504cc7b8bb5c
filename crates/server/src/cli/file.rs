use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;

use super::Settings;

/// The files of a server, which every command names in the same way.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Files")]
pub struct Files {
    /// A file of settings in TOML. Each key is a flag's long name, as in `listen = "0.0.0.0:443"`.
    /// What flags or the environment say wins over it; its paths begin at its own folder
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_CONFIG")]
    pub config: Option<PathBuf>,
    /// The schema: types with @model get queries, mutations and subscriptions
    /// [default: schema.graphql]
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_SCHEMA")]
    pub schema: Option<PathBuf>,
    /// The SQLite file that holds the records; made if it is not there
    /// [default: espressync.sqlite]
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_DATA")]
    pub data: Option<PathBuf>,
}

/// A file of settings that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the settings {file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What a line says is wrong, or unknown. Of the line only the key is shown: its value may be
    /// a secret.
    #[error("{file}, line {line}, `{key}`: {message}")]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it is about.
        key: String,
        /// What is wrong.
        message: String,
    },
}

impl Files {
    /// The settings of the file, if one is named, under those that are given here.
    ///
    /// # Errors
    /// [`FileError`], with the line at fault.
    pub fn settings(self, mut given: Settings) -> Result<Settings, FileError> {
        let of_file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        (given.schema, given.data) = (self.schema, self.data);
        Ok(given.or(of_file))
    }
}

fn read(file: &Path) -> Result<Settings, FileError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| FileError::Io { file: file.to_owned(), source })?;
    let settings: Settings = toml::from_str(&text).map_err(|error| of_toml(file, &text, &error))?;
    Ok(settings.within(file.parent().unwrap_or(Path::new(""))))
}

fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> FileError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count();
    let written = text.lines().nth(line).unwrap_or_default();
    let key = written.split('=').next().unwrap_or_default().trim().to_owned();
    FileError::Line {
        file: file.to_owned(),
        line: line + 1,
        key,
        message: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tempfile::TempDir;

    use super::*;
    use crate::config::{Config, KeySharing};

    /// What flags and a file say together. The environment is clap's; the tests of the program
    /// itself set it.
    fn told(flags: &[&str], text: &str) -> Result<Config, String> {
        #[derive(Parser)]
        struct Told {
            #[command(flatten)]
            files: Files,
            #[command(flatten)]
            given: Settings,
        }
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("espressync.toml");
        std::fs::write(&file, text).unwrap();
        let program = ["espressync", "--config", file.to_str().unwrap()];
        let told = Told::try_parse_from(program.iter().chain(flags)).unwrap();
        let settings = told.files.settings(told.given);
        let shorten = |error: FileError| {
            error.to_string().replace(&format!("{}/", folder.path().display()), "")
        };
        settings.map(Settings::into_config).map_err(shorten)
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let check = |flags: &[&str], text: &str, listen: &str, keys: &[&str], window: u64| {
            let config = told(flags, text).unwrap();
            assert_eq!(config.listen.to_string(), listen, "{flags:?} {text}");
            assert_eq!(config.api_keys, keys, "{flags:?} {text}");
            assert_eq!(config.window.as_secs(), window, "{flags:?} {text}");
        };
        let month = 30 * 24 * 3600;
        let file = "listen = '127.0.0.1:1'\napi-key = ['a', 'b']\ndelta-window = '1h'\n";
        check(&[], "", "127.0.0.1:20002", &[], month);
        check(&[], file, "127.0.0.1:1", &["a", "b"], 3600);
        check(&["--listen", "127.0.0.1:2"], file, "127.0.0.1:2", &["a", "b"], 3600);
        check(&["--api-key", "c", "--api-key", "d"], file, "127.0.0.1:1", &["c", "d"], 3600);
        check(&["--delta-window", "2s"], file, "127.0.0.1:1", &["a", "b"], 2);
        check(&[], "api-key = 'a'", "127.0.0.1:20002", &["a"], month);
    }

    #[test]
    fn a_switch_can_be_turned_off_again() {
        let check = |flags: &[&str], text: &str, expected: KeySharing| {
            assert_eq!(told(flags, text).unwrap().share_key, expected, "{flags:?} {text}");
        };
        check(&[], "", KeySharing::Off);
        check(&["--share-key"], "", KeySharing::On);
        check(&[], "share-key = true", KeySharing::On);
        check(&["--share-key=false"], "share-key = true", KeySharing::Off);
        check(&["--share-key"], "share-key = false", KeySharing::On);
    }

    #[test]
    fn paths_of_the_file_begin_at_its_folder_and_those_of_flags_do_not() {
        let config = told(&["--data", "d"], "schema = 's'\ndata = 'x'\nseed = '/seed'").unwrap();
        assert!(config.schema.is_absolute() && config.schema.ends_with("s"));
        assert_eq!(config.data, PathBuf::from("d"));
        assert_eq!(config.seed, Some(PathBuf::from("/seed")));
    }

    #[test]
    fn how_much_a_request_may_ask_is_a_setting() {
        let check = |flags: &[&str], text: &str, expected: (usize, u64, usize, usize)| {
            let query = told(flags, text).unwrap().query;
            let found = (query.depth, query.fields, query.aliases, query.records);
            assert_eq!(found, expected, "{flags:?} {text}");
        };
        let usual = crate::Limits::default();
        check(&[], "", (usual.depth, usual.fields, usual.aliases, usual.records));
        let file = "query-depth = 1\nquery-fields = 2\nquery-aliases = 3\nquery-records = 4";
        check(&[], file, (1, 2, 3, 4));
        let flags = ["--query-depth=5", "--query-fields=6", "--query-aliases=7"];
        check(&flags, file, (5, 6, 7, 4));
    }

    #[test]
    fn models_have_settings_of_their_own() {
        let config = told(&[], "[models.Product]\nconflict = 'optimistic'").unwrap();
        let optimistic = "optimistic".parse().ok();
        assert_eq!(config.models["Product"].conflict, optimistic);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_no_secret() {
        let check = |text: &str, expected: &str| {
            let error = told(&[], text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("da2-"), "{error}");
        };
        check("\nlissten = 1", "espressync.toml, line 2, `lissten`: unknown field `lissten`");
        check(
            "\n\n[models.Product]\nconflit = 'x'",
            "espressync.toml, line 4, `conflit`: unknown field `conflit`, expected `conflict`",
        );
        check("listen = 'here'", "espressync.toml, line 1, `listen`: invalid socket address");
        check("delta-window = '3'", "espressync.toml, line 1, `delta-window`: \"3\" is no time");
        check("conflict = 'x'", "espressync.toml, line 1, `conflict`: \"x\" is no way");
        check("api-key = 3", "espressync.toml, line 1, `api-key`: should be a text or a list");
        check("api-key = 'da2-x", "espressync.toml, line 1, `api-key`: ");
        check("data = 'a'\ndata = 'b'", "espressync.toml, line 2, `data`: duplicate key");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let files = Files { config: Some("none.toml".into()), ..Files::default() };
        let error = files.settings(Settings::default()).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the settings none.toml: "), "{error}");
    }
}
