use espressync_model::{Field, FieldId, Model, ModelId, RelationKind, Row, Scalar, Schema, Value};

pub(super) const PRODUCT: ModelId = ModelId(0);
pub(super) const ORDER: ModelId = ModelId(1);
pub(super) const LINE: ModelId = ModelId(2);

/// The fields of a product that baristas edit.
pub(super) const PRODUCT_FIELDS: [FieldId; 4] = [FieldId(1), FieldId(2), FieldId(3), FieldId(4)];
/// The field of a product to which baristas add tags.
pub(super) const PRODUCT_TAGS: FieldId = FieldId(5);
/// The field of a product that baristas count up and down.
pub(super) const PRODUCT_STOCK: FieldId = FieldId(6);
pub(super) const ORDER_TOTAL: FieldId = FieldId(1);
pub(super) const LINE_TOTAL: FieldId = FieldId(2);
pub(super) const LINE_ORDER: FieldId = FieldId(1);

/// The shop in small: what is sold, sales, and their lines.
pub(super) fn schema() -> Schema {
    let id = || Field::new("id", Scalar::Id).required();
    let text = |name: &str| Field::new(name, Scalar::String);
    Schema::new(vec![
        Model::new("Product", "Products")
            .field(id())
            .field(text("name"))
            .field(text("price"))
            .field(text("image"))
            .field(text("sku"))
            .field(text("tags").list(false))
            .field(Field::new("stock", Scalar::Int)),
        Model::new("Order", "Orders")
            .field(id())
            .field(Field::new("total", Scalar::Int).required()),
        Model::new("LineItem", "LineItems")
            .field(id())
            .field(Field::new("orderId", Scalar::Id).required())
            .field(Field::new("total", Scalar::Int).required())
            .relation("order", RelationKind::BelongsTo, ORDER, vec![LINE_ORDER]),
    ])
}

/// A product's tags.
pub(super) fn tags_of(product: &Row) -> Vec<Value> {
    if let Value::List(tags) = product.get(PRODUCT_TAGS) { tags.to_vec() } else { Vec::new() }
}
