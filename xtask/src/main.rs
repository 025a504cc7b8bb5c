//! Espressync's chores. A fresh clone needs nothing but `cargo xtask serve` and `cargo xtask test`.
//!
//! It installs what it needs, says what it is doing and how long that may take, and on failure says
//! which command to run by hand. It never depends on a crate of ours: it must build when they do
//! not.
#![allow(clippy::print_stdout, reason = "a command line tool talks to its user")]

mod bench;
mod build;
mod ci;
mod command;
mod fuzz;
mod project;
mod serve;
mod server;
mod size;
mod step;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Usage: cargo xtask <COMMAND>

  serve [--port PORT] [--keep]   build everything and run the shop on this machine
                                 (a fresh database each time; --keep goes on with the last one
                                 of that port, wherever the shop then opens)
  test [LAYER...]                run all test layers, or some: lint, native, browser, e2e,
                                 interop (with the unmodified aws-amplify)
  build                          build the app into dist/ and print its size
  server                         build the server, with its page /graphiql, and print where it is
  bench server [OPTION...]       measure the server beside what the machine can do without it, a
                                 quarter of an hour; -- --help tells of the options
  bench store [OPTION...]        measure the store in Chromium beside hand-written IndexedDB and
                                 aws-amplify; -- --help tells of the options
  fuzz [SECONDS]                 random input for what reads schemas, requests, realtime
                                 messages and tokens, a minute each
  tidy                           check the rules of the house that the compiler cannot
  ci                             test, then check that testing left the working tree as it was

Each installs what it needs and is missing. Set ESPRESSYNC_TOOLS to choose where to, and CHROME
and CHROMEDRIVER to choose the browser.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{HELP}");
        return Ok(ExitCode::FAILURE);
    };
    match command.as_str() {
        "serve" => serve::run(&serve::Options::parse(rest)?),
        "test" => test::run(&test::Layer::parse(rest)?),
        "bench" => bench::run(rest),
        "fuzz" => fuzz::run(rest),
        "build" => nothing_more(rest).and_then(|()| build::run()),
        "server" => nothing_more(rest).and_then(|()| server::run()),
        "tidy" => nothing_more(rest).and_then(|()| tidy::run()),
        "ci" => nothing_more(rest).and_then(|()| ci::run()),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => bail!("there is no command `{unknown}`\n\n{HELP}"),
    }
}

fn nothing_more(arguments: &[String]) -> Result<()> {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => bail!("unexpected argument `{argument}`\n\n{HELP}"),
    }
}
