use async_graphql_parser::Error as ParserError;
use thiserror::Error;

use super::{Problem, Problems};

/// A schema file that cannot be used: everything that is wrong with it, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.lines())]
pub struct SdlError {
    /// The file's name as it was given.
    pub file: String,
    /// What is wrong, in the order of the file; at least one.
    pub problems: Vec<SdlProblem>,
    /// The file's text, of which [`report`](Self::report) shows the lines at fault.
    #[cfg_attr(not(feature = "report"), allow(dead_code, reason = "only the report shows it"))]
    pub(super) source_text: String,
}

impl SdlError {
    pub(super) fn new(file: &str, source: &str, Problems(mut problems): Problems) -> Self {
        problems.sort_by_key(|problem| (problem.at.line, problem.at.column));
        let problems = problems.into_iter().map(|Problem { at, cause }| SdlProblem {
            line: at.line,
            column: at.column,
            cause,
        });
        Self { file: file.to_owned(), problems: problems.collect(), source_text: source.to_owned() }
    }

    fn lines(&self) -> String {
        let lines = self.problems.iter().map(|problem| {
            let SdlProblem { line, column, cause } = problem;
            format!("{}:{line}:{column}: {cause}", self.file)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// One thing that is wrong with a schema file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdlProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub cause: SdlCause,
}

/// Why a schema cannot be used: what is wrong and, behind a semicolon, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SdlCause {
    /// It is no GraphQL.
    #[error("this is no GraphQL: {0}")]
    Syntax(String),
    /// No type has `@model`.
    #[error("no type has @model, so there is nothing to store")]
    NoModel,
    /// Two things have one name.
    #[error("`{0}` is declared twice")]
    Duplicate(String),
    /// The API uses this name itself.
    #[error("the name `{0}` belongs to the API; choose another")]
    ReservedName(String),
    /// No type has this name.
    #[error("there is no type `{0}`")]
    UnknownType(String),
    /// No directive has this name.
    #[error("there is no directive `@{0}`")]
    UnknownDirective(String),
    /// A directive does not go here.
    #[error("`@{name}` has no place here; it goes {place}")]
    MisplacedDirective {
        /// The directive.
        name: String,
        /// Where it goes.
        place: &'static str,
    },
    /// A directive's argument is missing, of another type, or unknown.
    #[error("@{directive}: {message}")]
    Argument {
        /// The directive.
        directive: String,
        /// What is wrong with the argument, by name.
        message: String,
    },
    /// A field that a directive names is not there or cannot serve.
    #[error("@{directive} names the field `{field}`, {message}")]
    BadField {
        /// The directive.
        directive: String,
        /// The field that it names.
        field: String,
        /// Why it cannot serve.
        message: String,
    },
    /// A field's type is a model, but no directive says how the two are related.
    #[error("`{model}.{field}` is of a @model type: add @hasOne, @hasMany or @belongsTo")]
    NoRelation {
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// A relation cannot be carried out.
    #[error("the relation `{model}.{field}` {message}")]
    BadRelation {
        /// The model.
        model: String,
        /// The relation's field.
        field: String,
        /// Why not.
        message: String,
    },
    /// Two models have an operation of one name.
    #[error("`{first}` and `{second}` both have the operation `{operation}`; rename one by @model")]
    SameOperation {
        /// The operation's name.
        operation: String,
        /// The model that has it.
        first: String,
        /// The model that has it too.
        second: String,
    },
    /// An embedded type refers to a model.
    #[error(
        "`{owner}.{field}` is of a @model type, which a type without @model cannot hold; hold its `id`"
    )]
    ModelInObject {
        /// The embedded type.
        owner: String,
        /// The field.
        field: String,
    },
    /// Something that GraphQL or Amplify knows and this version does not.
    #[error("{what} is not supported; {instead}")]
    Unsupported {
        /// What it is.
        what: String,
        /// What to do instead.
        instead: String,
    },
}

/// The parser's message in one line: position and excerpt are ours to print.
pub(super) fn reason_of(error: &ParserError) -> String {
    let text = error.to_string();
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.unwrap_or_default().trim_start_matches("= ").to_owned()
}
