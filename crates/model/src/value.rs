use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// One value of a row. Cheap to clone: text and lists are shared.
///
/// Enums are their name as text; `AWSJSON` is its text; dates and times are the text the schema's
/// scalar prescribes; `AWSTimestamp` is an integer.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// Nothing: unset and null are one.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A finite floating point number; [`Model::check`](crate::Model::check) refuses others.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Arc<[Value]>),
    /// A value of a non-model type, in the order of that type's fields.
    Object(Arc<[Value]>),
}

impl Value {
    /// Whether the value is nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            // Exact to 2^53, which is as far as JavaScript, JSON and AppSync go.
            #[allow(clippy::cast_precision_loss)]
            Self::Int(number) => Some(*number as f64),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The sum of two numbers; nothing counts as 0. `None` when one of them is no number, or the
    /// sum of two integers is beyond 64 bits.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Null, Self::Int(_) | Self::Float(_)) => Some(other.clone()),
            (Self::Int(_) | Self::Float(_), Self::Null) => Some(self.clone()),
            (Self::Int(a), Self::Int(b)) => a.checked_add(*b).map(Self::Int),
            _ => Some(Self::Float(self.as_number()? + other.as_number()?)),
        }
    }

    /// The order of two values of one kind: numbers by size, text by UTF-16 code unit as
    /// JavaScript orders it, false before true. `None` for null and for different kinds.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(order_text(a, b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            _ => self.as_number()?.partial_cmp(&other.as_number()?),
        }
    }

    /// Whether two values are the same for a predicate: 2 and 2.0 are.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self == other || self.order(other) == Some(Ordering::Equal)
    }
}

/// Orders text by UTF-16 code unit. UTF-8 order differs only between the surrogates' range and
/// what follows it, so code units are looked at only when the first difference is there.
fn order_text(a: &str, b: &str) -> Ordering {
    if a.is_ascii() || b.is_ascii() {
        return a.cmp(b);
    }
    a.encode_utf16().cmp(b.encode_utf16())
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => value.fmt(out),
            Self::Int(value) => value.fmt(out),
            Self::Float(value) => value.fmt(out),
            Self::Text(value) => write!(out, "{:?}", shorten(value)),
            Self::List(values) => write!(out, "a list of {}", values.len()),
            Self::Object(_) => out.write_str("an object"),
        }
    }
}

/// At most 40 characters, so that an error message stays a line.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_ordered_as_javascript_orders_it() {
        // U+FF5E is above the surrogates, so in UTF-16 it comes after the emoji, in UTF-8 before.
        let wide = Value::from("\u{FF5E}");
        let emoji = Value::from("\u{1F600}");
        assert_eq!(wide.order(&emoji), Some(Ordering::Greater));
        assert_eq!(Value::from("a").order(&Value::from("b")), Some(Ordering::Less));
    }

    #[test]
    fn null_has_no_order_and_numbers_of_both_kinds_are_the_same() {
        assert_eq!(Value::Null.order(&Value::from(0)), None);
        assert!(Value::from(2).same(&Value::from(2.0)));
        assert!(!Value::Null.same(&Value::from(0)));
    }
}
