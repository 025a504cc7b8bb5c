//! The reference point of sale, and a model with everything a field can be.

use espressync_model::{
    BaseType, EnumId, EnumType, Field, FieldId, Model, ModelId, ObjectId, ObjectType, RelationKind,
    Scalar, Schema,
};

pub(crate) const ORDER: ModelId = ModelId(0);
pub(crate) const LINE_ITEM: ModelId = ModelId(1);
pub(crate) const SHOP: ModelId = ModelId(2);

pub(crate) fn schema() -> Schema {
    Schema::new(vec![order(), line_item(), shop()])
        .with_enums(vec![EnumType {
            name: "Size".into(),
            values: vec!["SMALL".into(), "LARGE".into()],
        }])
        .with_objects(vec![
            ObjectType {
                name: "Address".into(),
                fields: vec![
                    Field::new("street", Scalar::String).required(),
                    Field::new("at", BaseType::Object(ObjectId(1))),
                ],
            },
            ObjectType {
                name: "Point".into(),
                fields: vec![
                    Field::new("lat", Scalar::Float).required(),
                    Field::new("sizes", BaseType::Enum(EnumId(0))).list(true),
                ],
            },
        ])
}

fn order() -> Model {
    Model::new("Order", "Orders")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("total", Scalar::Float))
        .field(Field::new("createdAt", Scalar::String).required())
        .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
        .relation("lineItems", RelationKind::HasMany, LINE_ITEM, vec![FieldId(2)])
}

fn line_item() -> Model {
    Model::new("LineItem", "LineItems")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("qty", Scalar::Int))
        .field(Field::new("lineItemOrderId", Scalar::Id))
        .relation("order", RelationKind::BelongsTo, ORDER, vec![FieldId(2)])
}

/// Keyed by a code and a number.
fn shop() -> Model {
    Model::new("Shop", "Shops")
        .field(Field::new("code", Scalar::String).required())
        .field(Field::new("number", Scalar::Int).required())
        .field(Field::new("address", BaseType::Object(ObjectId(0))))
        .field(Field::new("tags", Scalar::String).list(false))
        .field(Field::new("size", BaseType::Enum(EnumId(0))))
        .field(Field::new("isOpen", Scalar::Boolean))
        .field(Field::new("since", Scalar::AwsTimestamp))
        .field(Field::new("notes", Scalar::AwsJson))
        .keyed_by(vec![FieldId(0), FieldId(1)])
}
