//! What the pay key may do, and where it leads.

use crate::domain::cash::{CashEntry, Tender};
use crate::domain::money::Money;
use crate::domain::receipt::OrderId;

/// Whether the order can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// The customer has paid, or pays without cash.
    Enough,
    /// So much is missing.
    Missing(Money),
}

impl Payment {
    /// Decides by what was handed over and what is owed.
    #[must_use]
    pub fn of(entry: CashEntry, total: Money) -> Self {
        match entry.against(total) {
            Tender::Exact | Tender::Change(_) => Self::Enough,
            Tender::Short(amount) => Self::Missing(amount),
        }
    }
}

/// Gives the path of the receipt. What was received travels in it, so that the change is still
/// shown after a reload.
#[must_use]
pub fn receipt_path(id: &OrderId, received: Option<Money>) -> String {
    let received = received.map_or_else(String::new, |amount| format!("={}", amount.minor()));
    format!("/orders/{id}?received{received}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_taken_when_nothing_is_missing() {
        let total = Money::from_minor(972);
        for (entry, expected) in [
            (CashEntry::default(), Payment::Enough),
            (CashEntry::of(total), Payment::Enough),
            (CashEntry::of(Money::from_minor(1_000)), Payment::Enough),
            (CashEntry::of(Money::from_minor(900)), Payment::Missing(Money::from_minor(72))),
        ] {
            assert_eq!(Payment::of(entry, total), expected);
        }
    }

    #[test]
    fn the_receipt_knows_what_was_received() {
        let id = OrderId("7".into());
        assert_eq!(receipt_path(&id, None), "/orders/7?received");
        assert_eq!(receipt_path(&id, Some(Money::from_minor(2_000))), "/orders/7?received=2000");
    }
}
