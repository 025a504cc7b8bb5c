use std::cmp::Ordering;

use crate::predicate::check_field;
use crate::{FieldId, ModelError, ModelId, Predicate, Row, Schema};

/// Which way a sort goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Small first.
    Ascending,
    /// Large first.
    Descending,
}

/// One key of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub field: FieldId,
    /// Which way.
    pub direction: Direction,
}

/// A part of an answer: the `number`th run of `limit` rows, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Which page, from 0.
    pub number: usize,
    /// How many rows a page holds, at least 1.
    pub limit: usize,
}

/// What to look for in one model. Without a sort, rows come in the order in which this store
/// first saw them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Which rows.
    pub predicate: Predicate,
    /// In which order: the first key that tells two rows apart decides. Null comes before
    /// everything when ascending.
    pub sort: Vec<Sort>,
    /// Which part of them.
    pub page: Option<Page>,
}

impl Query {
    /// All rows.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The rows that match.
    #[must_use]
    pub fn filter(predicate: Predicate) -> Self {
        Self { predicate, ..Self::default() }
    }

    /// This query with one more sort key, smallest first.
    #[must_use]
    pub fn ascending(self, field: FieldId) -> Self {
        self.sorted(field, Direction::Ascending)
    }

    /// This query with one more sort key, largest first.
    #[must_use]
    pub fn descending(self, field: FieldId) -> Self {
        self.sorted(field, Direction::Descending)
    }

    fn sorted(mut self, field: FieldId, direction: Direction) -> Self {
        self.sort.push(Sort { field, direction });
        self
    }

    /// This query, one page of it.
    #[must_use]
    pub fn page(mut self, number: usize, limit: usize) -> Self {
        self.page = Some(Page { number, limit });
        self
    }

    /// Refuses what cannot be answered.
    ///
    /// # Errors
    /// [`ModelError::BadPage`] for a page of no rows.
    pub fn check(&self) -> Result<(), ModelError> {
        match self.page {
            Some(Page { limit: 0, .. }) => Err(ModelError::BadPage { limit: 0 }),
            Some(_) | None => Ok(()),
        }
    }

    /// As [`Query::check`], and refuses what the schema does not have.
    ///
    /// # Errors
    /// Also [`ModelError::UnknownModel`], [`ModelError::UnknownField`] in predicate and sort,
    /// [`ModelError::UnknownRelation`], and [`ModelError::WrongType`] for an operand.
    pub fn check_in(&self, schema: &Schema, model: ModelId) -> Result<(), ModelError> {
        self.check()?;
        let Some((_, known)) = schema.models().find(|(id, _)| *id == model) else {
            let names: Vec<&str> = schema.models().map(|(_, model)| model.name.as_str()).collect();
            let name = format!("number {}", model.0);
            return Err(ModelError::UnknownModel { name, known: names.join(", ") });
        };
        self.predicate.check_in(schema, known)?;
        self.sort.iter().try_for_each(|sort| check_field(known, sort.field))
    }

    /// The order of two rows by the sort keys.
    #[must_use]
    pub fn order(&self, a: &Row, b: &Row) -> Ordering {
        for sort in &self.sort {
            let (left, right) = (a.get(sort.field), b.get(sort.field));
            let order = match (left.is_null(), right.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => left.order(right).unwrap_or(Ordering::Equal),
            };
            if order.is_ne() {
                return match sort.direction {
                    Direction::Ascending => order,
                    Direction::Descending => order.reverse(),
                };
            }
        }
        Ordering::Equal
    }
}
