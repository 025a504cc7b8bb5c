//! What the receipt's address says about the cash.

use crate::domain::cash::{CashEntry, Tender};
use crate::domain::money::Money;

/// Cash that was handed over and what goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What was handed over.
    pub received: Money,
    /// What goes back.
    pub due: Money,
}

/// Reads what was received from the address. Anything that is no amount above the total gives
/// nothing: an address is outside data.
#[must_use]
pub fn change_of(received: &str, total: Money) -> Option<Change> {
    let received = Money::from_minor(received.parse().ok()?);
    match CashEntry::of(received).against(total) {
        Tender::Change(due) => Some(Change { received, due }),
        Tender::Exact | Tender::Short(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_amount_above_the_total_gives_change() {
        for (text, expected) in [
            ("2000", Some(1_028)),
            ("972", None),
            ("1", None),
            ("", None),
            ("-2000", None),
            ("lots", None),
            ("99999999999999999999", None),
        ] {
            let due = change_of(text, Money::from_minor(972)).map(|change| change.due.minor());
            assert_eq!(due, expected, "{text:?}");
        }
    }
}
