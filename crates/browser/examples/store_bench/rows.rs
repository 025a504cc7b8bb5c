//! The rows that every engine of the bench stores, made from their number as tests/bench/page/
//! rows.js makes them.

use espressync_client::Write;
use espressync_model::{Field, FieldId, Key, Model, ModelId, Row, Scalar, Schema, Value};

pub const ITEM: ModelId = ModelId(0);
pub const ORDER: ModelId = ModelId(1);
pub const LINE: ModelId = ModelId(2);
pub const ID: FieldId = FieldId(0);
pub const PRICE: FieldId = FieldId(3);
pub const STOCK: FieldId = FieldId(4);
pub const ORDER_ID: FieldId = FieldId(4);
/// Of 1,000 rows ten have less in stock.
pub const SCARCE: i64 = 10;
/// How many lines an order has.
const LINES: u32 = 5;
/// The orders' numbers lie above those of the items.
const FIRST_ORDER: u32 = 1_000_000;

pub fn schema() -> Schema {
    let text = |name: &str| Field::new(name, Scalar::String).required();
    let number = |name: &str| Field::new(name, Scalar::Float).required();
    let whole = |name: &str| Field::new(name, Scalar::Int).required();
    let id = |name: &str| Field::new(name, Scalar::Id).required();
    let item = Model::new("Item", "Items")
        .field(id("id"))
        .field(text("name"))
        .field(text("category"))
        .field(number("price"))
        .field(whole("stock"))
        .field(text("note"))
        .index("byPrice", vec![PRICE], None);
    let order = Model::new("Order", "Orders")
        .field(id("id"))
        .field(whole("number"))
        .field(number("total"))
        .field(text("note"));
    let line = Model::new("Line", "Lines")
        .field(id("id"))
        .field(text("product"))
        .field(whole("quantity"))
        .field(number("price"))
        .field(id("orderId"))
        .index("byOrder", vec![ORDER_ID], None);
    Schema::new(vec![item, order, line]).local()
}

/// A number that looks random and is not: a row's own.
pub fn scramble(number: u32) -> u32 {
    number.wrapping_add(1).wrapping_mul(0x9e37_79b1)
}

/// A key in the form of a UUID, of a row or an order by its number.
pub fn key(number: u32) -> Key {
    let a = scramble(number);
    let b = scramble(a);
    let text = format!("{a:08x}-{:04x}-4{:03x}-a000-{number:012x}", b & 0xffff, b >> 20);
    Key::from(text)
}

fn id(number: u32) -> Value {
    key(number).as_str().into()
}

/// A product in stock.
pub fn item(number: u32) -> Row {
    let random = scramble(number);
    Row::new(vec![
        id(number),
        format!("Flat white {random:08x}").into(),
        format!("shelf {}", random % 100).into(),
        (f64::from(random % 1000) / 4.0).into(),
        i64::from((random >> 8) % 1000).into(),
        "Two shots, milk at 60 degrees, no foam above it.".into(),
    ])
}

/// The key of an order of the checkout.
pub fn order_key(number: u32) -> Key {
    key(FIRST_ORDER + number * (LINES + 1))
}

/// An order of the checkout with its lines.
pub fn order(number: u32) -> Vec<Write> {
    let first = FIRST_ORDER + number * (LINES + 1);
    let order = Row::new(vec![id(first), i64::from(number).into(), 52.5.into(), "to go".into()]);
    let mut sale = vec![Write::save(ORDER, order)];
    sale.extend((0..LINES).map(|line| {
        let product = format!("Flat white {line}").into();
        let quantity = i64::from(line + 1).into();
        let row = vec![id(first + line + 1), product, quantity, 3.5.into(), id(first)];
        Write::save(LINE, Row::new(row))
    }));
    sale
}

/// The keys of rows to look up, spread over all of `count`.
pub fn spread(count: u32, wanted: u32) -> impl Iterator<Item = Key> {
    (0..wanted).map(move |index| key(scramble(index + 77) % count))
}
