//! A shop with every kind of relation, and random rows of it.

use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Key, Meta, Model, ModelId, Record, RelationId,
    RelationKind, Row, Scalar, Schema, Timestamp, Value,
};
use proptest::prelude::*;

pub(crate) const CUSTOMER: ModelId = ModelId(0);
pub(crate) const ORDER: ModelId = ModelId(1);
pub(crate) const INVOICE: ModelId = ModelId(2);
pub(crate) const SEAT: ModelId = ModelId(3);
pub(crate) const TAG: ModelId = ModelId(4);
pub(crate) const ORDER_TAG: ModelId = ModelId(5);

/// The fields of [`ORDER`].
pub(crate) mod order {
    use super::{FieldId, RelationId};
    pub(crate) const STATUS: FieldId = FieldId(1);
    pub(crate) const TOTAL: FieldId = FieldId(2);
    pub(crate) const COUNT: FieldId = FieldId(3);
    pub(crate) const AT: FieldId = FieldId(4);
    pub(crate) const IS_PAID: FieldId = FieldId(6);
    pub(crate) const CUSTOMER_ID: FieldId = FieldId(7);
    pub(crate) const CUSTOMER: RelationId = RelationId(0);
}

pub(crate) fn schema() -> Schema {
    let id = || Field::new("id", Scalar::Id).required();
    let text = |name: &str| Field::new(name, Scalar::String);
    let customer = Model::new("Customer", "Customers")
        .field(id())
        .field(text("name"))
        .field(Field::new("credit", Scalar::Float))
        .field(text("mentorId"))
        .relation("orders", RelationKind::HasMany, ORDER, vec![FieldId(7)])
        .relation("mentor", RelationKind::BelongsTo, CUSTOMER, vec![FieldId(3)])
        .relation("seat", RelationKind::HasOneByReference, SEAT, vec![FieldId(2)]);
    let order = Model::new("Order", "Orders")
        .field(id())
        .field(Field::new("status", BaseType::Enum(EnumId(0))))
        .field(Field::new("total", Scalar::Float))
        .field(Field::new("count", Scalar::Int))
        .field(text("at"))
        .field(text("tags").list(false))
        .field(Field::new("isPaid", Scalar::Boolean))
        .field(text("customerId"))
        .field(text("orderInvoiceId"))
        .index("byStatus", vec![order::STATUS, order::AT], None)
        .index("byTotal", vec![order::TOTAL], None)
        .relation("customer", RelationKind::BelongsTo, CUSTOMER, vec![FieldId(7)])
        .relation("invoice", RelationKind::HasOne, INVOICE, vec![FieldId(8)])
        .relation("taggings", RelationKind::HasMany, ORDER_TAG, vec![FieldId(1)]);
    let invoice = Model::new("Invoice", "Invoices")
        .field(id())
        .field(Field::new("sum", Scalar::Float))
        .field(text("invoiceOrderId"))
        .relation("order", RelationKind::BelongsTo, ORDER, vec![FieldId(2)]);
    let seat = Model::new("Seat", "Seats")
        .field(text("row").required())
        .field(Field::new("number", Scalar::Int).required())
        .field(text("customerId"))
        .keyed_by(vec![FieldId(0), FieldId(1)])
        .relation("customer", RelationKind::BelongsTo, CUSTOMER, vec![FieldId(2)]);
    let tag = Model::new("Tag", "Tags").field(id()).field(text("label")).relation(
        "orders",
        RelationKind::HasMany,
        ORDER_TAG,
        vec![FieldId(2)],
    );
    let order_tag = Model::new("OrderTag", "OrderTags")
        .field(id())
        .field(text("orderId").required())
        .field(text("tagId").required())
        .relation("order", RelationKind::BelongsTo, ORDER, vec![FieldId(1)])
        .relation("tag", RelationKind::BelongsTo, TAG, vec![FieldId(2)]);
    let statuses = ["OPEN", "PAID", "VOID"].map(ToOwned::to_owned).to_vec();
    Schema::new(vec![customer, order, invoice, seat, tag, order_tag])
        .with_enums(vec![EnumType { name: "Status".into(), values: statuses }])
}

/// One of a few values of a type, so that many rows hold the same.
pub(crate) fn value(base: BaseType) -> BoxedStrategy<Value> {
    let texts = ["", "a", "ab", "abc", "b", "B", "é", "\u{ff5e}", "\u{1f600}", "1", "2"];
    match base {
        BaseType::Enum(_) => {
            prop::sample::select(vec!["OPEN", "PAID", "VOID"]).prop_map(Value::from).boxed()
        }
        BaseType::Scalar(Scalar::Float) => {
            prop::sample::select(vec![-1.5, -0.0, 0.0, 1.0, 2.0, 2.5, 1e9])
                .prop_map(Value::from)
                .boxed()
        }
        BaseType::Scalar(Scalar::Int) => (-2..4_i64).prop_map(Value::from).boxed(),
        BaseType::Scalar(Scalar::Boolean) => any::<bool>().prop_map(Value::from).boxed(),
        BaseType::Scalar(_) | BaseType::Object(_) => {
            prop::sample::select(texts.to_vec()).prop_map(Value::from).boxed()
        }
    }
}

fn field(field: &Field) -> BoxedStrategy<Value> {
    let one = if field.name == "id" || field.name.ends_with("Id") || field.name == "row" {
        (0..8).prop_map(|number| Value::from(format!("k{number}"))).boxed()
    } else {
        value(field.base)
    };
    if field.is_required {
        return one;
    }
    let null = Just(Value::Null);
    if field.is_list {
        let list = prop::collection::vec(one, 0..3).prop_map(Value::from);
        return prop_oneof![1 => null, 4 => list].boxed();
    }
    prop_oneof![1 => null, 4 => one].boxed()
}

/// What is written: a record, a tombstone, or nothing any more.
pub(crate) type Change = (ModelId, Key, Option<Record>);

fn change(schema: &Schema, id: ModelId) -> BoxedStrategy<Change> {
    let model = schema.model(id).clone();
    let row: Vec<BoxedStrategy<Value>> = model.fields.iter().map(field).collect();
    let fate = prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(2)];
    let changes = (row, fate).prop_map(move |(values, fate)| {
        let row = Row::new(values);
        let key = model.key_of(&row).expect("the key is whole");
        let meta = Meta { version: 1, changed_at: Timestamp(0), deleted: fate == 1 };
        (id, key, (fate != 2).then_some(Record { row, meta }))
    });
    changes.boxed()
}

/// A few changes of any model, orders most.
pub(crate) fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let schema = schema();
    let any_model = prop_oneof![
        2 => change(&schema, CUSTOMER),
        4 => change(&schema, ORDER),
        2 => change(&schema, INVOICE),
        1 => change(&schema, SEAT),
        1 => change(&schema, TAG),
        2 => change(&schema, ORDER_TAG),
    ];
    prop::collection::vec(any_model, 0..most)
}
