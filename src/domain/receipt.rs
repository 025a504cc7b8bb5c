//! Orders that were taken, as lists and receipts show them.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::cart::{Cart, Totals};
use super::catalog::ProductId;
use super::money::Money;

/// How many product names a one-line description of an order gives.
const NAMES_SHOWN: usize = 2;

/// Names an order for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub String);

impl OrderId {
    /// Gives the short number a barista calls out: the last four characters, in capitals.
    #[must_use]
    pub fn number(&self) -> String {
        let letters: Vec<char> = self.0.chars().filter(char::is_ascii_alphanumeric).collect();
        let start = letters.len().saturating_sub(4);
        letters[start..].iter().map(char::to_ascii_uppercase).collect()
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The moment an order was taken, as the wire has it: ISO 8601 in UTC, so that text order is time
/// order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub String);

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderSummary {
    /// Its identity.
    pub id: OrderId,
    /// When it was taken.
    pub taken: Moment,
    /// What was paid.
    pub total: Money,
    /// How many pieces were sold.
    pub pieces: u32,
    /// A line of text that says what: `Flat white, Croissant and 2 more`.
    pub title: String,
}

/// An order with everything on its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderWithLines {
    /// Its identity.
    pub id: OrderId,
    /// When it was taken.
    pub taken: Moment,
    /// What it came to.
    pub totals: Totals,
    /// What was sold.
    pub lines: Vec<ReceiptLine>,
}

/// One line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLine {
    /// The line's own identity.
    pub id: String,
    /// The product sold, if it is known.
    pub product: Option<ProductId>,
    /// What it was called when it was sold.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// What one cost.
    pub price: Money,
    /// What the line cost.
    pub total: Money,
}

impl OrderWithLines {
    /// Makes the order that a cart becomes when it is paid. Its lines are named after it, by their
    /// number, so that every till shows them in one order.
    #[must_use]
    pub fn of_cart(id: OrderId, taken: Moment, cart: &Cart, totals: Totals) -> Self {
        let lines = (1_u32..)
            .zip(cart.lines())
            .map(|(number, line)| ReceiptLine {
                id: format!("{id}-{number:03}"),
                product: Some(line.product.clone()),
                name: line.name.clone(),
                quantity: line.quantity,
                price: line.price,
                total: line.total(),
            })
            .collect();
        Self { id, taken, totals, lines }
    }

    /// Gives the order as a list shows it.
    #[must_use]
    pub fn summary(&self) -> OrderSummary {
        OrderSummary {
            id: self.id.clone(),
            taken: self.taken.clone(),
            total: self.totals.total,
            pieces: self.lines.iter().map(|line| line.quantity).sum(),
            title: title(self.lines.iter().map(|line| line.name.as_str())),
        }
    }
}

/// Says in a line what an order holds.
#[must_use]
pub fn title<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(NAMES_SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::Product;
    use crate::domain::tax::TaxRate;

    #[test]
    fn a_paid_cart_becomes_an_order_with_the_same_total() {
        let mut cart = Cart::default();
        for (id, price) in [("a", 420), ("b", 340), ("a", 420)] {
            cart.add(&Product {
                id: ProductId(id.into()),
                sku: String::new(),
                name: id.to_uppercase(),
                price: Money::from_minor(price),
                picture: None,
            });
        }
        let totals = cart.totals(TaxRate::default());
        let order = OrderWithLines::of_cart(
            OrderId("5f-4f2a".into()),
            Moment("2026-03-01T10:00:00.000Z".into()),
            &cart,
            totals,
        );
        let ids: Vec<&str> = order.lines.iter().map(|line| line.id.as_str()).collect();
        assert_eq!(ids, ["5f-4f2a-001", "5f-4f2a-002"]);
        assert_eq!(order.lines.iter().map(|line| line.total).sum::<Money>(), totals.subtotal);
        let summary = order.summary();
        assert_eq!((summary.pieces, summary.title.as_str()), (3, "A, B"));
        assert_eq!(summary.total, totals.total);
    }

    #[test]
    fn titles_name_two_and_count_the_rest() {
        for (names, expected) in [
            ("", ""),
            ("Tea", "Tea"),
            ("Tea Cake", "Tea, Cake"),
            ("Tea Cake Juice Bagel", "Tea, Cake and 2 more"),
        ] {
            assert_eq!(title(names.split_whitespace()), expected);
        }
    }

    #[test]
    fn order_numbers_are_short() {
        for (id, expected) in [("9b2d-77c0-00e1f", "0E1F"), ("ab", "AB"), ("", ""), ("ü-12", "12")]
        {
            assert_eq!(OrderId(id.into()).number(), expected);
        }
    }
}
