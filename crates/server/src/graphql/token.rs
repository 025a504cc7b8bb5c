use espressync_model::remote::RemoteError;
use espressync_model::{Key, Timestamp, Value};

use super::errors::invalid;
use crate::backend::{Place, Position};

const SEPARATOR: char = '|';

/// Where the next page begins, with all that must stay the same from page to page. Opaque to
/// clients, and good only for the field of the same name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// After this record, in an order by its name.
    After { order: String, place: Place },
    /// The same, of a sync query that began at this moment.
    Base { started_at: Timestamp, order: String, place: Place },
    /// After this change, of a sync query that began at this moment.
    Delta { started_at: Timestamp, after: Position },
}

impl Token {
    pub(super) fn to_text(&self, field: &str) -> String {
        let rest = match self {
            Self::After { order, place } => format!("after|{}", place_to_text(order, place)),
            Self::Base { started_at, order, place } => {
                format!("base|{}|{}", started_at.0, place_to_text(order, place))
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
        rest.and_then(Self::from_text).ok_or_else(|| foreign(field))
    }

    fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(SEPARATOR)?;
        match kind {
            "after" => {
                let (order, place) = place_from_text(rest)?;
                Some(Self::After { order, place })
            }
            "base" => {
                let (started_at, rest) = rest.split_once(SEPARATOR)?;
                let (order, place) = place_from_text(rest)?;
                Some(Self::Base { started_at: moment(started_at)?, order, place })
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
    }
}

/// The refusal of a token that another field has given, or none.
pub(super) fn foreign(field: &str) -> RemoteError {
    invalid(format!("nextToken is not one that {field} gave"))
}

/// `order|kind|sort|key`. The key comes last, for only it may hold separators.
fn place_to_text(order: &str, Place { sort, key }: &Place) -> String {
    let (kind, sort) = match sort {
        Value::Int(number) => ('i', number.to_string()),
        Value::Float(number) => ('f', number.to_bits().to_string()),
        Value::Text(text) => ('t', text.replace('%', "%25").replace(SEPARATOR, "%7C")),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => ('n', String::new()),
    };
    format!("{order}|{kind}|{sort}|{}", key.as_str())
}

fn place_from_text(text: &str) -> Option<(String, Place)> {
    let mut parts = text.splitn(4, SEPARATOR);
    let (order, kind, sort) = (parts.next()?, parts.next()?, parts.next()?);
    let sort = match kind {
        "i" => Value::Int(sort.parse().ok()?),
        "f" => Value::Float(f64::from_bits(sort.parse().ok()?)),
        "t" => Value::from(sort.replace("%7C", "|").replace("%25", "%")),
        "n" => Value::Null,
        _ => return None,
    };
    Some((order.to_owned(), Place { sort, key: Key::from(parts.next()?) }))
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_where_the_next_page_begins() {
        let started_at = Timestamp(7);
        let after = Position { changed_at: Timestamp(5), number: 9 };
        let sorts = [
            Value::Null,
            Value::from(-3),
            Value::from(f64::NEG_INFINITY),
            Value::from("%7C|50%|"),
            Value::from(""),
        ];
        let places = sorts.map(|sort| Place { sort, key: Key::from("a|b") });
        let tokens = places.into_iter().flat_map(|place| {
            let order = "byShop-".to_owned();
            let base = Token::Base { started_at, order: order.clone(), place: place.clone() };
            [Token::After { order, place }, base]
        });
        for token in tokens.chain([Token::Delta { started_at, after }]) {
            let text = token.to_text("syncThings");
            assert_eq!(Token::read("syncThings", &text).unwrap(), token);
            assert!(Token::read("syncOthers", &text).is_err());
        }
        for text in ["listThings|delta|x", "listThings|after|o|f|x|k", "listThings|after|o|n"] {
            let error = Token::read("listThings", text).unwrap_err();
            assert_eq!(error.message, "nextToken is not one that listThings gave");
        }
    }
}
