use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::plan::records;
use super::{CommandError, Verdict};
use crate::cli::{Export, Settings};
use crate::sqlite::{RawRow, Snapshot};

/// Writes the records of a database, one a line, as they are at one moment; a server may go on
/// meanwhile. What the schema no longer has is written too.
///
/// # Errors
/// [`CommandError`]; a file that is named is then as it was.
pub fn export(
    told: Export,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Verdict, CommandError> {
    let config = told.files.settings(Settings::default())?.into_config();
    let snapshot = Snapshot::open(&config.data)?;
    let stored = snapshot.models()?;
    if let Some(unknown) = told.models.iter().find(|name| !stored.contains(name)) {
        let known = stored.join(", ");
        let message = format!("the database has no model {unknown}; it has {known}");
        return Err(CommandError::Refused(message));
    }
    let models = if told.models.is_empty() { stored } else { told.models };
    let tally = match &told.out {
        None => write_all(&snapshot, &models, &mut BufWriter::new(out), notes)?,
        Some(file) => write_file(&snapshot, &models, file, notes)?,
    };
    if tally.unreadable > 0 {
        let count = records(tally.unreadable);
        writeln!(notes, "{count} could not be read and are missing; run espressync doctor")?;
        return Ok(Verdict::NotFine);
    }
    writeln!(notes, "{} exported", records(tally.written))?;
    Ok(Verdict::Fine)
}

#[derive(Default)]
struct Tally {
    written: u64,
    unreadable: u64,
}

/// Writes beside the file and renames at the end, so that half an export never looks like a whole.
fn write_file(
    snapshot: &Snapshot,
    models: &[String],
    file: &Path,
    notes: &mut dyn Write,
) -> Result<Tally, CommandError> {
    let part = part_of(file);
    let failed = |source: io::Error| CommandError::File { file: part.clone(), source };
    let mut out = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = write_all(snapshot, models, &mut out, notes);
    let finished = written.and_then(|tally| {
        out.flush().map_err(failed)?;
        out.get_ref().sync_all().map_err(failed)?;
        fs::rename(&part, file).map_err(failed)?;
        Ok(tally)
    });
    if finished.is_err() {
        // The reason is what is told; the part is worth nothing.
        let _ = fs::remove_file(&part);
    }
    finished
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn write_all(
    snapshot: &Snapshot,
    models: &[String],
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Tally, CommandError> {
    let mut tally = Tally::default();
    for model in models {
        snapshot.rows::<CommandError>(model, |row| {
            match line(model, &row) {
                Ok(line) => {
                    writeln!(out, "{line}")?;
                    tally.written += 1;
                }
                Err(error) => {
                    let key = espressync_model::Key::from(row.key);
                    writeln!(notes, "{model} {key} cannot be read: {error}")?;
                    tally.unreadable += 1;
                }
            }
            Ok(())
        })?;
    }
    out.flush()?;
    Ok(tally)
}

fn line(model: &str, row: &RawRow) -> Result<Json, serde_json::Error> {
    let values: Map<String, Json> = serde_json::from_str(&row.body)?;
    Ok(json!({
        "model": model,
        "values": values,
        "_version": row.version,
        "_lastChangedAt": row.changed_at,
        "_deleted": row.deleted,
    }))
}
