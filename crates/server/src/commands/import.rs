use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;

use espressync_model::{Meta, Record, Row, Schema, Timestamp, Value};
use espressync_wire::json::patch_from_json;
use serde::Deserialize;
use serde_json::Value as Json;

use super::plan::records;
use super::{CommandError, Verdict};
use crate::cli::{Existing, Import, Settings, Versions};
use crate::clock::system_time;
use crate::serve::rules;
use crate::sqlite::Change;

/// The longest line that is taken: more than any request may be.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// One line of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    model: String,
    values: Json,
    #[serde(rename = "_version")]
    version: Option<u64>,
    #[serde(rename = "_lastChangedAt")]
    changed_at: Option<i64>,
    #[serde(rename = "_deleted", default)]
    deleted: bool,
}

/// Reads records, one a line, into a database that no server has open: all of them or none.
///
/// With the versions that they come with, their changes are older than what clients have seen, so
/// each client is told to read everything anew.
///
/// # Errors
/// [`CommandError`], with the line at fault; nothing is imported then.
pub fn import(
    told: Import,
    input: impl Read,
    out: &mut dyn Write,
) -> Result<Verdict, CommandError> {
    let config = told.files.settings(Settings::default())?.into_config();
    let rules = Arc::new(rules(&config)?);
    let (name, input): (String, Box<dyn Read + '_>) = match &told.input {
        None => ("standard input".to_owned(), Box::new(input)),
        Some(file) => {
            let opened = File::open(file);
            let failed = |source| CommandError::File { file: file.clone(), source };
            (file.display().to_string(), Box::new(opened.map_err(failed)?))
        }
    };
    let change = Change::begin(&config.data, Arc::clone(&rules), system_time())?;
    let import = Importing {
        schema: rules.schema(),
        change,
        versions: told.versions,
        existing: told.existing,
    };
    let mut lines = Lines { input: BufReader::new(input), line: Vec::new(), number: 0 };
    let mut written = 0;
    while let Some(text) = lines.next()? {
        let taken = import.line(text);
        let line = lines.number;
        let at_line = |message| CommandError::Line { file: name.clone(), line, message };
        written += u64::from(taken.map_err(|wrong| match wrong {
            Wrong::Line(message) => at_line(message),
            Wrong::Whole(error) => error,
        })?);
    }
    let Importing { change, .. } = import;
    if told.versions == Versions::Keep && written > 0 {
        change.restart_journal()?;
    }
    change.commit()?;
    writeln!(out, "{} imported", records(written))?;
    Ok(Verdict::Fine)
}

/// The lines of an input, of which one at a time is in memory.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// The next line that is not empty; one that is too long is cut, which its reader will note.
    fn next(&mut self) -> Result<Option<&[u8]>, io::Error> {
        loop {
            self.line.clear();
            let mut rest = (&mut self.input).take(LONGEST_LINE);
            if rest.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(&self.line))
    }
}

struct Importing<'a> {
    schema: &'a Schema,
    change: Change,
    versions: Versions,
    existing: Existing,
}

/// What keeps a line from being taken.
enum Wrong {
    /// Something about the line.
    Line(String),
    /// Something else.
    Whole(CommandError),
}

impl Importing<'_> {
    /// Takes one line, and says whether it was written.
    fn line(&self, text: &[u8]) -> Result<bool, Wrong> {
        let wrong = |reason: &dyn ToString| Wrong::Line(reason.to_string());
        let line: Line = serde_json::from_slice(text).map_err(|error| wrong(&in_line(&error)))?;
        let model_id = self.schema.id_of(&line.model).map_err(|error| wrong(&error))?;
        let model = self.schema.model(model_id);
        let fields = patch_from_json(self.schema, model_id, &line.values);
        let fields = fields.map_err(|error| wrong(&error))?;
        let row = Row::new(vec![Value::Null; model.fields.len()]).with(&fields);
        // A tombstone may be of a time when less was required.
        if !line.deleted {
            model.check(self.schema, &row).map_err(|error| wrong(&error))?;
        }
        let key = model.key_of(&row).map_err(|error| wrong(&error))?;
        let stored = self.change.record(model_id, &key);
        let stored = stored.map_err(|error| Wrong::Whole(error.into()))?;
        let meta = self.meta(&line)?;
        let record = match stored {
            None => {
                // A client may still know the record that was.
                let removed = self.change.removed_version(model_id, &key);
                let removed = removed.map_err(|error| Wrong::Whole(error.into()))?;
                let version = meta.version.max(removed + 1);
                Record { row, meta: Meta { version, ..meta } }
            }
            Some(stored) => {
                let is_same = stored.row == row && stored.meta.deleted == line.deleted;
                if is_same || self.existing == Existing::Keep {
                    return Ok(false);
                }
                let (name, version) = (&line.model, stored.meta.version);
                if self.existing == Existing::Refuse {
                    return Err(Wrong::Line(format!(
                        "{name} {key} is there already, as version {version}; --existing says \
                         which of them to keep"
                    )));
                }
                let version = meta.version.max(version + 1);
                Record { row, meta: Meta { version, changed_at: self.change.now(), ..meta } }
            }
        };
        if record.meta.version > Meta::LAST_VERSION {
            let message = format!("no version of {} {key} is left to take", line.model);
            return Err(Wrong::Line(message));
        }
        let put = self.change.put(model_id, &key, &record);
        put.map_err(|error| Wrong::Whole(error.into()))?;
        Ok(true)
    }

    fn meta(&self, line: &Line) -> Result<Meta, Wrong> {
        let (now, deleted) = (self.change.now(), line.deleted);
        if self.versions == Versions::New {
            return Ok(Meta { version: 1, changed_at: now, deleted });
        }
        let (Some(version), Some(changed_at)) = (line.version, line.changed_at) else {
            let message = "it has no _version or _lastChangedAt; --versions new makes them";
            return Err(Wrong::Line(message.to_owned()));
        };
        if !(1..=Meta::LAST_VERSION).contains(&version) {
            let last = Meta::LAST_VERSION;
            let message = format!("_version should be a number from 1 to {last}, found {version}");
            return Err(Wrong::Line(message));
        }
        if !(0..=now.0).contains(&changed_at) {
            return Err(Wrong::Line(format!(
                "_lastChangedAt {changed_at} is not in the past; is this machine's clock right?"
            )));
        }
        Ok(Meta { version, changed_at: Timestamp(changed_at), deleted })
    }
}

/// The reader counts lines too, from the one that it was given.
fn in_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    format!("no record of an export: {text} at column {}", error.column())
}
