//! Counting tests by reading what their runners print.

use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::command::as_typed;

/// How many tests have passed and failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
}

impl Counts {
    /// One thing that did not work, like tests that do not compile.
    pub(super) const FAILURE: Self = Self { passed: 0, failed: 1 };
    /// One check that is in order.
    pub(super) const SUCCESS: Self = Self { passed: 1, failed: 0 };
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a program that runs tests: passes on what it prints, and counts by it.
///
/// A program that fails without a failed test, because something does not compile, counts as one.
pub(super) fn of_running(command: &mut Command) -> Result<Counts> {
    println!("  $ {}\n", as_typed(command));
    let mut program = command.stdout(Stdio::piped()).spawn().context("cannot start the tests")?;
    let output = program.stdout.take().context("cannot read what the tests print")?;
    let mut counts = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what the tests print")?;
        println!("{line}");
        if let Some(found) = in_line(&line) {
            counts += found;
        }
    }
    let status = program.wait().context("lost the tests")?;
    if !status.success() && counts.failed == 0 {
        counts += Counts::FAILURE;
    }
    Ok(counts)
}

/// Finds a count in a line of a test runner: Rust's own, wasm-bindgen's or Node's.
fn in_line(line: &str) -> Option<Counts> {
    let line = line.trim();
    if let Some(result) = line.strip_prefix("test result: ") {
        let count = |what: &str| {
            let part = result.split([';', '.']).find_map(|part| part.trim().strip_suffix(what))?;
            part.trim().parse().ok()
        };
        return Some(Counts { passed: count("passed")?, failed: count("failed")? });
    }
    let mut words = line.strip_prefix('ℹ')?.split_whitespace();
    match (words.next()?, words.next()?.parse().ok()?, words.next()) {
        ("pass", passed, None) => Some(Counts { passed, failed: 0 }),
        ("fail" | "cancelled", failed, None) => Some(Counts { passed: 0, failed }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runner_is_understood() {
        let check = |line: &str, expected: Option<(u32, u32)>| {
            let expected = expected.map(|(passed, failed)| Counts { passed, failed });
            assert_eq!(in_line(line), expected, "{line}");
        };
        let rust = "test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.2s";
        check(rust, Some((12, 1)));
        check("test result: ok. 3 passed; 0 failed; 0 ignored; 0 filtered out", Some((3, 0)));
        check("ℹ pass 4", Some((4, 0)));
        check("ℹ fail 2", Some((0, 2)));
        check("ℹ duration_ms 12", None);
        check("ℹ tests 6", None);
        check("running 12 tests", None);
    }

    #[test]
    fn a_failure_before_any_test_counts() -> Result<()> {
        let broken = of_running(Command::new("sh").args(["-c", "exit 101"]))?;
        assert_eq!(broken, Counts::FAILURE);
        let counted = "echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored'; exit 101";
        let counted = of_running(Command::new("sh").args(["-c", counted]))?;
        assert_eq!(counted, Counts { passed: 1, failed: 2 });
        Ok(())
    }
}
