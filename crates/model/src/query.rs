use std::cmp::Ordering;

use crate::predicate::check_field;
use crate::{BaseType, FieldId, Key, Model, ModelError, ModelId, Predicate, Row, Schema, Value};

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

/// Where the last answer of a sorted query ended. The next one begins behind it, whatever was
/// inserted or removed in between: it holds the values by which the last row was sorted, not a
/// count of rows. It speaks of the query that it came from, and of the store while that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Bookmark {
    /// The last row's values of the sort's fields.
    pub values: Vec<Value>,
    /// The last row's key.
    pub key: Key,
    /// The last row's place in the order in which the store first saw its keys, for when the row
    /// is gone.
    pub place: u32,
}

/// What to look for in one model. Without a sort, rows come in the order in which this store
/// first saw them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Which rows.
    pub predicate: Predicate,
    /// In which order: the first key that tells two rows apart decides. Null comes before
    /// everything when ascending, and rows that no key tells apart come in the order in which the
    /// store first saw them, whichever way the keys go.
    pub sort: Vec<Sort>,
    /// Which part of them, counted from the bookmark if there is one.
    pub page: Option<Page>,
    /// Only rows behind this.
    pub after: Option<Bookmark>,
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

    /// This query, its first `limit` rows.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        self.page(0, limit)
    }

    /// This query, from behind a bookmark on.
    #[must_use]
    pub fn after(mut self, bookmark: Bookmark) -> Self {
        self.after = Some(bookmark);
        self
    }

    /// This query with a part of its answer as dynamic callers give it: pages count from 0.
    ///
    /// # Errors
    /// [`ModelError::BadPage`] for a page without a limit, a negative page, and a limit below 1.
    pub fn paged(self, page: Option<i64>, limit: Option<i64>) -> Result<Self, ModelError> {
        let bad = || ModelError::BadPage { page, limit };
        let Some(rows) = limit else {
            return if page.is_none() { Ok(self) } else { Err(bad()) };
        };
        let number = usize::try_from(page.unwrap_or(0)).map_err(|_| bad())?;
        let rows = usize::try_from(rows).ok().filter(|rows| *rows > 0).ok_or_else(bad)?;
        Ok(self.page(number, rows))
    }

    /// Refuses what cannot be answered.
    ///
    /// # Errors
    /// [`ModelError::BadPage`] for a page of no rows.
    pub fn check(&self) -> Result<(), ModelError> {
        match self.page {
            Some(Page { number, limit: 0 }) => {
                let page = i64::try_from(number).ok();
                Err(ModelError::BadPage { page, limit: Some(0) })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// As [`Query::check`], and refuses what the schema does not have.
    ///
    /// # Errors
    /// Also [`ModelError::UnknownModel`], [`ModelError::UnknownField`] in predicate and sort,
    /// [`ModelError::UnknownRelation`], [`ModelError::WrongType`] for an operand,
    /// [`ModelError::NoOrder`] for a sort by a list, and [`ModelError::BadBookmark`].
    pub fn check_in(&self, schema: &Schema, model: ModelId) -> Result<(), ModelError> {
        self.check()?;
        let model = schema.known(model)?;
        self.predicate.check_in(schema, model)?;
        self.sort.iter().try_for_each(|sort| check_sort(model, sort.field))?;
        match &self.after {
            Some(bookmark) if bookmark.values.len() != self.sort.len() => {
                Err(ModelError::BadBookmark {
                    model: model.name.clone(),
                    expected: self.sort.len(),
                    found: bookmark.values.len(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The order of two rows by the sort keys.
    #[must_use]
    pub fn order(&self, a: &Row, b: &Row) -> Ordering {
        Sort::order(&self.sort, a, b)
    }
}

impl Sort {
    /// Reads a sort key by names, as dynamic callers give it: `("price", "DESCENDING")`.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`], [`ModelError::NoOrder`], [`ModelError::UnknownDirection`].
    pub fn parse(model: &Model, field: &str, direction: &str) -> Result<Self, ModelError> {
        let id = model.field_named(field)?;
        check_sort(model, id)?;
        let direction = match direction {
            "ASCENDING" => Direction::Ascending,
            "DESCENDING" => Direction::Descending,
            _ => {
                return Err(ModelError::UnknownDirection {
                    model: model.name.clone(),
                    field: field.to_owned(),
                    direction: direction.to_owned(),
                });
            }
        };
        Ok(Self { field: id, direction })
    }

    /// The order of two rows by several keys.
    #[must_use]
    pub fn order(keys: &[Self], a: &Row, b: &Row) -> Ordering {
        let mut orders = keys.iter().map(|key| key.of(a.get(key.field), b.get(key.field)));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The order of two values of the field.
    #[must_use]
    pub fn of(self, a: &Value, b: &Value) -> Ordering {
        match self.direction {
            Direction::Ascending => a.sort_order(b),
            Direction::Descending => b.sort_order(a),
        }
    }
}

/// Refuses a sort by what the model has not, or by what has no order.
pub(crate) fn check_sort(model: &Model, field: FieldId) -> Result<(), ModelError> {
    check_field(model, field)?;
    let sorted = model.at(field);
    if sorted.is_list || matches!(sorted.base, BaseType::Object(_)) {
        return Err(ModelError::NoOrder { model: model.name.clone(), field: sorted.name.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_are_read_by_names() {
        use crate::{Field, Scalar};
        let model = Model::new("Cup", "Cups")
            .field(Field::new("price", Scalar::Float))
            .field(Field::new("tags", Scalar::String).list(false));
        let check = |field: &str, direction: &str, expected: Result<Sort, &str>| {
            let parsed = Sort::parse(&model, field, direction).map_err(|error| error.to_string());
            assert_eq!(parsed, expected.map_err(ToOwned::to_owned));
        };
        let sort = |direction| Sort { field: FieldId(0), direction };
        check("price", "ASCENDING", Ok(sort(Direction::Ascending)));
        check("price", "DESCENDING", Ok(sort(Direction::Descending)));
        let expected = "Cup.price is sorted ASCENDING or DESCENDING, `up` given";
        check("price", "up", Err(expected));
        check("cost", "ASCENDING", Err("`Cup` has no field `cost`; it has price, tags"));
        check("tags", "ASCENDING", Err("Cup.tags is a list or an object, which has no order"));
    }

    #[test]
    fn pages_are_given_whole_or_refused() {
        let check = |page: Option<i64>, limit: Option<i64>, expected: Result<_, &str>| {
            let paged = Query::all().paged(page, limit).map(|query| query.page);
            let paged = paged.map_err(|error| error.to_string());
            assert_eq!(paged, expected.map_err(ToOwned::to_owned), "{page:?} {limit:?}");
        };
        check(None, None, Ok(None));
        check(None, Some(2), Ok(Some(Page { number: 0, limit: 2 })));
        check(Some(3), Some(2), Ok(Some(Page { number: 3, limit: 2 })));
        let expected = "a page needs a limit, such as 50; page 1 was asked for without one";
        check(Some(1), None, Err(expected));
        let expected = "a page needs a limit of at least 1, 0 given";
        check(None, Some(0), Err(expected));
        check(Some(-1), Some(2), Err("pages count from 0, -1 given"));
        let expected = "a page needs a limit of at least 1, -5 given";
        check(Some(0), Some(-5), Err(expected));
    }
}
