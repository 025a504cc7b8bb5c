use espressync_model::{BaseType, Direction, FieldId, Key, Model, ModelId, Scalar, Value};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use super::shape::{Shape, extract};
use super::tables::Found;
use crate::backend::{BackendError, Listing, Place, Range, Start, Walk};
use crate::ways::Way;

/// What joins the parts of a sort key of several fields (contract 1.5).
const JOINT: &str = "#";

/// The SQL of one way through a model's table, for which there is an index on these very
/// expressions.
#[derive(Debug)]
pub(super) struct WaySql {
    way: Way,
    stored_as: String,
    equal: Vec<String>,
    sort: Option<Sort>,
}

#[derive(Debug)]
struct Sort {
    /// What the records are ordered by: never null, and for a record without a value least.
    order: String,
    /// The same, null for a record without a value.
    value: String,
}

impl WaySql {
    pub(super) fn of(model: &Model, stored_as: &str, way: Way) -> Self {
        let equal = way.equal.iter().map(|field| extract(model, *field)).collect();
        let sort = Sort::of(model, &way.sort);
        Self { way, stored_as: stored_as.to_owned(), equal, sort }
    }

    fn table(&self) -> String {
        format!("\"rows_{}\"", self.stored_as)
    }

    pub(super) fn is(&self, way: &Way) -> bool {
        self.way.same(way)
    }

    pub(super) fn create_index(&self, model: &Model) -> String {
        let names = |fields: &[FieldId], joint: &str| {
            let names = fields.iter().map(|field| model.at(*field).name.as_str());
            names.collect::<Vec<_>>().join(joint)
        };
        let mut name = format!("by_{}_{}", self.stored_as, names(&self.way.equal, "_"));
        if !self.way.sort.is_empty() {
            name = format!("{name}-{}", names(&self.way.sort, "-"));
        }
        let sort = self.sort.iter().map(|sort| sort.order.as_str());
        let columns: Vec<&str> = self.equal.iter().map(String::as_str).chain(sort).collect();
        let (table, columns) = (self.table(), columns.join(", "));
        format!("CREATE INDEX IF NOT EXISTS \"{name}\" ON {table} ({columns})")
    }

    /// The statements that together are a walk, in its order: first what is left of those that
    /// are sorted like the place where it begins, then those beyond. SQLite does not find its way
    /// through an index over an expression by `(sort, key) > (?, ?)`.
    fn parts<'s>(&self, start: &'s Start) -> Vec<Part<'s>> {
        match (&start.after, &self.sort) {
            (None, _) => vec![Part::Whole],
            (Some(place), None) => vec![Part::Key(&place.key)],
            (Some(place), Some(_)) => vec![Part::Same(place), Part::Beyond(&place.sort)],
        }
    }

    /// The statement of a part of a walk, with its parameters.
    fn select(
        &self,
        connection: &Connection,
        walk: &Walk,
        values: &[Value],
        part: Part<'_>,
        limit: i64,
    ) -> rusqlite::Result<Select> {
        let mut select = Select::default();
        for (expression, value) in self.equal.iter().zip(values) {
            select.condition(format!("{expression} = ?"), [to_sql(value)]);
        }
        let (order, beyond) = match walk.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        if let Some(sort) = &self.sort {
            select.range(connection, sort, &walk.range)?;
        }
        let key = |key: &Key| Sql::Text(key.as_str().to_owned());
        let sort = self.sort.as_ref().map_or("NULL", |sort| sort.order.as_str());
        match part {
            Part::Whole => {}
            Part::Key(after) => select.condition(format!("key {beyond} ?"), [key(after)]),
            Part::Same(Place { sort: value, key: after }) => select
                .condition(format!("{sort} = ? AND key {beyond} ?"), [to_sql(value), key(after)]),
            Part::Beyond(value) => {
                select.condition(format!("{sort} {beyond} ?"), [to_sql(value)]);
            }
        }
        // SQLite sorts anew by what it does not know to be the same in all rows.
        let is_same = matches!((part, &walk.range), (Part::Same(_), _) | (_, Range::Eq(_)));
        let by = match is_same || self.sort.is_none() {
            true => String::new(),
            false => format!("{sort} {order}, "),
        };
        select.parameters.push(Sql::Integer(limit));
        select.text = format!(
            "SELECT key, version, changed_at, deleted, body, {sort} FROM {} WHERE {} \
             ORDER BY {by}key {order} LIMIT ?",
            self.table(),
            select.conditions.join(" AND "),
        );
        Ok(select)
    }
}

/// A part of a walk.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Whole,
    /// What comes after this key, where keys alone order.
    Key(&'a Key),
    /// What is sorted like this place and comes after it by key.
    Same(&'a Place),
    /// What is sorted beyond this.
    Beyond(&'a Value),
}

impl Sort {
    fn of(model: &Model, fields: &[FieldId]) -> Option<Self> {
        let values: Vec<String> = fields.iter().map(|field| extract(model, *field)).collect();
        let number = |field: &FieldId| match model.at(*field).base {
            BaseType::Scalar(scalar) => matches!(
                scalar,
                Scalar::Int | Scalar::Float | Scalar::AwsTimestamp | Scalar::Boolean
            ),
            BaseType::Enum(_) | BaseType::Object(_) => false,
        };
        let least = match fields {
            [] => return None,
            [only] if number(only) => "-9e999",
            _ => "''",
        };
        let value = values.join(&format!(" || '{JOINT}' || "));
        Some(Self { order: format!("ifnull({value}, {least})"), value })
    }
}

/// A statement on the way.
#[derive(Debug, Default)]
struct Select {
    text: String,
    conditions: Vec<String>,
    parameters: Vec<Sql>,
}

impl Select {
    fn condition<const N: usize>(&mut self, condition: String, parameters: [Sql; N]) {
        self.conditions.push(condition);
        self.parameters.extend(parameters);
    }

    fn range(
        &mut self,
        connection: &Connection,
        sort: &Sort,
        range: &Range,
    ) -> rusqlite::Result<()> {
        let order = &sort.order;
        let (operator, operand) = match range {
            Range::All => return Ok(()),
            Range::Eq(operand) => ("=", operand),
            Range::Lt(operand) => ("<", operand),
            Range::Le(operand) => ("<=", operand),
            Range::Gt(operand) => (">", operand),
            Range::Ge(operand) => (">=", operand),
            Range::Between(low, high) => {
                let bounds = [joined(connection, low)?, joined(connection, high)?];
                self.condition(format!("{order} BETWEEN ? AND ?"), bounds);
                self.exists(sort);
                return Ok(());
            }
            Range::BeginsWith(start) => {
                let start = joined(connection, start)?;
                let Sql::Text(text) = &start else {
                    self.condition("0".to_owned(), []);
                    return Ok(());
                };
                let end = end_of_prefix(text);
                self.condition(format!("{order} >= ?"), [start]);
                if let Some(end) = end {
                    self.condition(format!("{order} < ?"), [Sql::Text(end)]);
                }
                self.exists(sort);
                return Ok(());
            }
        };
        self.condition(format!("{order} {operator} ?"), [joined(connection, operand)?]);
        self.exists(sort);
        Ok(())
    }

    /// What has no value stands no comparison.
    fn exists(&mut self, sort: &Sort) {
        self.condition(format!("{} IS NOT NULL", sort.value), []);
    }
}

/// The values of a sort key's first fields as the index holds them. SQLite joins them itself, for
/// it has its own way to write a number.
fn joined(connection: &Connection, values: &[Value]) -> rusqlite::Result<Sql> {
    if let [only] = values {
        return Ok(to_sql(only));
    }
    let marks = vec!["?"; values.len()].join(&format!(" || '{JOINT}' || "));
    let mut statement = connection.prepare_cached(&format!("SELECT {marks}"))?;
    statement.query_row(params_from_iter(values.iter().map(to_sql)), |row| row.get(0))
}

/// The least text above all that begin with this: with its last character raised by one.
fn end_of_prefix(text: &str) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    while let Some(last) = characters.pop() {
        let mut above = (u32::from(last) + 1..=u32::from(char::MAX)).filter_map(char::from_u32);
        if let Some(next) = above.next() {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// Reads a run of records that an index orders.
pub(super) fn walk(
    connection: &Connection,
    shape: &Shape,
    model: ModelId,
    walk: &Walk,
    start: &Start,
    limit: usize,
) -> Result<Listing, BackendError> {
    let Some(sql) = shape.sql(model).way(&walk.way) else { return Ok(Listing::default()) };
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut found: Vec<(Found, Sql)> = Vec::new();
    for part in sql.parts(start) {
        let wanted = one_more - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if wanted > 0 {
            let select = sql.select(connection, walk, &start.values, part, wanted)?;
            let mut statement = connection.prepare_cached(&select.text)?;
            let rows = statement.query_map(params_from_iter(&select.parameters), |row| {
                Ok((Found::of(row)?, row.get(5)?))
            })?;
            found.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
        }
    }
    let is_more = found.len() > limit;
    found.truncate(limit);
    let sort = found.last().map(|(_, sort)| from_sql(sort)).filter(|_| is_more);
    let rows: Vec<_> =
        found.into_iter().map(|(found, _)| found.into_stored(shape, model)).collect();
    let next = sort.zip(rows.last()).map(|(sort, last)| Place { sort, key: last.key.clone() });
    Ok(Listing { rows, next })
}

fn to_sql(value: &Value) -> Sql {
    match value {
        Value::Text(text) => Sql::Text(text.to_string()),
        Value::Int(number) => Sql::Integer(*number),
        Value::Float(number) => Sql::Real(*number),
        Value::Bool(truth) => Sql::Integer(i64::from(*truth)),
        // No key holds these, and nothing equals null in SQL.
        Value::Null | Value::List(_) | Value::Object(_) => Sql::Null,
    }
}

fn from_sql(value: &Sql) -> Value {
    match value {
        Sql::Text(text) => Value::from(text.as_str()),
        Sql::Integer(number) => Value::Int(*number),
        Sql::Real(number) => Value::Float(*number),
        Sql::Null | Sql::Blob(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use espressync_model::sdl;
    use espressync_resolver::{Rules, Strategies};

    use super::*;

    const SCHEMA: &str = "
        type Shop @model { id: ID! visits: [Visit] @hasMany(indexName: \"byShop\", fields: [\"id\"])
          others: [Visit] @hasMany }
        type Visit @model {
          till: ID! @primaryKey(sortKeyFields: [\"number\"])
          number: Int!
          shop: ID @index(name: \"byShop\", sortKeyFields: [\"day\"])
          day: AWSDate
          guest: String @index(name: \"byGuest\", sortKeyFields: [\"day\", \"number\"])
          spent: Float @index(name: \"bySpent\")
        }";

    fn shape() -> Shape {
        let schema = sdl::parse_api(SCHEMA, "schema.graphql").unwrap();
        Shape::of(Arc::new(Rules::new(Arc::new(schema), Strategies::default())))
    }

    fn database(shape: &Shape) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for model in shape.models() {
            connection.execute_batch(&model.create_table).unwrap();
            for index in &model.create_indexes {
                connection.execute_batch(index).unwrap();
            }
        }
        connection
    }

    /// Every walk reads its part of an index in the index's order: nothing is walked through in
    /// vain, and nothing is sorted.
    #[test]
    fn no_walk_scans_or_sorts() {
        let shape = shape();
        let connection = database(&shape);
        let visit = shape.schema().id_of("Visit").unwrap();
        let text = |text: &str| vec![Value::from(text)];
        let ranges = [
            Range::All,
            Range::Eq(text("a")),
            Range::Lt(text("a")),
            Range::Ge(text("a")),
            Range::Between(text("a"), text("b")),
            Range::BeginsWith(text("a")),
        ];
        let (key, sort) = (Key::from("k"), Value::from("a"));
        let place = Place { sort: sort.clone(), key: key.clone() };
        let parts = [Part::Whole, Part::Same(&place), Part::Beyond(&sort), Part::Key(&key)];
        let mut looked_at = 0;
        for way in crate::ways::ways(shape.schema(), visit) {
            let has_order = !way.sort.is_empty();
            for range in ranges.iter().filter(|range| has_order || **range == Range::All) {
                for direction in [Direction::Ascending, Direction::Descending] {
                    let walk = Walk { way: way.clone(), range: range.clone(), direction };
                    let parts = if has_order { &parts[..3] } else { &parts[3..] };
                    for part in parts {
                        check_plan(&connection, &shape, &walk, *part);
                        looked_at += 1;
                    }
                }
            }
        }
        assert_eq!(looked_at, 3 * 6 * 2 * 3 + 2 * 2);
    }

    fn check_plan(connection: &Connection, shape: &Shape, walk: &Walk, part: Part<'_>) {
        let visit = shape.schema().id_of("Visit").unwrap();
        let sql = shape.sql(visit).way(&walk.way).unwrap();
        let values = vec![Value::from("v"); walk.way.equal.len()];
        let select = sql.select(connection, walk, &values, part, 10).unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {}", select.text);
        let mut statement = connection.prepare(&plan).unwrap();
        let lines = statement
            .query_map(params_from_iter(&select.parameters), |row| row.get::<_, String>(3))
            .unwrap();
        let plan = lines.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("; ");
        let is_good = plan.contains("USING INDEX by_Visit")
            && !plan.contains("SCAN")
            && !plan.contains("TEMP B-TREE");
        assert!(is_good, "{walk:?} {part:?}: {plan}");
        let narrows = walk.range != Range::All || !matches!(part, Part::Whole);
        let terms = plan.matches("<expr>").count() + plan.matches("key").count();
        let is_narrow = terms > walk.way.equal.len();
        assert!(!narrows || is_narrow, "{walk:?} {part:?}: {plan}");
    }

    #[test]
    fn a_prefix_ends_where_its_last_character_ends() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("2026-", Some("2026.")),
            ("a\u{10ffff}", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(end_of_prefix(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
