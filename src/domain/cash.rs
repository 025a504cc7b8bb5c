//! Cash over the counter: what was handed over, what goes back.

use super::currency::Currency;
use super::money::{MAX_PRICE, Money};

/// How many amounts are offered beside the exact one.
const OFFERS: usize = 3;

/// The amount typed on the key pad, digit by digit from the right, as tills do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CashEntry {
    received: Option<Money>,
}

/// A key of the pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// One digit, 0 to 9.
    Digit(u8),
    /// Two zeros at once.
    DoubleZero,
    /// Takes the last digit back.
    Back,
}

impl CashEntry {
    /// Starts from an amount that was handed over.
    #[must_use]
    pub const fn of(received: Money) -> Self {
        Self { received: Some(received) }
    }

    /// Gives what was handed over, if anything was entered.
    #[must_use]
    pub const fn received(self) -> Option<Money> {
        self.received
    }

    /// Presses a key. A digit that would pass the largest amount is not taken.
    #[must_use]
    pub fn press(self, key: Key) -> Self {
        let before = self.received.unwrap_or_default().minor();
        let after = match key {
            Key::Digit(digit) => before * 10 + i64::from(digit.min(9)),
            Key::DoubleZero => before * 100,
            Key::Back => before / 10,
        };
        if after > MAX_PRICE.minor() {
            return self;
        }
        Self { received: (after > 0).then_some(Money::from_minor(after)) }
    }

    /// Compares what was handed over with what is owed.
    #[must_use]
    pub fn against(self, total: Money) -> Tender {
        match self.received {
            None => Tender::Exact,
            Some(received) if received < total => Tender::Short(total - received),
            Some(received) if received == total => Tender::Exact,
            Some(received) => Tender::Change(received - total),
        }
    }
}

/// What the cash handed over comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tender {
    /// Nothing goes back.
    Exact,
    /// So much goes back.
    Change(Money),
    /// So much is missing.
    Short(Money),
}

/// Offers the amounts a customer is likely to hand over for a total: the total rounded up to
/// each note, nearest first.
#[must_use]
pub fn likely_amounts(total: Money, currency: &Currency) -> Vec<Money> {
    let mut amounts: Vec<Money> = currency
        .notes
        .iter()
        .map(|note| total.minor().saturating_add(note - 1) / note * note)
        .filter(|amount| *amount > total.minor())
        .map(Money::from_minor)
        .collect();
    amounts.sort_unstable();
    amounts.dedup();
    amounts.truncate(OFFERS);
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_shift_digits_in_from_the_right() {
        use Key::{Back, Digit, DoubleZero};
        #[track_caller]
        fn check(keys: &[Key], expected: Option<i64>) {
            let entry = keys.iter().fold(CashEntry::default(), |entry, key| entry.press(*key));
            assert_eq!(entry.received().map(Money::minor), expected);
        }
        check(&[], None);
        check(&[Digit(2), DoubleZero, Digit(5)], Some(2_005));
        check(&[Digit(0), DoubleZero], None);
        check(&[Digit(1), Back], None);
        check(&[Digit(1), Digit(2), Back], Some(1));
        check(&[Back], None);
        check(&[Digit(9); 12], Some(999_999_999));
    }

    #[test]
    fn cash_is_exact_short_or_over() {
        let total = Money::from_minor(972);
        for (received, expected) in [
            (None, Tender::Exact),
            (Some(972), Tender::Exact),
            (Some(2_000), Tender::Change(Money::from_minor(1_028))),
            (Some(900), Tender::Short(Money::from_minor(72))),
        ] {
            let entry = CashEntry { received: received.map(Money::from_minor) };
            assert_eq!(entry.against(total), expected);
        }
    }

    #[test]
    fn likely_amounts_are_notes_above_the_total() {
        #[track_caller]
        fn check(code: &str, total: i64, expected: &[i64]) {
            let amounts = likely_amounts(Money::from_minor(total), Currency::by_code(code));
            let minor: Vec<_> = amounts.into_iter().map(Money::minor).collect();
            assert_eq!(minor, expected);
        }
        check("USD", 972, &[1_000, 2_000, 5_000]);
        check("USD", 1_000, &[2_000, 5_000, 10_000]);
        check("USD", 302, &[500, 1_000, 2_000]);
        check("USD", 12_345, &[12_500, 13_000, 14_000]);
        check("JPY", 1_234, &[1_500, 2_000, 5_000]);
    }
}
