//! The order being taken: lines, quantities, and what can be undone.

use serde::{Deserialize, Serialize};

use super::catalog::{Product, ProductId};
use super::money::Money;
use super::receipt::{OrderId, ReceiptLine};
use super::tax::TaxRate;

/// The most pieces of one product in an order.
pub const MAX_QUANTITY: u32 = 999;

/// The most different products in an order.
pub const MAX_LINES: usize = 200;

/// What is being bought, in the order it was tapped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The order this becomes, named with its first line: paid twice, it is one order.
    #[serde(default)]
    order: Option<OrderId>,
    lines: Vec<CartLine>,
}

/// One product in the cart, at the price it had when it was first tapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Which product.
    pub product: ProductId,
    /// Its name.
    pub name: String,
    /// What one costs.
    pub price: Money,
    /// Its picture.
    pub picture: Option<String>,
    /// How many.
    pub quantity: u32,
}

impl CartLine {
    /// Gives what the line costs.
    #[must_use]
    pub const fn total(&self) -> Money {
        self.price.times(self.quantity)
    }
}

/// What a change took out of the cart, so that it can be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    at: usize,
    line: CartLine,
}

impl Removed {
    /// Gives the name of what was removed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.line.name
    }
}

/// Subtotal, tax and total of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sum of the lines.
    pub subtotal: Money,
    /// The tax on that sum.
    pub tax: Money,
    /// What is to be paid.
    pub total: Money,
}

impl Cart {
    /// Gives the identity of the order this becomes.
    #[must_use]
    pub const fn order(&self) -> Option<&OrderId> {
        self.order.as_ref()
    }

    /// Names the order, if there is something in it and it has no name yet.
    pub fn name_order(&mut self, new_id: impl FnOnce() -> String) {
        if self.order.is_none() && !self.is_empty() {
            self.order = Some(OrderId(new_id()));
        }
    }

    /// Takes out what an order sold, if it is the one this cart became. What was tapped since stays
    /// and is an order of its own.
    pub fn take_sold(&mut self, order: &OrderId, sold: &[ReceiptLine]) {
        if self.order.as_ref() != Some(order) {
            return;
        }
        self.order = None;
        for line in &mut self.lines {
            let of_product =
                sold.iter().filter(|sold| sold.product.as_ref() == Some(&line.product));
            let pieces = of_product.map(|sold| sold.quantity).fold(0, u32::saturating_add);
            line.quantity = line.quantity.saturating_sub(pieces);
        }
        self.lines.retain(|line| line.quantity > 0);
    }

    /// Gives the lines, first tapped first.
    #[must_use]
    pub fn lines(&self) -> &[CartLine] {
        &self.lines
    }

    /// Says whether there is nothing to sell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Counts the pieces.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// Gives how many of a product are in the cart.
    #[must_use]
    pub fn quantity_of(&self, product: &ProductId) -> u32 {
        self.line(product).map_or(0, |line| line.quantity)
    }

    /// Finds a product's line.
    #[must_use]
    pub fn line(&self, product: &ProductId) -> Option<&CartLine> {
        self.lines.iter().find(|line| line.product == *product)
    }

    /// Adds one piece. A full line or a full cart stays as it is.
    pub fn add(&mut self, product: &Product) {
        if let Some(line) = self.line_mut(&product.id) {
            line.quantity = (line.quantity + 1).min(MAX_QUANTITY);
        } else if self.lines.len() < MAX_LINES {
            self.lines.push(CartLine {
                product: product.id.clone(),
                name: product.name.clone(),
                price: product.price,
                picture: product.picture.clone(),
                quantity: 1,
            });
        }
    }

    /// Sets how many of a product are wanted, between 1 and [`MAX_QUANTITY`].
    pub fn set_quantity(&mut self, product: &ProductId, quantity: u32) {
        if let Some(line) = self.line_mut(product) {
            line.quantity = quantity.clamp(1, MAX_QUANTITY);
        }
    }

    /// Takes a product out, giving back what [`Cart::restore`] needs.
    pub fn remove(&mut self, product: &ProductId) -> Option<Removed> {
        let at = self.lines.iter().position(|line| line.product == *product)?;
        Some(Removed { at, line: self.lines.remove(at) })
    }

    /// Puts back what was removed, in its place. Pieces tapped meanwhile are kept.
    pub fn restore(&mut self, removed: Removed) {
        if let Some(line) = self.line_mut(&removed.line.product) {
            line.quantity = (line.quantity + removed.line.quantity).min(MAX_QUANTITY);
        } else {
            self.lines.insert(removed.at.min(self.lines.len()), removed.line);
        }
    }

    /// Empties the cart and gives back what was in it.
    pub fn clear(&mut self) -> Self {
        core::mem::take(self)
    }

    /// Adds up the order.
    #[must_use]
    pub fn totals(&self, rate: TaxRate) -> Totals {
        let subtotal = self.lines.iter().map(CartLine::total).sum();
        let tax = rate.of(subtotal);
        Totals { subtotal, tax, total: subtotal + tax }
    }

    fn line_mut(&mut self, product: &ProductId) -> Option<&mut CartLine> {
        self.lines.iter_mut().find(|line| line.product == *product)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str, price: i64) -> Product {
        Product {
            id: ProductId(id.into()),
            sku: String::new(),
            name: id.to_uppercase(),
            price: Money::from_minor(price),
            picture: None,
        }
    }

    fn cart(ids: &str) -> Cart {
        let mut cart = Cart::default();
        for id in ids.split_whitespace() {
            cart.add(&product(id, 250));
        }
        cart
    }

    #[track_caller]
    fn check(cart: &Cart, expected: &str) {
        let shown: Vec<_> =
            cart.lines().iter().map(|line| format!("{}x{}", line.quantity, line.product)).collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn taps_add_up_in_the_order_of_the_first() {
        let cart = cart("a b a c a");
        check(&cart, "3xa 1xb 1xc");
        assert_eq!(cart.pieces(), 5);
        assert_eq!(cart.quantity_of(&ProductId("z".into())), 0);
    }

    #[test]
    fn quantities_stay_in_bounds() {
        let mut cart = cart("a");
        let id = ProductId("a".into());
        for (wanted, expected) in [(7, "7xa"), (0, "1xa"), (5_000, "999xa")] {
            cart.set_quantity(&id, wanted);
            check(&cart, expected);
        }
        cart.add(&product("a", 250));
        check(&cart, "999xa");
    }

    #[test]
    fn a_cart_has_a_bounded_number_of_lines() {
        let mut cart = Cart::default();
        for number in 0..MAX_LINES + 5 {
            cart.add(&product(&number.to_string(), 100));
        }
        assert_eq!(cart.lines().len(), MAX_LINES);
    }

    #[test]
    fn removing_can_be_undone_in_place() {
        let mut cart = cart("a b b c");
        let id = ProductId("b".into());
        let removed = cart.remove(&id).expect("b is there");
        assert_eq!(removed.name(), "B");
        check(&cart, "1xa 1xc");
        cart.restore(removed.clone());
        check(&cart, "1xa 2xb 1xc");
        cart.restore(removed.clone());
        check(&cart, "1xa 4xb 1xc");
        cart.clear();
        cart.restore(removed);
        check(&cart, "2xb");
        assert_eq!(cart.remove(&ProductId("z".into())), None);
    }

    #[test]
    fn only_what_an_order_sold_leaves_the_cart_it_came_from() {
        #[track_caller]
        fn sell(from: &str, sold: &str, order: &str) -> Cart {
            let paid = cart(sold);
            let moment = crate::domain::receipt::Moment(String::new());
            let totals = paid.totals(TaxRate::default());
            let id = OrderId(order.into());
            let receipt =
                crate::domain::receipt::OrderWithLines::of_cart(id, moment, &paid, totals);
            let mut open = cart(from);
            open.name_order(|| "o1".into());
            open.take_sold(&receipt.id, &receipt.lines);
            open
        }
        assert_eq!(sell("a b a", "a b a", "o1"), Cart::default());
        // Tapped while the order was being stored.
        let rest = sell("a b a c", "a b", "o1");
        check(&rest, "1xa 1xc");
        assert_eq!(rest.order(), None);
        // Another order's cart is left alone.
        check(&sell("a b", "a b", "o2"), "1xa 1xb");
    }

    #[test]
    fn an_order_is_named_once_and_only_with_a_line() {
        let mut open = Cart::default();
        open.name_order(|| "early".into());
        assert_eq!(open.order(), None);
        open.add(&product("a", 250));
        open.name_order(|| "o1".into());
        open.name_order(|| "o2".into());
        assert_eq!(open.order(), Some(&OrderId("o1".into())));
        // A cart of an older version has no name yet.
        let old: Cart = serde_json::from_str(r#"{"lines":[]}"#).expect("reads");
        assert_eq!(old, Cart::default());
    }

    #[test]
    fn tax_is_taken_once_from_the_sum() {
        // Line by line this would be 3 x 0.20 = 0.60 at 8 %; of the whole it is 0.61.
        let mut cart = Cart::default();
        for id in ["a", "b", "c"] {
            cart.add(&product(id, 254));
        }
        let totals = cart.totals(TaxRate::default());
        let minor = [totals.subtotal, totals.tax, totals.total].map(Money::minor);
        assert_eq!(minor, [762, 61, 823]);
    }
}
