use espressync_model::{Key, Timestamp};

use super::errors::invalid;
use crate::backend::Position;
use espressync_model::remote::RemoteError;

const SEPARATOR: char = '|';

/// Where the next page begins, with all that must stay the same from page to page. Opaque to
/// clients, and good only for the field of the same name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// After this record, in key order.
    After(Key),
    /// The same, of a sync query that began at this moment.
    Base { started_at: Timestamp, after: Key },
    /// After this change, of a sync query that began at this moment.
    Delta { started_at: Timestamp, after: Position },
}

impl Token {
    pub(super) fn to_text(&self, field: &str) -> String {
        let rest = match self {
            Self::After(key) => format!("after|{}", key.as_str()),
            Self::Base { started_at, after } => {
                format!("base|{}|{}", started_at.0, after.as_str())
            }
            Self::Delta { started_at, after } => {
                format!("delta|{}|{}|{}", started_at.0, after.changed_at.0, after.number)
            }
        };
        format!("{field}{SEPARATOR}{rest}")
    }

    /// Reads a token that was given out for the same field.
    pub(super) fn read(field: &str, text: &str) -> Result<Self, RemoteError> {
        let rest = text.strip_prefix(field).and_then(|rest| rest.strip_prefix(SEPARATOR));
        let token = rest.and_then(|rest| {
            let (kind, rest) = rest.split_once(SEPARATOR)?;
            match kind {
                "after" => Some(Self::After(Key::from(rest))),
                "base" => {
                    let (started_at, key) = rest.split_once(SEPARATOR)?;
                    Some(Self::Base { started_at: moment(started_at)?, after: Key::from(key) })
                }
                "delta" => {
                    let mut parts = rest.split(SEPARATOR);
                    let started_at = moment(parts.next()?)?;
                    let changed_at = moment(parts.next()?)?;
                    let number = parts.next()?.parse().ok()?;
                    Some(Self::Delta { started_at, after: Position { changed_at, number } })
                }
                _ => None,
            }
        });
        token.ok_or_else(|| invalid(format!("nextToken is not one that {field} gave")))
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_where_the_next_page_begins() {
        let (started_at, key) = (Timestamp(7), || Key::from("a|b"));
        let after = Position { changed_at: Timestamp(5), number: 9 };
        for token in [
            Token::After(key()),
            Token::Base { started_at, after: key() },
            Token::Delta { started_at, after },
        ] {
            let text = token.to_text("syncThings");
            assert_eq!(Token::read("syncThings", &text).unwrap(), token);
            assert!(Token::read("syncOthers", &text).is_err());
        }
        let error = Token::read("listThings", "listThings|delta|x").unwrap_err();
        assert_eq!(error.message, "nextToken is not one that listThings gave");
    }
}
