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
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Float(b)) => order_mixed(*a, *b),
            (Self::Float(a), Self::Int(b)) => order_mixed(*b, *a).map(Ordering::reverse),
            _ => None,
        }
    }

    /// The order in which sorts and indexes have any two values: null first, then as
    /// [`Value::order`], and kinds that have no order between them by kind, so that every sort has
    /// one outcome. Values that are the [same](Self::same) are equal here too.
    #[must_use]
    pub fn sort_order(&self, other: &Self) -> Ordering {
        if let Some(order) = self.order(other) {
            return order;
        }
        let by_kind = self.kind().cmp(&other.kind());
        by_kind.then_with(|| match (self, other) {
            (Self::List(a), Self::List(b)) | (Self::Object(a), Self::Object(b)) => {
                let mut pairs = a.iter().zip(b.iter()).map(|(a, b)| a.sort_order(b));
                let differing = pairs.find(|order| order.is_ne());
                differing.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            _ => Ordering::Equal,
        })
    }

    /// Which of the kinds that have no order between them this is: their order in sorts.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Float(number) if number.is_nan() => 6,
            Self::Int(_) | Self::Float(_) => 2,
            Self::Text(_) => 3,
            Self::List(_) => 4,
            Self::Object(_) => 5,
        }
    }

    /// A number that orders most values as [`Value::sort_order`] does: of two values the smaller
    /// has no larger one. Sorts compare it first, as it lies beside the row and not behind it. Of
    /// texts that all begin with the same `shared` bytes it looks at what comes after them.
    #[must_use]
    pub fn sort_prefix(&self, shared: usize) -> u64 {
        let body = match self {
            Self::Bool(value) => u64::from(*value),
            // The size of a number is in its first bytes; the last one only tells neighbours.
            Self::Int(_) | Self::Float(_) => order_of_bits(self.as_number().unwrap_or(0.0)) >> 8,
            Self::Text(text) => {
                let rest = text.as_bytes().get(shared..).unwrap_or_default();
                let mut first = [0; 8];
                let count = rest.len().min(7);
                first[1..=count].copy_from_slice(&rest[..count]);
                u64::from_be_bytes(first.map(utf16_rank))
            }
            Self::Null | Self::List(_) | Self::Object(_) => 0,
        };
        u64::from(self.kind()) << 56 | body
    }

    /// Whether two values are the same for a predicate: 2 and 2.0 are.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self == other || self.order(other) == Some(Ordering::Equal)
    }
}

/// Orders an integer and a float by their exact values, so that order is transitive beyond 2^53.
fn order_mixed(integer: i64, float: f64) -> Option<Ordering> {
    // Both limits are powers of two and exact.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= LIMIT {
        return Some(Ordering::Less);
    }
    if float < -LIMIT {
        return Some(Ordering::Greater);
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is within the limits")]
    let whole = float.trunc() as i64;
    Some(integer.cmp(&whole).then_with(|| float.trunc().total_cmp(&float)))
}

/// The bits of a float, turned so that they are ordered as the floats are; both zeros are one.
fn order_of_bits(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Orders text by UTF-16 code unit: as UTF-8 is ordered, but for the surrogates' range.
fn order_text(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // Eight bytes at a time as far as they are the same.
    let pairs = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let same = pairs.take_while(|(a, b)| a == b).count() * 8;
    let differing = a[same..].iter().zip(&b[same..]).find(|(a, b)| a != b);
    match differing {
        Some((a, b)) => utf16_rank(*a).cmp(&utf16_rank(*b)),
        None => a.len().cmp(&b.len()),
    }
}

/// A byte of UTF-8, ordered as UTF-16 is: what begins a surrogate pair there (F0 and above) comes
/// before U+E000 to U+FFFF (EE and EF). Bytes that continue a character stay below all of these.
fn utf16_rank(byte: u8) -> u8 {
    match byte {
        0xee | 0xef => byte + 0x10,
        0xf0.. => byte - 2,
        _ => byte,
    }
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

    #[test]
    fn every_two_values_have_an_order_and_their_prefixes_agree() {
        let exact = 9_007_199_254_740_993_i64;
        // In order; what is the same stands in one line.
        let ordered: Vec<Vec<Value>> = vec![
            vec![Value::Null],
            vec![false.into()],
            vec![true.into()],
            vec![f64::NEG_INFINITY.into()],
            vec![i64::MIN.into(), (i64::MIN as f64).into()],
            vec![(-1.5).into()],
            vec![(-1).into(), (-1.0).into()],
            vec![(-0.5).into()],
            vec![0.into(), 0.0.into(), (-0.0).into()],
            vec![0.5.into()],
            vec![2.into(), 2.0.into()],
            vec![(exact - 1).into(), 9_007_199_254_740_992.0.into()],
            vec![exact.into()],
            vec![i64::MAX.into()],
            vec![9.3e18.into()],
            vec!["".into()],
            vec!["Espresso".into()],
            vec!["Espresso doppio".into()],
            vec!["Espresso macchiato".into()],
            vec!["\u{7ff}".into()],
            vec!["\u{d7ff}".into()],
            vec!["\u{10000}".into()],
            vec!["\u{10ffff}".into()],
            vec!["\u{e000}".into()],
            vec!["\u{ffff}".into()],
            vec![Value::from(Vec::<Value>::new())],
            vec![vec![1].into()],
            vec![vec![1, 2].into()],
            vec![vec![2].into()],
            vec![Value::Object([2.into()].into())],
            vec![f64::NAN.into()],
        ];
        let ranked = ordered
            .iter()
            .enumerate()
            .flat_map(|(rank, values)| values.iter().map(move |value| (rank, value)));
        let ranked: Vec<(usize, &Value)> = ranked.collect();
        for (rank, one) in &ranked {
            for (other_rank, other) in &ranked {
                let expected = rank.cmp(other_rank);
                assert_eq!(one.sort_order(other), expected, "{one} and {other}");
                let by_prefix = one.sort_prefix(0).cmp(&other.sort_prefix(0));
                assert!(by_prefix.is_eq() || by_prefix == expected, "{one} and {other}");
            }
        }
    }
}
