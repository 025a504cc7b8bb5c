use std::fmt;
use std::sync::Arc;

use crate::Value;

/// What separates the parts of a composite key: a control character, so that no key a person
/// types can hold it. A key that does hold it is refused, for else two keys would be one text.
const SEPARATOR: char = '\u{1f}';

/// A record's primary key. A single key is its own text; the parts of a composite one are joined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of these values, or `None` when one of them is null, empty, no scalar, or text
    /// [that no key can hold](Self::is_reserved).
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<Self> {
        let mut text = String::new();
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                text.push(SEPARATOR);
            }
            match value {
                Value::Text(part) if part.is_empty() || Self::is_reserved(value) => return None,
                Value::Text(part) => text.push_str(part),
                Value::Int(part) => text.push_str(&part.to_string()),
                Value::Float(part) => text.push_str(&part.to_string()),
                Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => return None,
            }
        }
        if text.is_empty() { None } else { Some(Self(text.into())) }
    }

    /// Whether a value holds the character that separates the parts of keys, U+001F.
    #[must_use]
    pub fn is_reserved(value: &Value) -> bool {
        matches!(value, Value::Text(text) if text.contains(SEPARATOR))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The texts of its parts: one for a single key.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split(SEPARATOR)
    }
}

/// Keys are found by their text, which is ordered as they are.
impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

/// A composite key of these parts.
impl<const N: usize> From<[&str; N]> for Key {
    fn from(parts: [&str; N]) -> Self {
        let mut text = String::new();
        for (position, part) in parts.into_iter().enumerate() {
            if position > 0 {
                text.push(SEPARATOR);
            }
            text.push_str(part);
        }
        Self(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.replace(SEPARATOR, "/"))
    }
}
