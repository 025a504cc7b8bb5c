// Written by espressync_model::codegen from the schema. Change the schema instead.

use espressync_model::{
    BaseType, Entity, EnumId, EnumType, Field, FieldId, FromValue, Model, ModelError, ModelId,
    ObjectId, ObjectType, RelationId, RelationKind, Row, Scalar, Schema, Value,
};

/// The schema that these models are of.
#[must_use]
pub fn schema() -> Schema {
    Schema::new(vec![
        shop_model(),
        barista_model(),
    ])
    .with_enums(vec![
        EnumType {
            name: "Size".into(),
            values: vec![
                "SMALL".into(),
                "EXTRA_LARGE".into(),
            ],
        },
    ])
    .with_objects(vec![
        ObjectType {
            name: "Address".into(),
            fields: vec![
                Field::new("street", Scalar::String).required(),
                Field::new("type", BaseType::Enum(EnumId(0))),
                Field::new("tags", Scalar::String).list(true),
            ],
        },
    ])
}

/// A record of the model `Shop`.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    /// `code: ID!`.
    pub code: String,
    /// `city: String!`.
    pub city: String,
    /// `seats: Int!`.
    pub seats: i64,
    /// `rating: Float`.
    pub rating: Option<f64>,
    /// `open: Boolean`.
    pub open: Option<bool>,
    /// `size: Size!`.
    pub size: Size,
    /// `sizes: [Size]`.
    pub sizes: Option<Vec<Option<Size>>>,
    /// `address: Address`.
    pub address: Option<Address>,
    /// `branches: [Address!]!`.
    pub branches: Vec<Address>,
    /// `seen: AWSTimestamp`.
    pub seen: Option<i64>,
    /// `createdAt: AWSDateTime!`; the server writes it.
    pub created_at: Option<String>,
    /// `updatedAt: AWSDateTime!`; the server writes it.
    pub updated_at: Option<String>,
}

impl Shop {
    /// The field `code`.
    pub const CODE: FieldId = FieldId(0);
    /// The field `city`.
    pub const CITY: FieldId = FieldId(1);
    /// The field `seats`.
    pub const SEATS: FieldId = FieldId(2);
    /// The field `rating`.
    pub const RATING: FieldId = FieldId(3);
    /// The field `open`.
    pub const OPEN: FieldId = FieldId(4);
    /// The field `size`.
    pub const SIZE: FieldId = FieldId(5);
    /// The field `sizes`.
    pub const SIZES: FieldId = FieldId(6);
    /// The field `address`.
    pub const ADDRESS: FieldId = FieldId(7);
    /// The field `branches`.
    pub const BRANCHES: FieldId = FieldId(8);
    /// The field `seen`.
    pub const SEEN: FieldId = FieldId(9);
    /// The field `createdAt`.
    pub const CREATED_AT: FieldId = FieldId(10);
    /// The field `updatedAt`.
    pub const UPDATED_AT: FieldId = FieldId(11);
    /// The relation `baristas`.
    pub const BARISTAS: RelationId = RelationId(0);
}

impl Entity for Shop {
    const MODEL: ModelId = ModelId(0);

    fn to_row(&self) -> Row {
        Row::new(vec![
            Value::from(self.code.clone()),
            Value::from(self.city.clone()),
            Value::from(self.seats),
            Value::from(self.rating),
            Value::from(self.open),
            Value::from(self.size),
            Value::from(self.sizes.clone()),
            Value::from(self.address.clone()),
            Value::from(self.branches.clone()),
            Value::from(self.seen),
            Value::from(self.created_at.clone()),
            Value::from(self.updated_at.clone()),
        ])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            code: model.read(row, Self::CODE)?,
            city: model.read(row, Self::CITY)?,
            seats: model.read(row, Self::SEATS)?,
            rating: model.read(row, Self::RATING)?,
            open: model.read(row, Self::OPEN)?,
            size: model.read(row, Self::SIZE)?,
            sizes: model.read(row, Self::SIZES)?,
            address: model.read(row, Self::ADDRESS)?,
            branches: model.read(row, Self::BRANCHES)?,
            seen: model.read(row, Self::SEEN)?,
            created_at: model.read(row, Self::CREATED_AT)?,
            updated_at: model.read(row, Self::UPDATED_AT)?,
        })
    }
}

fn shop_model() -> Model {
    Model::new("Shop", "Shops")
        .field(Field::new("code", Scalar::Id).required())
        .field(Field::new("city", Scalar::String).required())
        .field(Field::new("seats", Scalar::Int).required().with_default(Value::from(12_i64)))
        .field(Field::new("rating", Scalar::Float).with_default(Value::from(4.5_f64)))
        .field(Field::new("open", Scalar::Boolean).with_default(Value::from(true)))
        .field(Field::new("size", BaseType::Enum(EnumId(0))).required().with_default(Value::from("SMALL")))
        .field(Field::new("sizes", BaseType::Enum(EnumId(0))).list(false))
        .field(Field::new("address", BaseType::Object(ObjectId(0))))
        .field(Field::new("branches", BaseType::Object(ObjectId(0))).list(true).required())
        .field(Field::new("seen", Scalar::AwsTimestamp))
        .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only())
        .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
        .keyed_by(vec![FieldId(0), FieldId(1)])
        .index(
            "bySeen",
            vec![FieldId(9)],
            Some("shopsSeen"),
        )
        .relation(
            "baristas",
            RelationKind::HasMany,
            <Barista as Entity>::MODEL,
            vec![FieldId(4), FieldId(5)],
        )
}

/// A record of the model `Barista`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Barista {
    /// `id: ID!`.
    pub id: String,
    /// `name: String!`.
    pub name: String,
    /// `createdAt: AWSDateTime!`; the server writes it.
    pub created_at: Option<String>,
    /// `updatedAt: AWSDateTime!`; the server writes it.
    pub updated_at: Option<String>,
    /// `shopBaristasCode: ID`.
    pub shop_baristas_code: Option<String>,
    /// `shopBaristasCity: String`.
    pub shop_baristas_city: Option<String>,
}

impl Barista {
    /// The field `id`.
    pub const ID: FieldId = FieldId(0);
    /// The field `name`.
    pub const NAME: FieldId = FieldId(1);
    /// The field `createdAt`.
    pub const CREATED_AT: FieldId = FieldId(2);
    /// The field `updatedAt`.
    pub const UPDATED_AT: FieldId = FieldId(3);
    /// The field `shopBaristasCode`.
    pub const SHOP_BARISTAS_CODE: FieldId = FieldId(4);
    /// The field `shopBaristasCity`.
    pub const SHOP_BARISTAS_CITY: FieldId = FieldId(5);
    /// The relation `shop`.
    pub const SHOP: RelationId = RelationId(0);
}

impl Entity for Barista {
    const MODEL: ModelId = ModelId(1);

    fn to_row(&self) -> Row {
        Row::new(vec![
            Value::from(self.id.clone()),
            Value::from(self.name.clone()),
            Value::from(self.created_at.clone()),
            Value::from(self.updated_at.clone()),
            Value::from(self.shop_baristas_code.clone()),
            Value::from(self.shop_baristas_city.clone()),
        ])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            id: model.read(row, Self::ID)?,
            name: model.read(row, Self::NAME)?,
            created_at: model.read(row, Self::CREATED_AT)?,
            updated_at: model.read(row, Self::UPDATED_AT)?,
            shop_baristas_code: model.read(row, Self::SHOP_BARISTAS_CODE)?,
            shop_baristas_city: model.read(row, Self::SHOP_BARISTAS_CITY)?,
        })
    }
}

fn barista_model() -> Model {
    Model::new("Barista", "Baristas")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("name", Scalar::String).required())
        .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only())
        .field(Field::new("updatedAt", Scalar::AwsDateTime).required().read_only())
        .field(Field::new("shopBaristasCode", Scalar::Id))
        .field(Field::new("shopBaristasCity", Scalar::String))
        .index(
            "gsi-Shop.baristas",
            vec![FieldId(4), FieldId(5)],
            None,
        )
        .relation(
            "shop",
            RelationKind::BelongsTo,
            <Shop as Entity>::MODEL,
            vec![FieldId(4), FieldId(5)],
        )
}

/// A value of the type `Address`, embedded in records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Address {
    /// `street: String!`.
    pub street: String,
    /// `type: Size`.
    pub r#type: Option<Size>,
    /// `tags: [String!]`.
    pub tags: Option<Vec<String>>,
}

impl From<Address> for Value {
    fn from(value: Address) -> Self {
        let values = [
            Self::from(value.street),
            Self::from(value.r#type),
            Self::from(value.tags),
        ];
        Self::Object(values.into())
    }
}

impl FromValue for Address {
    fn from_value(value: &Value) -> Option<Self> {
        let Value::Object(values) = value else { return None };
        let [street, r#type, tags] = &values[..] else { return None };
        Some(Self {
            street: FromValue::from_value(street)?,
            r#type: FromValue::from_value(r#type)?,
            tags: FromValue::from_value(tags)?,
        })
    }
}

/// The enum `Size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// `SMALL`.
    Small,
    /// `EXTRA_LARGE`.
    ExtraLarge,
}

impl From<Size> for Value {
    fn from(value: Size) -> Self {
        Self::from(match value {
            Size::Small => "SMALL",
            Size::ExtraLarge => "EXTRA_LARGE",
        })
    }
}

impl FromValue for Size {
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_text()? {
            "SMALL" => Some(Self::Small),
            "EXTRA_LARGE" => Some(Self::ExtraLarge),
            _ => None,
        }
    }
}
