//! Money as a whole number of minor units (cents, öre, yen), and its way to and from text and wire.
//!
//! There is one rounding rule, half away from zero, and it is applied to decimal digits, never to
//! binary fractions: `1.005` becomes 1.01, although the nearest `f64` lies below it.

use core::iter::Sum;
use core::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

use super::currency::Currency;

/// The largest price a person may enter, in minor units. Far below anything that could overflow a
/// total: a cart has at most [`MAX_LINES`](super::cart::MAX_LINES) lines of
/// [`MAX_QUANTITY`](super::cart::MAX_QUANTITY) pieces.
pub const MAX_PRICE: Money = Money(999_999_999);

/// An amount in minor units of the till's currency.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// Makes an amount from minor units: `Money::from_minor(450)` is 4.50 dollars or 450 yen.
    #[must_use]
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// Gives the amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Says whether nothing is owed.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Multiplies by a number of pieces, stopping at the largest amount there is.
    #[must_use]
    pub const fn times(self, pieces: u32) -> Self {
        Self(self.0.saturating_mul(pieces as i64))
    }

    /// Reads a `Float` of the wire.
    ///
    /// # Errors
    ///
    /// [`MoneyError::NotANumber`] for NaN and infinities, [`MoneyError::TooLarge`] beyond what an
    /// amount can hold.
    pub fn from_wire(value: f64, currency: &Currency) -> Result<Self, MoneyError> {
        if !value.is_finite() {
            return Err(MoneyError::NotANumber);
        }
        // The shortest decimal that reads back as this float is what its writer meant.
        let text = value.abs().to_string();
        let minor = Decimal::split(&text, '.')?.to_minor(currency.digits)?;
        Ok(Self(if value < 0.0 { -minor } else { minor }))
    }

    /// Gives the `Float` of the wire: the one nearest to the decimal amount.
    #[must_use]
    pub fn to_wire(self, currency: &Currency) -> f64 {
        // Both are exact below 2^53, and a quotient of exact numbers is rounded once.
        #[expect(clippy::cast_precision_loss, reason = "amounts stay far below 2^53")]
        let (minor, scale) = (self.0 as f64, currency.scale() as f64);
        minor / scale
    }

    /// Reads what a person typed as a price: digits with at most one comma or point.
    ///
    /// # Errors
    ///
    /// Says in words a barista can act on what is wrong with the text.
    pub fn parse(text: &str, currency: &Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(MoneyError::Empty);
        }
        if text.starts_with(['-', '−']) {
            return Err(MoneyError::Negative);
        }
        let point = if text.contains(',') { ',' } else { '.' };
        let decimal = Decimal::split(text, point)?;
        if decimal.fraction.len() > currency.digits as usize {
            return Err(MoneyError::TooPrecise { digits: currency.digits });
        }
        let amount = Self(decimal.to_minor(currency.digits)?);
        if amount > MAX_PRICE {
            return Err(MoneyError::TooLarge);
        }
        Ok(amount)
    }

    /// Formats for people: `$1,234.50`, `1,234 kr`, `−$0.80`.
    #[must_use]
    pub fn format(self, currency: &Currency) -> String {
        let sign = if self.0 < 0 { "−" } else { "" };
        let number = self.digits(currency, true);
        if currency.symbol_first {
            format!("{sign}{}{number}", currency.symbol)
        } else {
            format!("{sign}{number}{}", currency.symbol)
        }
    }

    /// Formats for an input field: `1234.50`, with nothing but digits and a point.
    #[must_use]
    pub fn format_plain(self, currency: &Currency) -> String {
        self.digits(currency, false)
    }

    fn digits(self, currency: &Currency, grouped: bool) -> String {
        let scale = currency.scale().unsigned_abs();
        let (whole, part) = (self.0.unsigned_abs() / scale, self.0.unsigned_abs() % scale);
        let mut text = whole.to_string();
        if grouped {
            text = group_thousands(&text);
        }
        if currency.digits > 0 {
            let width = currency.digits as usize;
            text.push('.');
            text.push_str(&format!("{part:0width$}"));
        }
        text
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Divides and rounds half away from zero: the one rounding rule of the shop.
#[must_use]
pub(crate) const fn divide_rounded(dividend: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    if dividend < 0 { (dividend - half) / divisor } else { (dividend + half) / divisor }
}

/// Why an amount was not understood. Its text is shown beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Nothing was typed.
    #[error("Enter a price, like 4.50")]
    Empty,
    /// Something else than digits with one decimal sign.
    #[error("Use digits with one point or comma, like 4.50")]
    NotANumber,
    /// Less than nothing.
    #[error("A price can't be below zero")]
    Negative,
    /// Fractions of a minor unit.
    #[error("{}", too_precise(*digits))]
    TooPrecise {
        /// How many decimals the currency has.
        digits: u8,
    },
    /// More than the till can hold.
    #[error("That is more than this till can charge")]
    TooLarge,
}

fn too_precise(digits: u8) -> String {
    if digits == 0 {
        "This currency has no decimals".to_owned()
    } else {
        format!("Use at most {digits} decimals")
    }
}

/// The digits on both sides of a decimal sign.
struct Decimal<'a> {
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    fn split(text: &'a str, point: char) -> Result<Self, MoneyError> {
        let (whole, fraction) = text.split_once(point).unwrap_or((text, ""));
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !only_digits(whole)
            || !only_digits(fraction)
            || (whole.is_empty() && fraction.is_empty())
        {
            return Err(MoneyError::NotANumber);
        }
        Ok(Self { whole, fraction })
    }

    /// Gives the value in minor units of so many digits, rounding what lies beyond them.
    fn to_minor(&self, digits: u8) -> Result<i64, MoneyError> {
        let digits = digits as usize;
        let mut minor: i64 = 0;
        let padding = core::iter::repeat_n(b'0', digits);
        for byte in self.whole.bytes().chain(self.fraction.bytes().chain(padding).take(digits)) {
            minor = minor
                .checked_mul(10)
                .and_then(|value| value.checked_add(i64::from(byte - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        let rounds_up = self.fraction.as_bytes().get(digits).is_some_and(|byte| *byte >= b'5');
        minor.checked_add(i64::from(rounds_up)).ok_or(MoneyError::TooLarge)
    }
}

fn group_thousands(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;

    #[test]
    fn wire_floats_become_the_decimal_they_show() {
        #[track_caller]
        fn check(code: &str, value: f64, expected: Result<i64, MoneyError>) {
            let currency = Currency::by_code(code);
            assert_eq!(Money::from_wire(value, currency).map(Money::minor), expected);
        }
        check("USD", 4.5, Ok(450));
        check("USD", 0.1 + 0.2, Ok(30));
        check("USD", 1.005, Ok(101));
        check("USD", -1.005, Ok(-101));
        check("USD", 2.675, Ok(268));
        check("USD", 1.004_999, Ok(100));
        check("USD", 19.99, Ok(1999));
        check("USD", 1e-9, Ok(0));
        check("JPY", 450.0, Ok(450));
        check("JPY", 449.5, Ok(450));
        check("USD", f64::NAN, Err(MoneyError::NotANumber));
        check("USD", f64::INFINITY, Err(MoneyError::NotANumber));
        check("USD", 1e300, Err(MoneyError::TooLarge));
    }

    #[test]
    fn every_amount_survives_the_wire() {
        for code in ["USD", "JPY"] {
            let currency = Currency::by_code(code);
            for minor in (-20_000..20_000).chain([999_999_999, 123_456_789_012]) {
                let amount = Money::from_minor(minor);
                assert_eq!(Money::from_wire(amount.to_wire(currency), currency), Ok(amount));
            }
        }
    }

    #[test]
    fn typed_prices_are_read_strictly() {
        #[track_caller]
        fn check(code: &str, text: &str, expected: Result<i64, MoneyError>) {
            let currency = Currency::by_code(code);
            assert_eq!(Money::parse(text, currency).map(Money::minor), expected, "{text:?}");
        }
        check("USD", "4.50", Ok(450));
        check("USD", " 4,5 ", Ok(450));
        check("USD", "4", Ok(400));
        check("USD", ".5", Ok(50));
        check("USD", "4.", Ok(400));
        check("USD", "0", Ok(0));
        check("USD", "9999999.99", Ok(999_999_999));
        check("USD", "10000000", Err(MoneyError::TooLarge));
        check("USD", "99999999999999999999", Err(MoneyError::TooLarge));
        check("USD", "", Err(MoneyError::Empty));
        check("USD", "  ", Err(MoneyError::Empty));
        check("USD", "-1", Err(MoneyError::Negative));
        check("USD", ".", Err(MoneyError::NotANumber));
        check("USD", "1.2.3", Err(MoneyError::NotANumber));
        check("USD", "1,234.50", Err(MoneyError::NotANumber));
        check("USD", "4€", Err(MoneyError::NotANumber));
        check("USD", "1e3", Err(MoneyError::NotANumber));
        check("USD", "٤", Err(MoneyError::NotANumber));
        check("USD", "4.505", Err(MoneyError::TooPrecise { digits: 2 }));
        check("JPY", "450", Ok(450));
        check("JPY", "450.5", Err(MoneyError::TooPrecise { digits: 0 }));
    }

    #[test]
    fn amounts_are_formatted_with_their_currency() {
        #[track_caller]
        fn check(code: &str, minor: i64, expected: &str) {
            assert_eq!(Money::from_minor(minor).format(Currency::by_code(code)), expected);
        }
        check("USD", 0, "$0.00");
        check("USD", 5, "$0.05");
        check("USD", 123_456_789, "$1,234,567.89");
        check("USD", 100_000, "$1,000.00");
        check("USD", -80, "−$0.80");
        check("JPY", 1_234, "¥1,234");
        check("SEK", 4_500, "45.00\u{a0}kr");
        assert_eq!(Money::from_minor(123_450).format_plain(Currency::by_code("USD")), "1234.50");
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (dividend, expected) in [(5, 1), (4, 0), (-5, -1), (-4, 0), (15, 2), (-15, -2)] {
            assert_eq!(divide_rounded(dividend, 10), expected);
        }
    }
}
