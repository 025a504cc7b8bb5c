//! What the server does on this machine, beside what the machine can do without it (issue 3).
//!
//! Absolute numbers say more of the machine than of the server, so each is shown beside another of
//! the same run, round by round: the figure that counts is the ratio. The server runs as shops run
//! it, as a program of its own on a file on the disk, where every acknowledged write survives a
//! power cut (`sqlite/migrations.rs`).
#![allow(clippy::print_stdout, missing_docs, reason = "a program that talks to its user")]

mod bare;
mod delta;
mod fan_out;
mod figures;
mod filler;
mod http;
mod mutations;
mod program;
mod sync;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use tempfile::TempDir;

use figures::{Table, load_average};

/// Measures the server on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench server")]
struct Options {
    /// What to measure; everything, if nothing is named
    #[arg(value_enum)]
    subjects: Vec<Subject>,
    /// How often each thing is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many seconds each load is kept up in each round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// The largest table, in rows
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Cargo says so to whatever it runs as a bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Mutations over HTTP at 64 connections
    Mutations,
    /// A base sync of 100,000 rows, and a delta sync beside tables of several sizes
    Sync,
    /// One mutation told to many subscriptions, and what a socket costs in memory
    Realtime,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(measure(&Options::parse())));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(options: &Options) -> Result<()> {
    // In Cargo's own folder: a system's folder for passing files is often no disk at all.
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).context("cannot make a folder")?;
    let is_wanted = |subject| options.subjects.is_empty() || options.subjects.contains(&subject);
    let seconds = Duration::from_secs_f64(options.seconds);
    let before = load_average();
    let mut table = Table::default();
    if is_wanted(Subject::Mutations) {
        mutations::measure(folder.path(), options.rounds, seconds, &mut table).await?;
    }
    if is_wanted(Subject::Realtime) {
        fan_out::measure(folder.path(), options.rounds, &mut table).await?;
    }
    if is_wanted(Subject::Sync) {
        sync::measure(folder.path(), options.rounds, options.rows, &mut table).await?;
    }
    println!("{table}");
    println!("{} rounds; load average {before} before, {} after", options.rounds, load_average());
    Ok(())
}
