//! Between the shop's own types and the records that travel.
//!
//! Amounts are minor units on this side and `Float` on the other, in the currency of the till.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::cart::Totals;
use crate::domain::catalog::{Product, ProductFields, ProductId};
use crate::domain::currency::Currency;
use crate::domain::money::{Money, MoneyError};
use crate::domain::receipt::{Moment, OrderId, OrderWithLines, ReceiptLine};
use crate::models;

/// The record of a product.
pub(super) fn product_record(product: &Product, currency: &Currency) -> models::Product {
    models::Product {
        id: product.id.0.clone(),
        sku: Some(product.sku.clone()).filter(|sku| !sku.is_empty()),
        name: product.name.clone(),
        price: product.price.to_wire(currency),
        image: product.picture.clone(),
        created_at: None,
        updated_at: None,
    }
}

/// A product from the form.
pub(super) fn product_of_fields(id: ProductId, fields: ProductFields) -> Product {
    let ProductFields { sku, name, price, picture } = fields;
    Product { id, sku, name, price, picture }
}

/// The product of a record.
pub(super) fn product(record: models::Product, currency: &Currency) -> Result<Product, MoneyError> {
    Ok(Product {
        id: ProductId(record.id),
        sku: record.sku.unwrap_or_default(),
        name: record.name,
        price: Money::from_wire(record.price, currency)?,
        picture: record.image,
    })
}

/// The records of an order and of its lines.
pub(super) fn order_records(
    order: &OrderWithLines,
    currency: &Currency,
) -> (models::Order, Vec<models::LineItem>) {
    let amount = |money: Money| Some(money.to_wire(currency));
    let record = models::Order {
        id: order.id.0.clone(),
        total: amount(order.totals.total),
        subtotal: amount(order.totals.subtotal),
        tax: amount(order.totals.tax),
        created_at: order.taken.0.clone(),
        updated_at: None,
    };
    let lines = order.lines.iter().map(|line| models::LineItem {
        id: line.id.clone(),
        line_item_order_id: Some(order.id.0.clone()),
        line_item_product_id: line.product.as_ref().map(|product| product.0.clone()),
        qty: Some(i64::from(line.quantity)),
        description: Some(line.name.clone()),
        price: amount(line.price),
        total: amount(line.total),
        ..models::LineItem::default()
    });
    (record, lines.collect())
}

/// The orders of these records, each with its lines, and why others cannot be shown. An amount
/// that is missing counts as nothing. Lines are shown in the order in which they are given.
pub(super) fn orders(
    orders: &[Rc<models::Order>],
    lines: &[Rc<models::LineItem>],
    currency: &Currency,
) -> (Vec<OrderWithLines>, Vec<MoneyError>) {
    let mut odd = Vec::new();
    let mut lines_of: BTreeMap<String, Vec<ReceiptLine>> = BTreeMap::new();
    for line in lines {
        let Some(order) = line.line_item_order_id.clone() else { continue };
        match receipt_line(line, currency) {
            Ok(line) => lines_of.entry(order).or_default().push(line),
            Err(error) => odd.push(error),
        }
    }
    let mut joined = Vec::new();
    for record in orders {
        match order(record, currency) {
            Ok(mut order) => {
                order.lines = lines_of.remove(&order.id.0).unwrap_or_default();
                joined.push(order);
            }
            Err(error) => odd.push(error),
        }
    }
    (joined, odd)
}

fn order(record: &models::Order, currency: &Currency) -> Result<OrderWithLines, MoneyError> {
    let amount = |wire: Option<f64>| Money::from_wire(wire.unwrap_or_default(), currency);
    Ok(OrderWithLines {
        totals: Totals {
            subtotal: amount(record.subtotal)?,
            tax: amount(record.tax)?,
            total: amount(record.total)?,
        },
        lines: Vec::new(),
        id: OrderId(record.id.clone()),
        taken: Moment(record.created_at.clone()),
    })
}

fn receipt_line(line: &models::LineItem, currency: &Currency) -> Result<ReceiptLine, MoneyError> {
    let amount = |wire: Option<f64>| Money::from_wire(wire.unwrap_or_default(), currency);
    Ok(ReceiptLine {
        id: line.id.clone(),
        product: line.line_item_product_id.clone().map(ProductId),
        name: line.description.clone().unwrap_or_default(),
        quantity: line.qty.and_then(|quantity| u32::try_from(quantity).ok()).unwrap_or_default(),
        price: amount(line.price)?,
        total: amount(line.total)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Settings;

    #[test]
    fn an_order_comes_back_as_it_was_taken() {
        let currency = Settings::default().currency();
        let amount = Money::from_minor;
        let order = OrderWithLines {
            id: OrderId("o1".into()),
            taken: Moment("2026-11-22T10:00:00.000Z".into()),
            totals: Totals { subtotal: amount(840), tax: amount(67), total: amount(907) },
            lines: vec![ReceiptLine {
                id: "l1".into(),
                product: Some(ProductId("p1".into())),
                name: "Flat white".into(),
                quantity: 2,
                price: amount(420),
                total: amount(840),
            }],
        };
        let (record, mut lines) = order_records(&order, currency);
        assert_eq!((record.total, lines[0].price), (Some(9.07), Some(4.2)));
        // A line of an order that has not arrived yet waits for it.
        lines.push(models::LineItem {
            line_item_order_id: Some("not here yet".into()),
            ..lines[0].clone()
        });
        let odd = models::Order { id: "o2".into(), total: Some(1e300), ..record.clone() };
        let lines: Vec<_> = lines.into_iter().map(Rc::new).collect();
        let (shown, reasons) = orders(&[Rc::new(odd), Rc::new(record)], &lines, currency);
        assert_eq!((shown, reasons.len()), (vec![order], 1));
    }

    #[test]
    fn a_product_without_number_or_picture_comes_back_so() {
        let currency = Settings::default().currency();
        let plain = Product {
            id: ProductId("p1".into()),
            sku: String::new(),
            name: "Tea".into(),
            price: Money::from_minor(300),
            picture: None,
        };
        let record = product_record(&plain, currency);
        assert_eq!(record.sku, None);
        assert_eq!(product(record, currency), Ok(plain));
    }
}
