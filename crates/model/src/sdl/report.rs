use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::SimpleFile;
use codespan_reporting::term::{Config, emit_into_string};

use super::{SdlError, SdlProblem};

impl SdlError {
    /// Everything that is wrong, for people: each with its line of the file, the place in it, and
    /// what to do.
    #[must_use]
    pub fn report(&self) -> String {
        let file = SimpleFile::new(&self.file, &self.source_text);
        let reports = self.problems.iter().map(|problem| {
            let diagnostic = diagnostic(&self.source_text, problem);
            // What cannot be shown in its place is told without.
            emit_into_string(&Config::default(), &file, &diagnostic)
                .unwrap_or_else(|_| problem.cause.to_string())
        });
        let reports: Vec<String> = reports.map(|report| report.trim_end().to_owned()).collect();
        reports.join("\n\n")
    }
}

/// A cause is told as "what is wrong; what to do".
fn diagnostic(source: &str, problem: &SdlProblem) -> Diagnostic<()> {
    let text = problem.cause.to_string();
    let (what, help) = match text.split_once("; ") {
        Some((what, help)) => (what, Some(format!("help: {help}"))),
        None => (text.as_str(), None),
    };
    Diagnostic::error()
        .with_message(what)
        .with_labels(vec![Label::primary((), range(source, problem))])
        .with_notes(help.into_iter().collect())
}

/// The bytes of the name or mark that a problem is at.
fn range(source: &str, problem: &SdlProblem) -> Range<usize> {
    let lines = source.split_inclusive('\n').take(problem.line.saturating_sub(1));
    let line_start: usize = lines.map(str::len).sum();
    let line = source.get(line_start..).unwrap_or_default();
    let columns = line.chars().take(problem.column.saturating_sub(1));
    let start = line_start + columns.map(char::len_utf8).sum::<usize>();
    let rest = source.get(start..).unwrap_or_default();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let name = rest.char_indices().skip(1).find(|(_, letter)| !is_part(*letter));
    let length = name.map_or(rest.len(), |(end, _)| end);
    start..start + length
}
