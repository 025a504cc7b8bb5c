use std::io::Write;
use std::path::Path;

use espressync_resolver::Rules;

use super::plan::{Plan, records};
use super::scan::{Scan, scan};
use super::{CommandError, Verdict};
use crate::auth::JwtConfig;
use crate::cli::{Doctor, Settings};
use crate::clock::system_time;
use crate::config::Config;
use crate::serve::rules;
use crate::sqlite::{JournalFaults, Snapshot};

/// How far ahead of the clock a change may be: clocks of machines differ by seconds.
const CLOCK_SLACK_MS: i64 = 5 * 60 * 1000;

/// Below this much free disk, or below the database's size, it is time to act.
const LEAST_FREE: u64 = 256 * 1024 * 1024;

/// Looks at settings, schema and database, and says of each thing whether it is well and what to
/// do where it is not. Nothing is changed, and a server may go on meanwhile.
///
/// # Errors
/// [`CommandError`] where there is nothing to look at.
pub fn doctor(told: Doctor, out: &mut dyn Write) -> Result<Verdict, CommandError> {
    let config = told.files.settings(Settings::default())?.into_config();
    let mut report = Report { out, verdict: Verdict::Fine };
    report.settings(&config)?;
    let schema = match rules(&config) {
        Ok(rules) => {
            let models = rules.schema().models().count();
            let file = config.schema.display();
            report.good(format!("schema: {file} has {models} models"))?;
            Some(rules)
        }
        Err(error) => {
            report
                .bad(format!("schema: {error}"), "mend the schema; the rows are looked at next")?;
            None
        }
    };
    let snapshot = Snapshot::open(&config.data)?;
    report.file(&snapshot, &config)?;
    report.clock(&snapshot)?;
    for name in snapshot.models()? {
        let scan = schema.as_ref().map(|rules| scan(&snapshot, rules, &name));
        report.rows(&name, scan.transpose()?.as_ref(), snapshot.journal_faults(&name)?)?;
    }
    if let Some(rules) = &schema {
        report.plan(&snapshot, rules)?;
    }
    report.disk(&config.data)?;
    Ok(report.verdict)
}

struct Report<'a> {
    out: &'a mut dyn Write,
    verdict: Verdict,
}

impl Report<'_> {
    fn good(&mut self, what: impl AsRef<str>) -> Result<(), CommandError> {
        Ok(writeln!(self.out, "ok    {}", what.as_ref())?)
    }

    /// Something to know, which stops nothing.
    fn note(&mut self, what: impl AsRef<str>) -> Result<(), CommandError> {
        Ok(writeln!(self.out, "note  {}", what.as_ref())?)
    }

    fn bad(&mut self, what: impl AsRef<str>, advice: &str) -> Result<(), CommandError> {
        self.verdict = Verdict::NotFine;
        Ok(writeln!(self.out, "WRONG {}\n      what to do: {advice}", what.as_ref())?)
    }

    fn settings(&mut self, config: &Config) -> Result<(), CommandError> {
        for warning in config.jwt.iter().flat_map(JwtConfig::warnings) {
            self.note(format!("settings: {warning}"))?;
        }
        match config.keys().map(drop).and_then(|()| config.tls().map(drop)) {
            Ok(()) => self.good("settings: they go together"),
            Err(error) => self.bad(format!("settings: {error}"), "see espressync serve --help"),
        }
    }

    fn file(&mut self, snapshot: &Snapshot, config: &Config) -> Result<(), CommandError> {
        let (file, format) = (config.data.display(), snapshot.format()?);
        let by_whom = match snapshot.is_in_use()? {
            true => ", which a server has open",
            false => "",
        };
        self.good(format!("file: {file} is of format {format}{by_whom}"))?;
        let damage = snapshot.damage()?;
        if damage.is_empty() {
            return self.good("file: SQLite finds no damage");
        }
        let advice = "stop the server, export what can be read, and import it into a new file, or \
                      restore a backup";
        self.bad(format!("file: it is damaged: {}", damage.join("; ")), advice)
    }

    fn clock(&mut self, snapshot: &Snapshot) -> Result<(), CommandError> {
        let Some(latest) = snapshot.latest()? else {
            return self.note("clock: there is no change to compare it with");
        };
        let ahead = latest.0 - system_time().0;
        if ahead <= CLOCK_SLACK_MS {
            return self.good("clock: no change lies in the future");
        }
        let seconds = ahead / 1000;
        let what = format!("clock: the newest change is {seconds} s ahead of this machine's clock");
        let advice = "set the clock right; if it is right, it was wrong when that change was made, \
                      and times go on from there until it has caught up";
        self.bad(what, advice)
    }

    fn rows(
        &mut self,
        name: &str,
        scan: Option<&Scan>,
        journal: JournalFaults,
    ) -> Result<(), CommandError> {
        let mut is_good = true;
        if let Some(scan) = scan {
            let unfit = scan.unfit.values().chain([&scan.broken, &scan.moved]);
            for unfit in unfit.filter(|unfit| unfit.count > 0) {
                is_good = false;
                let what = format!(
                    "{name}: {} cannot be served, such as {}",
                    records(unfit.count),
                    unfit.example
                );
                self.bad(what, "write them anew by the API, or export, edit and import them")?;
            }
        }
        if journal != JournalFaults::default() {
            is_good = false;
            let JournalFaults { orphans, newer } = journal;
            let what = format!(
                "{name}: of its journal, {orphans} entries have no record and {newer} are newer \
                 than theirs"
            );
            self.bad(what, "restore a backup: the file was changed by something else")?;
        }
        match (is_good, scan) {
            (false, _) => Ok(()),
            (true, Some(scan)) => self.good(format!("{name}: {} can be read", records(scan.rows))),
            (true, None) => self.good(format!("{name}: its journal agrees with its records")),
        }
    }

    fn plan(&mut self, snapshot: &Snapshot, rules: &Rules) -> Result<(), CommandError> {
        let plan = Plan::of(snapshot, rules)?;
        if plan.is_empty() {
            return self.good("schema: the database agrees with it");
        }
        self.note("schema: the database differs; espressync push brings it up to it")?;
        for line in plan.to_string().lines() {
            writeln!(self.out, "      {line}")?;
        }
        Ok(())
    }

    fn disk(&mut self, file: &Path) -> Result<(), CommandError> {
        let Some(free) = free_bytes(file) else {
            return self.note("disk: how much is free cannot be told here");
        };
        let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        let mebibytes = free / (1024 * 1024);
        if free >= LEAST_FREE.max(size) {
            return self.good(format!("disk: {mebibytes} MiB are free"));
        }
        let what = format!("disk: only {mebibytes} MiB are free");
        self.bad(what, "make room: a server without room refuses writes, which clients then keep")
    }
}

/// How much is free where a file is, if the system says so.
#[cfg(unix)]
fn free_bytes(file: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(file).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
