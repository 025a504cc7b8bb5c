use std::path::PathBuf;

use clap::{Command, CommandFactory};
use espressync_server::cli::Cli;

/// Set to write down what `--help` says now, after a look at it.
const UPDATE: &str = "UPDATE_GOLDEN";

fn golden(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/help");
    PathBuf::from(folder).join(format!("{name}.txt"))
}

/// What a command's `--help` says, whatever the environment of the tests says of its settings.
fn help(command: &Command) -> String {
    let command = command.clone().mut_args(|argument| argument.hide_env_values(true));
    let text = command.term_width(100).render_long_help().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn help_says_what_was_looked_at() {
    let mut cli = Cli::command();
    cli.build();
    let mut differ = Vec::new();
    let names = cli.get_subcommands().map(|command| command.get_name().to_owned());
    let mut pages: Vec<(String, String)> = names
        .filter(|name| name != "help")
        .map(|name| {
            let command = cli.find_subcommand(&name).expect("it is there");
            (name.clone(), help(command))
        })
        .collect();
    pages.push(("espressync".to_owned(), help(&cli)));
    for (name, text) in pages {
        let file = golden(&name);
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(&file, &text).expect("it is written");
        }
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        if known != text {
            differ.push(name.clone());
        }
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(longest <= 100, "a line of {name} has {longest} columns");
    }
    assert!(
        differ.is_empty(),
        "--help of {differ:?} has changed: look at it, run this test with {UPDATE}=1, and commit"
    );
}
