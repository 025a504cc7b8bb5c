//! What a filter or condition may ask of a record beyond its fields (contract 2.3): whether it is
//! deleted, and how large its fields are. Predicates know fields only, so here these things are
//! fields too, behind those of the model.
//!
//! `_deleted` of a record that lives is null, as AppSync answers it. The size of a text is counted
//! in characters, that of a list in elements; nothing else has one. DynamoDB's documents leave
//! open what the length of a string is.

use espressync_model::{Field, FieldId, Model, Predicate, Record, Row, Scalar, Value};

/// The name of the field that says whether a record is deleted.
const DELETED: &str = "_deleted";

/// The fields that a model's records have beyond their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// How many fields the model has.
    fields: usize,
}

impl Derived {
    /// Those of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self { fields: model.fields.len() }
    }

    /// The model with these fields, over which predicates are read: `_deleted`, and for each field
    /// its size under the name `<field>.size`, which no schema can have.
    #[must_use]
    pub fn extend(model: &Model) -> Model {
        let deleted = Field::new(DELETED, Scalar::Boolean);
        let sizes = model.fields.iter();
        let sizes = sizes.map(|field| Field::new(format!("{}.size", field.name), Scalar::Int));
        std::iter::once(deleted).chain(sizes).fold(model.clone(), Model::field)
    }

    /// The field that tells something of this one: itself, or the field whose size it is.
    #[must_use]
    pub fn source(self, field: FieldId) -> FieldId {
        match field.index().checked_sub(self.fields + 1) {
            Some(position) => id(position),
            None => field,
        }
    }

    /// Whether a predicate asks for more than the model's fields.
    #[must_use]
    pub fn is_asked(self, predicate: &Predicate) -> bool {
        match predicate {
            // What a relation leads to has fields of its own, and filters ask for none.
            Predicate::All | Predicate::Related(..) => false,
            Predicate::Field(field, _) => field.index() >= self.fields,
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| self.is_asked(part))
            }
            Predicate::Not(part) => self.is_asked(part),
        }
    }

    /// Whether a record matches a predicate that may ask for more than its fields.
    #[must_use]
    pub fn matches(self, predicate: &Predicate, record: &Record) -> bool {
        match self.is_asked(predicate) {
            true => predicate.matches(&self.row(record)),
            false => predicate.matches(&record.row),
        }
    }

    /// The record's row with these fields.
    #[must_use]
    pub fn row(self, record: &Record) -> Row {
        let own = FieldId::first(self.fields).map(|field| record.row.get(field));
        let mut values: Vec<Value> = own.cloned().collect();
        let sizes: Vec<Value> = values.iter().map(size).collect();
        values.push(if record.meta.deleted { Value::Bool(true) } else { Value::Null });
        values.extend(sizes);
        Row::new(values)
    }
}

fn id(position: usize) -> FieldId {
    // No model has more fields than its ids can count.
    FieldId(u16::try_from(position).unwrap_or(u16::MAX))
}

fn size(value: &Value) -> Value {
    let size = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(elements) => elements.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Object(_) => {
            return Value::Null;
        }
    };
    i64::try_from(size).map_or(Value::Null, Value::Int)
}

#[cfg(test)]
mod tests {
    use espressync_model::Meta;

    use super::*;

    #[test]
    fn a_record_has_more_to_ask_for_than_its_fields() {
        let model = Model::new("Product", "Products")
            .field(Field::new("name", Scalar::String))
            .field(Field::new("tags", Scalar::String).list(true))
            .field(Field::new("price", Scalar::Float));
        let (derived, extended) = (Derived::of(&model), Derived::extend(&model));
        let row = Row::new(vec!["Çay".into(), vec!["hot", "milk"].into(), 2.5.into()]);
        let check = |field: &str, deleted: bool, value: Value| {
            let meta = Meta { deleted, ..Meta::default() };
            let record = Record { row: row.clone(), meta };
            let field = extended.field_named(field).unwrap();
            assert!(derived.matches(&field.eq(value), &record), "{field:?} {deleted}");
            derived.source(field)
        };
        assert_eq!(check("name", false, "Çay".into()), FieldId(0));
        assert_eq!(check("name.size", false, 3.into()), FieldId(0));
        assert_eq!(check("tags.size", true, 2.into()), FieldId(1));
        assert_eq!(check("price.size", false, Value::Null), FieldId(2));
        assert_eq!(check("_deleted", true, true.into()), FieldId(3));
        check("_deleted", false, Value::Null);
    }
}
