use crate::{FieldId, Model, ModelError, ModelId, Row, Value};

/// A Rust struct for one model, as [`codegen`](crate::codegen) writes it from the SDL.
pub trait Entity: Sized {
    /// The model in the schema that was generated beside the struct.
    const MODEL: ModelId;

    /// The values in field order.
    fn to_row(&self) -> Row;

    /// The struct of a row.
    ///
    /// # Errors
    /// [`ModelError`] naming the field whose value does not fit, which a row that passed
    /// [`Model::check`] cannot have.
    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError>;
}

/// A Rust type that a [`Value`] can become.
pub trait FromValue: Sized {
    /// The value, or `None` when it is of another kind.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_text().map(Into::into)
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_number()
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Int(number) = value { Some(*number) } else { None }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Bool(truth) = value { Some(*truth) } else { None }
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::List(elements) = value {
            elements.iter().map(T::from_value).collect()
        } else {
            None
        }
    }
}

impl Model {
    /// Reads a field into a Rust type.
    ///
    /// # Errors
    /// [`ModelError::MissingField`] for null, [`ModelError::WrongType`] for another kind.
    pub fn read<T: FromValue>(&self, row: &Row, field: FieldId) -> Result<T, ModelError> {
        let value = row.get(field);
        T::from_value(value).ok_or_else(|| {
            let (model, field) = (self.name.clone(), self.at(field).name.clone());
            if value.is_null() {
                ModelError::MissingField { model, field }
            } else {
                let expected = std::any::type_name::<T>().to_owned();
                ModelError::WrongType { model, field, expected, found: value.to_string() }
            }
        })
    }
}
