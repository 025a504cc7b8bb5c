//! Sales tax: a rate in basis points, applied once per order.

use serde::{Deserialize, Serialize};

use super::money::{Money, divide_rounded};

/// A tax rate in hundredths of a percent: 800 is 8 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaxRate(u32);

impl TaxRate {
    /// The highest rate a till accepts: 100 %.
    pub const MAX: Self = Self(10_000);

    /// Makes a rate from basis points, at most [`TaxRate::MAX`].
    #[must_use]
    pub fn from_basis_points(points: u32) -> Self {
        Self(points.min(Self::MAX.0))
    }

    /// Gives the tax on a whole order, rounded half away from zero.
    #[must_use]
    pub fn of(self, subtotal: Money) -> Money {
        let exact = i128::from(subtotal.minor()) * i128::from(self.0);
        let tax = divide_rounded(exact, 10_000);
        Money::from_minor(i64::try_from(tax).unwrap_or(i64::MAX))
    }

    /// Reads a percentage as a person writes it: `8`, `8.25`, `8,25 %`.
    ///
    /// # Errors
    ///
    /// [`TaxError`] when the text is no percentage between 0 and 100 with at most two decimals.
    pub fn parse(text: &str) -> Result<Self, TaxError> {
        let text = text.trim().trim_end_matches('%').trim_end();
        let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || whole.is_empty() || whole.len() > 3 || part.len() > 2
        {
            return Err(TaxError);
        }
        let points = format!("{whole}{part:0<2}").parse::<u32>().map_err(|_| TaxError)?;
        if points > Self::MAX.0 {
            return Err(TaxError);
        }
        Ok(Self(points))
    }

    /// Writes the percentage without needless zeros: `8`, `8.5`, `8.25`.
    #[must_use]
    pub fn percent(self) -> String {
        let text = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl Default for TaxRate {
    fn default() -> Self {
        Self(800)
    }
}

/// The text is no tax rate. Shown beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Enter a percentage from 0 to 100, like 8 or 8.25")]
pub struct TaxError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_rounds_half_away_from_zero_once_per_order() {
        #[track_caller]
        fn check(points: u32, subtotal: i64, expected: i64) {
            let tax = TaxRate::from_basis_points(points).of(Money::from_minor(subtotal));
            assert_eq!(tax, Money::from_minor(expected));
        }
        check(800, 1_000, 80);
        check(800, 1_006, 80); // 80.48
        check(800, 1_007, 81); // 80.56
        check(825, 200, 17); // 16.5
        check(825, -200, -17);
        check(0, 1_000, 0);
        check(10_000, 1_000, 1_000);
        check(800, i64::MAX, 737_869_762_948_382_065);
    }

    #[test]
    fn percentages_are_read_strictly() {
        #[track_caller]
        fn check(text: &str, expected: Option<u32>) {
            assert_eq!(TaxRate::parse(text).ok(), expected.map(TaxRate), "{text:?}");
        }
        check("8", Some(800));
        check(" 8.25 % ", Some(825));
        check("8,5", Some(850));
        check("0", Some(0));
        check("100", Some(10_000));
        check("100.01", None);
        check("", None);
        check("%", None);
        check("-1", None);
        check("8.255", None);
        check("eight", None);
        check("1.2.3", None);
    }

    #[test]
    fn percentages_read_back() {
        for points in 0..=10_000 {
            let rate = TaxRate(points);
            assert_eq!(TaxRate::parse(&rate.percent()), Ok(rate));
        }
    }
}
