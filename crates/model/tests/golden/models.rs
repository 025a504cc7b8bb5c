// Written by espressync_model::codegen from the schema. Change the schema instead.

use espressync_model::{
    BaseType, Entity, EnumId, EnumType, Field, FieldId, FromValue, Model, ModelError, ModelId,
    ObjectId, ObjectType, RelationId, RelationKind, Row, Scalar, Schema, Value,
};

/// The schema that these models are of.
#[must_use]
pub fn schema() -> Schema {
    Schema::new(vec![
        product_model(),
        order_model(),
        line_item_model(),
    ])
}

/// A record of the model `Product`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Product {
    /// `id: ID!`.
    pub id: String,
    /// `sku: String`.
    pub sku: Option<String>,
    /// `name: String!`.
    pub name: String,
    /// `price: Float!`.
    pub price: f64,
    /// `image: String`.
    pub image: Option<String>,
    /// `createdAt: AWSDateTime!`; the server writes it.
    pub created_at: Option<String>,
    /// `updatedAt: AWSDateTime!`; the server writes it.
    pub updated_at: Option<String>,
}

impl Product {
    /// The field `id`.
    pub const ID: FieldId = FieldId(0);
    /// The field `sku`.
    pub const SKU: FieldId = FieldId(1);
    /// The field `name`.
    pub const NAME: FieldId = FieldId(2);
    /// The field `price`.
    pub const PRICE: FieldId = FieldId(3);
    /// The field `image`.
    pub const IMAGE: FieldId = FieldId(4);
    /// The field `createdAt`.
    pub const CREATED_AT: FieldId = FieldId(5);
    /// The field `updatedAt`.
    pub const UPDATED_AT: FieldId = FieldId(6);
}

impl Entity for Product {
    const MODEL: ModelId = ModelId(0);

    fn to_row(&self) -> Row {
        Row::new(vec![
            Value::from(self.id.clone()),
            Value::from(self.sku.clone()),
            Value::from(self.name.clone()),
            Value::from(self.price),
            Value::from(self.image.clone()),
            Value::from(self.created_at.clone()),
            Value::from(self.updated_at.clone()),
        ])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            id: model.read(row, Self::ID)?,
            sku: model.read(row, Self::SKU)?,
            name: model.read(row, Self::NAME)?,
            price: model.read(row, Self::PRICE)?,
            image: model.read(row, Self::IMAGE)?,
            created_at: model.read(row, Self::CREATED_AT)?,
            updated_at: model.read(row, Self::UPDATED_AT)?,
        })
    }
}

fn product_model() -> Model {
    Model::new("Product", "Products")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("sku", Scalar::String))
        .field(Field::new("name", Scalar::String).required())
        .field(Field::new("price", Scalar::Float).required())
        .field(Field::new("image", Scalar::String))
        .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only())
        .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
}

/// A record of the model `Order`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Order {
    /// `id: ID!`.
    pub id: String,
    /// `total: Float`.
    pub total: Option<f64>,
    /// `subtotal: Float`.
    pub subtotal: Option<f64>,
    /// `tax: Float`.
    pub tax: Option<f64>,
    /// `createdAt: String!`.
    pub created_at: String,
    /// `updatedAt: AWSDateTime!`; the server writes it.
    pub updated_at: Option<String>,
}

impl Order {
    /// The field `id`.
    pub const ID: FieldId = FieldId(0);
    /// The field `total`.
    pub const TOTAL: FieldId = FieldId(1);
    /// The field `subtotal`.
    pub const SUBTOTAL: FieldId = FieldId(2);
    /// The field `tax`.
    pub const TAX: FieldId = FieldId(3);
    /// The field `createdAt`.
    pub const CREATED_AT: FieldId = FieldId(4);
    /// The field `updatedAt`.
    pub const UPDATED_AT: FieldId = FieldId(5);
    /// The relation `lineItems`.
    pub const LINE_ITEMS: RelationId = RelationId(0);
}

impl Entity for Order {
    const MODEL: ModelId = ModelId(1);

    fn to_row(&self) -> Row {
        Row::new(vec![
            Value::from(self.id.clone()),
            Value::from(self.total),
            Value::from(self.subtotal),
            Value::from(self.tax),
            Value::from(self.created_at.clone()),
            Value::from(self.updated_at.clone()),
        ])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            id: model.read(row, Self::ID)?,
            total: model.read(row, Self::TOTAL)?,
            subtotal: model.read(row, Self::SUBTOTAL)?,
            tax: model.read(row, Self::TAX)?,
            created_at: model.read(row, Self::CREATED_AT)?,
            updated_at: model.read(row, Self::UPDATED_AT)?,
        })
    }
}

fn order_model() -> Model {
    Model::new("Order", "Orders")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("total", Scalar::Float))
        .field(Field::new("subtotal", Scalar::Float))
        .field(Field::new("tax", Scalar::Float))
        .field(Field::new("createdAt", Scalar::String).required())
        .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
        .relation(
            "lineItems",
            RelationKind::HasMany,
            <LineItem as Entity>::MODEL,
            vec![FieldId(1)],
        )
}

/// A record of the model `LineItem`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineItem {
    /// `id: ID!`.
    pub id: String,
    /// `lineItemOrderId: ID`.
    pub line_item_order_id: Option<String>,
    /// `lineItemProductId: ID`.
    pub line_item_product_id: Option<String>,
    /// `qty: Int`.
    pub qty: Option<i64>,
    /// `description: String`.
    pub description: Option<String>,
    /// `price: Float`.
    pub price: Option<f64>,
    /// `total: Float`.
    pub total: Option<f64>,
    /// `createdAt: AWSDateTime!`; the server writes it.
    pub created_at: Option<String>,
    /// `updatedAt: AWSDateTime!`; the server writes it.
    pub updated_at: Option<String>,
}

impl LineItem {
    /// The field `id`.
    pub const ID: FieldId = FieldId(0);
    /// The field `lineItemOrderId`.
    pub const LINE_ITEM_ORDER_ID: FieldId = FieldId(1);
    /// The field `lineItemProductId`.
    pub const LINE_ITEM_PRODUCT_ID: FieldId = FieldId(2);
    /// The field `qty`.
    pub const QTY: FieldId = FieldId(3);
    /// The field `description`.
    pub const DESCRIPTION: FieldId = FieldId(4);
    /// The field `price`.
    pub const PRICE: FieldId = FieldId(5);
    /// The field `total`.
    pub const TOTAL: FieldId = FieldId(6);
    /// The field `createdAt`.
    pub const CREATED_AT: FieldId = FieldId(7);
    /// The field `updatedAt`.
    pub const UPDATED_AT: FieldId = FieldId(8);
    /// The relation `order`.
    pub const ORDER: RelationId = RelationId(0);
    /// The relation `product`.
    pub const PRODUCT: RelationId = RelationId(1);
}

impl Entity for LineItem {
    const MODEL: ModelId = ModelId(2);

    fn to_row(&self) -> Row {
        Row::new(vec![
            Value::from(self.id.clone()),
            Value::from(self.line_item_order_id.clone()),
            Value::from(self.line_item_product_id.clone()),
            Value::from(self.qty),
            Value::from(self.description.clone()),
            Value::from(self.price),
            Value::from(self.total),
            Value::from(self.created_at.clone()),
            Value::from(self.updated_at.clone()),
        ])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            id: model.read(row, Self::ID)?,
            line_item_order_id: model.read(row, Self::LINE_ITEM_ORDER_ID)?,
            line_item_product_id: model.read(row, Self::LINE_ITEM_PRODUCT_ID)?,
            qty: model.read(row, Self::QTY)?,
            description: model.read(row, Self::DESCRIPTION)?,
            price: model.read(row, Self::PRICE)?,
            total: model.read(row, Self::TOTAL)?,
            created_at: model.read(row, Self::CREATED_AT)?,
            updated_at: model.read(row, Self::UPDATED_AT)?,
        })
    }
}

fn line_item_model() -> Model {
    Model::new("LineItem", "LineItems")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("lineItemOrderId", Scalar::Id))
        .field(Field::new("lineItemProductId", Scalar::Id))
        .field(Field::new("qty", Scalar::Int))
        .field(Field::new("description", Scalar::String))
        .field(Field::new("price", Scalar::Float))
        .field(Field::new("total", Scalar::Float))
        .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only())
        .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
        .index(
            "gsi-OrderLineItems",
            vec![FieldId(1)],
            Some("lineItemsByLineItemOrderId"),
        )
        .relation(
            "order",
            RelationKind::BelongsTo,
            <Order as Entity>::MODEL,
            vec![FieldId(1)],
        )
        .relation(
            "product",
            RelationKind::HasOne,
            <Product as Entity>::MODEL,
            vec![FieldId(2)],
        )
}
