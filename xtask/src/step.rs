//! One piece of work at a time, told to the user: what it is, how long it may take, how it went.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::as_typed;
use crate::project::Project;

const HEARTBEAT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// How much of a log's end is looked at for the last lines.
const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 40;

/// A piece of work that takes a while, done by another program.
///
/// Its output goes into a log file, so that steps can run side by side and still be read.
pub(crate) struct Step {
    name: String,
    log: PathBuf,
    started: Instant,
}

impl Step {
    /// Announces the work, with a hint at what it does and how long it may take.
    pub(crate) fn start(project: &Project, name: &str, hint: &str) -> Result<Self> {
        let folder = project.scratch().join("logs");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        println!("  ·  {name}: {hint}");
        let log = folder.join(format!("{}.log", name.replace(|c: char| !c.is_alphanumeric(), "-")));
        Ok(Self { name: name.to_owned(), log, started: Instant::now() })
    }

    /// Runs one command of the work.
    ///
    /// # Errors
    ///
    /// When it fails: with the end of its output and the command to run by hand.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let log = File::create(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let errors = log.try_clone().context("cannot write the log")?;
        let started = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let by_hand = as_typed(command);
        let status = match started {
            Ok(mut program) => self.wait(&mut program)?,
            Err(error) => bail!("{}: cannot start it ({error})\nBy hand: {by_hand}", self.name),
        };
        if !status.success() {
            let tail = last_lines(&self.log, TAIL_LINES).join("\n");
            let (name, log) = (&self.name, self.log.display());
            bail!("{name} failed, {status}:\n{tail}\n\nBy hand: {by_hand}\nAll it said: {log}");
        }
        Ok(())
    }

    /// Says that the work is done and how long it took.
    pub(crate) fn done(self) {
        println!("  ✓  {} ({})", self.name, readable(self.started.elapsed()));
    }

    fn wait(&self, program: &mut Child) -> Result<ExitStatus> {
        let mut next_sign = HEARTBEAT;
        loop {
            if let Some(status) = program.try_wait().context("lost a program")? {
                return Ok(status);
            }
            if self.started.elapsed() >= next_sign {
                next_sign += HEARTBEAT;
                let last = last_lines(&self.log, 1).concat();
                println!(
                    "  …  {}: {}, {}",
                    self.name,
                    readable(self.started.elapsed()),
                    last.trim()
                );
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Says that something needed no work.
pub(crate) fn skipped(name: &str) {
    println!("  ✓  {name}");
}

/// Writes a duration for people: `8.1 s`, `2 min 03 s`.
pub(crate) fn readable(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Reads the last lines of a file that says what a program printed; none when there is no such
/// file.
fn last_lines(log: &Path, count: usize) -> Vec<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|&line| line.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_readable() {
        assert_eq!(readable(Duration::from_millis(8140)), "8.1 s");
        assert_eq!(readable(Duration::from_secs(123)), "2 min 03 s");
    }

    #[test]
    fn only_the_last_lines_are_shown() -> Result<()> {
        let file = std::env::temp_dir().join(format!("xtask-tail-{}", std::process::id()));
        fs::write(&file, "one\ntwo\n\nthree\n")?;
        assert_eq!(last_lines(&file, 2), ["two", "three"]);
        fs::remove_file(&file)?;
        assert!(last_lines(&file, 2).is_empty());
        Ok(())
    }
}
