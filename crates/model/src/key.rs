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
        let mut values = values.into_iter().peekable();
        while let Some(value) = values.next() {
            match value {
                Value::Text(part) if part.is_empty() || Self::is_reserved(value) => return None,
                // The key of one text is that text, and shares its memory.
                Value::Text(part) if text.is_empty() && values.peek().is_none() => {
                    return Some(Self(Arc::clone(part)));
                }
                Value::Text(part) => text.push_str(part),
                Value::Int(part) => text.push_str(&part.to_string()),
                Value::Float(part) => text.push_str(&part.to_string()),
                Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => return None,
            }
            if values.peek().is_some() {
                text.push(SEPARATOR);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_texts_of_its_parts() {
        let check = |values: &[Value], expected: Option<&str>| {
            let key = Key::of(values);
            assert_eq!(key.as_ref().map(Key::as_str), expected, "{values:?}");
        };
        check(&["a".into()], Some("a"));
        check(&["a".into(), 2.into()], Some("a\u{1f}2"));
        check(&[2.into(), "a".into()], Some("2\u{1f}a"));
        check(&["a".into(), "b".into(), "c".into()], Some("a\u{1f}b\u{1f}c"));
        check(&[7.into()], Some("7"));
        check(&[0.5.into()], Some("0.5"));
        check(&[], None);
        check(&["".into()], None);
        check(&["a".into(), Value::Null], None);
        check(&["a\u{1f}b".into()], None);
        check(&["a".into(), "".into()], None);
    }

    #[test]
    fn a_key_of_one_text_shares_its_memory() {
        let text: Arc<str> = "till".into();
        let key = Key::of([&Value::Text(Arc::clone(&text))]);
        assert!(key.is_some_and(|key| Arc::ptr_eq(&key.0, &text)));
    }
}
