use thiserror::Error;

/// A value, name or row that does not fit the schema. Every variant names the thing at fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The schema has no model of this name.
    #[error("there is no model `{name}` in the schema; it has {known}")]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// The names there are, for the reader of the message.
        known: String,
    },
    /// The model has no field of this name.
    #[error("`{model}` has no field `{field}`; it has {known}")]
    UnknownField {
        /// The model.
        model: String,
        /// The name that was asked for.
        field: String,
        /// The names there are, for the reader of the message.
        known: String,
    },
    /// The model has no relation of this name.
    #[error("`{model}` has no relation `{relation}`; it has {}", or_none(known))]
    UnknownRelation {
        /// The model.
        model: String,
        /// The name that was asked for.
        relation: String,
        /// The names there are, for the reader of the message.
        known: String,
    },
    /// A relation was asked for where only one model's own fields can be.
    #[error(
        "{model}.{relation} leads to other records, for which only queries can ask; use fields of \
         `{model}`"
    )]
    RelationAsked {
        /// The model.
        model: String,
        /// The relation.
        relation: String,
    },
    /// A predicate has parts in parts in parts.
    #[error("a predicate on `{model}` lies more than {most} levels deep; flatten its groups")]
    TooDeep {
        /// The model at the level that is too deep.
        model: String,
        /// How many levels there may be.
        most: usize,
    },
    /// No predicate operator has this name.
    #[error("`{operator}` on {model}.{field} is no predicate operator; there are {known}")]
    UnknownOperator {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// The operator that was asked for.
        operator: String,
        /// The operators there are.
        known: &'static str,
    },
    /// An operator got the wrong number of operands.
    #[error("`{operator}` on {model}.{field} takes {expected} operand(s), {found} given")]
    OperandCount {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// The operator.
        operator: String,
        /// How many it takes.
        expected: usize,
        /// How many it got.
        found: usize,
    },
    /// A required field holds nothing.
    #[error("{model}.{field} is required; set it before saving")]
    MissingField {
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// A key was given with more or fewer values than it has fields.
    #[error("the key of `{model}` is ({expected}); {found} value(s) given")]
    KeyLength {
        /// The model.
        model: String,
        /// The key's fields.
        expected: String,
        /// How many values there were.
        found: usize,
    },
    /// A field holds a value of another type.
    #[error("{model}.{field} should be {expected}, found {found}")]
    WrongType {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// The type that the schema names.
        expected: String,
        /// The value that was found, shortened.
        found: String,
    },
    /// A row has another number of values than its model has fields.
    #[error("a row of `{model}` has {expected} values, {found} given")]
    RowLength {
        /// The model.
        model: String,
        /// How many fields the model has.
        expected: usize,
        /// How many values there were.
        found: usize,
    },
    /// A page was asked for that cannot be.
    #[error("{}", bad_page(*page, *limit))]
    BadPage {
        /// The page that was asked for.
        page: Option<i64>,
        /// The limit that was asked for.
        limit: Option<i64>,
    },
    /// A sort goes in no known direction.
    #[error("{model}.{field} is sorted ASCENDING or DESCENDING, `{direction}` given")]
    UnknownDirection {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// The direction that was asked for.
        direction: String,
    },
    /// A bookmark is of a query with another sort.
    #[error(
        "a query of `{model}` sorted by {expected} field(s) cannot go on behind a bookmark of \
         {found}; use the bookmark that the same query gave"
    )]
    BadBookmark {
        /// The model.
        model: String,
        /// How many fields the query is sorted by.
        expected: usize,
        /// How many the bookmark has values of.
        found: usize,
    },
    /// An operator cannot compare a field of this type.
    #[error("`{operator}` cannot compare {model}.{field}, which is {found}; it has {known}")]
    WrongOperator {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// The operator.
        operator: String,
        /// The field's type.
        found: String,
        /// The operators that can.
        known: &'static str,
    },
    /// A sort, minimum or group by a field whose values have no order.
    #[error("{model}.{field} is a list or an object, which has no order")]
    NoOrder {
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// No aggregate has this name.
    #[error("`{aggregate}` of `{model}` is no aggregate; there are {known}")]
    UnknownAggregate {
        /// The model.
        model: String,
        /// The name that was asked for.
        aggregate: String,
        /// The names there are.
        known: &'static str,
    },
    /// A relation leads to another model than the one that was asked for.
    #[error("{model}.{relation} leads to `{target}`, not to `{wanted}`")]
    WrongTarget {
        /// The model.
        model: String,
        /// The relation.
        relation: String,
        /// Where it leads to.
        target: String,
        /// What was asked for.
        wanted: String,
    },
    /// A sum or average of a field that holds no numbers.
    #[error("{model}.{field} is {found}; only numbers have a sum or an average")]
    NoNumber {
        /// The model.
        model: String,
        /// The field.
        field: String,
        /// The field's type.
        found: String,
    },
}

/// A list of names, or the word for there being no name.
fn or_none(names: &str) -> &str {
    if names.is_empty() { "none" } else { names }
}

/// What is wrong with a page.
fn bad_page(page: Option<i64>, limit: Option<i64>) -> String {
    match (page, limit) {
        (Some(page), None) => {
            format!("a page needs a limit, such as 50; page {page} was asked for without one")
        }
        (Some(page), Some(1..)) => format!("pages count from 0, {page} given"),
        (_, limit) => {
            format!("a page needs a limit of at least 1, {} given", limit.unwrap_or_default())
        }
    }
}
