//! Running other programs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Prepares a call of the Cargo that runs us, in `folder`.
pub(crate) fn cargo(folder: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder);
    command
}

/// Runs a command that is expected to succeed and returns what it printed.
///
/// # Errors
///
/// When it cannot be started, or fails; then with what it said.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let line = as_typed(command);
    let output = command.output().with_context(|| format!("cannot run: {line}"))?;
    if !output.status.success() {
        bail!("{line}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Writes a command as one would type it into a shell, for messages.
pub(crate) fn as_typed(command: &Command) -> String {
    let settings = command
        .get_envs()
        .filter(|(name, _)| *name != "PATH")
        .filter_map(|(name, value)| Some(format!("{}={}", word(name), word(value?))));
    let program = match Path::new(command.get_program()).file_name() {
        // Cargo hands down its full path; people type its name.
        Some(name) if name == "cargo" => name,
        _ => command.get_program(),
    };
    let words = std::iter::once(program).chain(command.get_args()).map(word);
    settings.chain(words).collect::<Vec<_>>().join(" ")
}

fn word(text: &OsStr) -> String {
    let text = text.to_string_lossy();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:@,+".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_can_be_typed() {
        let mut command = Command::new("cargo");
        command.args(["install", "trunk", "it's"]).env("LEVEL", "0").env("PATH", "/bin");
        assert_eq!(as_typed(&command), r"LEVEL=0 cargo install trunk 'it'\''s'");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = output_of(Command::new("sh").args(["-c", "echo broken >&2; exit 3"]));
        let text = error.map_or_else(|error| error.to_string(), |_| String::new());
        assert!(text.contains("sh -c") && text.contains("broken"), "{text}");
    }
}
