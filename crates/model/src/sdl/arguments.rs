use async_graphql_parser::Pos;
use async_graphql_value::ConstValue;

use super::{Result, SdlCause, problem};

/// The arguments of a directive, or the members of an object among them.
#[derive(Debug, Clone)]
pub(super) struct Arguments<'a> {
    pub(super) at: Pos,
    pub(super) directive: &'a str,
    /// Whether these are the directive's own; else members of an object.
    is_own: bool,
    all: Vec<(&'a str, &'a ConstValue)>,
}

impl<'a> Arguments<'a> {
    /// A directive's own.
    pub(super) fn of(
        at: Pos,
        directive: &'a str,
        all: impl Iterator<Item = (&'a str, &'a ConstValue)>,
    ) -> Self {
        Self { at, directive, is_own: true, all: all.collect() }
    }

    /// Refuses every argument that is not in `names`.
    pub(super) fn takes(self, names: &[&str]) -> Result<Self> {
        let other = self.all.iter().find(|(name, _)| !names.contains(name));
        match other {
            None => Ok(self),
            Some((name, _)) if names.is_empty() => self.wrong(format!("takes no `{name}`")),
            Some((name, _)) => {
                let names = listed(names);
                let there = if self.is_own { "it takes" } else { "an object there has" };
                self.wrong(format!("there is no argument `{name}`; {there} {names}"))
            }
        }
    }

    /// An argument's value; null is a value.
    pub(super) fn get(&self, name: &str) -> Option<&'a ConstValue> {
        self.all.iter().find(|(argument, _)| *argument == name).map(|(_, value)| *value)
    }

    /// A text that can be a name in GraphQL, or nothing. The outer `None` is an absent argument,
    /// the inner one `null`.
    pub(super) fn name(&self, name: &str) -> Result<Option<Option<&'a str>>> {
        match self.text(name)? {
            Some(Some(text)) if !is_name(text) => {
                self.wrong(format!("`{name}` should be a name of GraphQL, found \"{text}\""))
            }
            found => Ok(found),
        }
    }

    /// A text. The outer `None` is an absent argument, the inner one `null`.
    pub(super) fn text(&self, name: &str) -> Result<Option<Option<&'a str>>> {
        match self.get(name) {
            None => Ok(None),
            Some(ConstValue::Null) => Ok(Some(None)),
            Some(ConstValue::String(text)) if text.is_empty() => {
                self.wrong(format!("`{name}` is empty"))
            }
            Some(ConstValue::String(text)) => Ok(Some(Some(text))),
            Some(found) => self.wrong(format!("`{name}` should be text, found {found}")),
        }
    }

    /// A list of texts, or one text alone.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>> {
        self.several(name, "a list of texts", |value| {
            let ConstValue::String(text) = value else { return None };
            (!text.is_empty()).then_some(text.as_str())
        })
    }

    /// One of an enum's names.
    pub(super) fn word(&self, name: &str, known: &[&'static str]) -> Result<Option<&'static str>> {
        match self.get(name) {
            None | Some(ConstValue::Null) => Ok(None),
            Some(value) => match word_of(value, known) {
                Some(word) => Ok(Some(word)),
                None => {
                    let known = listed(known);
                    self.wrong(format!("`{name}` should be one of {known}, found {value}"))
                }
            },
        }
    }

    /// A list of an enum's names, or one alone. An empty list passes: what it means is for the
    /// caller.
    pub(super) fn words(
        &self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Option<Vec<&'static str>>> {
        if matches!(self.get(name), Some(ConstValue::List(values)) if values.is_empty()) {
            return Ok(Some(Vec::new()));
        }
        self.several(name, &format!("a list of {}", listed(known)), |value| word_of(value, known))
    }

    /// A whole number from 1.
    pub(super) fn count(&self, name: &str) -> Result<Option<u32>> {
        let number = match self.get(name) {
            None | Some(ConstValue::Null) => return Ok(None),
            Some(ConstValue::Number(number)) => number.as_u64(),
            Some(_) => None,
        };
        match number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0) {
            Some(number) => Ok(Some(number)),
            None => self.wrong(format!("`{name}` should be a whole number from 1")),
        }
    }

    /// An object. The outer `None` is an absent argument, the inner one `null`.
    pub(super) fn object(&self, name: &str) -> Result<Option<Option<Self>>> {
        match self.get(name) {
            None => Ok(None),
            Some(ConstValue::Null) => Ok(Some(None)),
            Some(value) => match self.members(value) {
                Some(members) => Ok(Some(Some(members))),
                None => self.wrong(format!("`{name}` should be an object, found {value}")),
            },
        }
    }

    /// A list of objects, or one alone.
    pub(super) fn objects(&self, name: &str) -> Result<Option<Vec<Self>>> {
        self.several(name, "a list of objects", |value| self.members(value))
    }

    /// The error of an argument that cannot serve.
    pub(super) fn wrong<T>(&self, message: impl Into<String>) -> Result<T> {
        let (directive, message) = (self.directive.to_owned(), message.into());
        problem(self.at, SdlCause::Argument { directive, message })
    }

    /// The error of a field, named by these arguments, that cannot serve.
    pub(super) fn bad_field<T>(&self, field: &str, message: impl Into<String>) -> Result<T> {
        let (directive, field) = (self.directive.to_owned(), field.to_owned());
        problem(self.at, SdlCause::BadField { directive, field, message: message.into() })
    }

    fn members(&self, value: &'a ConstValue) -> Option<Self> {
        let ConstValue::Object(members) = value else { return None };
        let all = members.iter().map(|(name, value)| (name.as_str(), value)).collect();
        Some(Self { is_own: false, all, ..*self })
    }

    fn several<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&'a ConstValue) -> Option<T>,
    ) -> Result<Option<Vec<T>>> {
        let read = |value: &'a ConstValue| {
            let message = || format!("`{name}` should be {expected}, found {value}");
            read(value).map_or_else(|| self.wrong(message()), Ok)
        };
        match self.get(name) {
            None | Some(ConstValue::Null) => Ok(None),
            Some(ConstValue::List(values)) if values.is_empty() => {
                self.wrong(format!("`{name}` is empty"))
            }
            Some(ConstValue::List(values)) => {
                values.iter().map(read).collect::<Result<_>>().map(Some)
            }
            Some(value) => Ok(Some(vec![read(value)?])),
        }
    }
}

fn word_of(value: &ConstValue, known: &[&'static str]) -> Option<&'static str> {
    let ConstValue::Enum(word) = value else { return None };
    known.iter().find(|known| *word == **known).copied()
}

/// `a`, `b` as a reader wants to see them.
pub(super) fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Whether a text can be the name of a field or type; those with two underscores are GraphQL's.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    text.starts_with(is_letter)
        && !text.starts_with("__")
        && text.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit())
}
