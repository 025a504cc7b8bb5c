//! A shop whose orders are known by day and number.

use espressync_client::{Config, DataStore, Writes};
use espressync_model::{
    Entity, Field, FieldId, Model, ModelError, ModelId, RelationId, RelationKind, Row, Scalar,
    Schema,
};
use espressync_resolver::ConflictStrategy;
use espressync_testkit::fakes::{FaultyDisk, HandClock, Line};
use espressync_testkit::fleet::{Rules, Server};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

/// An order of a shop, known by day and number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) day: String,
    pub(crate) number: i64,
    pub(crate) total: Option<f64>,
}

/// One of its lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderLine {
    pub(crate) id: String,
    pub(crate) day: Option<String>,
    pub(crate) number: Option<i64>,
}

pub(crate) const TOTAL: FieldId = FieldId(2);
pub(crate) const LINES: RelationId = RelationId(0);
pub(crate) const ORDER_OF: RelationId = RelationId(0);

impl Entity for Order {
    const MODEL: ModelId = ModelId(0);

    fn to_row(&self) -> Row {
        Row::new(vec![self.day.as_str().into(), self.number.into(), self.total.into()])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            day: model.read(row, FieldId(0))?,
            number: model.read(row, FieldId(1))?,
            total: model.read(row, TOTAL)?,
        })
    }
}

impl Entity for OrderLine {
    const MODEL: ModelId = ModelId(1);

    fn to_row(&self) -> Row {
        Row::new(vec![self.id.as_str().into(), self.day.clone().into(), self.number.into()])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            id: model.read(row, FieldId(0))?,
            day: model.read(row, FieldId(1))?,
            number: model.read(row, FieldId(2))?,
        })
    }
}

pub(crate) fn schema() -> Schema {
    Schema::new(vec![
        Model::new("Order", "Orders")
            .field(Field::new("day", Scalar::AwsDate).required())
            .field(Field::new("number", Scalar::Int).required())
            .field(Field::new("total", Scalar::Float))
            .keyed_by(vec![FieldId(0), FieldId(1)])
            .relation("lines", RelationKind::HasMany, ModelId(1), vec![FieldId(1), FieldId(2)]),
        Model::new("Line", "Lines")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("day", Scalar::AwsDate))
            .field(Field::new("number", Scalar::Int))
            .relation("order", RelationKind::BelongsTo, ModelId(0), vec![FieldId(1), FieldId(2)]),
    ])
}

pub(crate) fn order(day: &str, number: i64, total: f64) -> Order {
    Order { day: day.into(), number, total: Some(total) }
}

pub(crate) fn line(id: &str, day: &str, number: i64) -> OrderLine {
    OrderLine { id: id.into(), day: Some(day.into()), number: Some(number) }
}

/// A till with two orders of one day and one of the next, and two lines of the first.
pub(crate) fn till() -> (LocalPool, DataStore) {
    let mut pool = LocalPool::new();
    let clock = HandClock::default();
    let rules = Rules::Real(ConflictStrategy::AutoMerge);
    let wire = Line::new(Server::new(schema(), rules, 1_000_000), clock.clone());
    let opening = DataStore::open(schema(), FaultyDisk::default(), wire, clock, Config::default());
    let (store, driver, _) = pool.run_until(opening).unwrap();
    pool.spawner().spawn_local(driver.run()).unwrap();
    let writes = Writes::new()
        .save(&order("2026-11-24", 1, 4.5))
        .save(&order("2026-11-24", 2, 9.0))
        .save(&order("2026-11-25", 1, 2.5))
        .save(&line("l1", "2026-11-24", 1))
        .save(&line("l2", "2026-11-24", 1));
    pool.run_until(store.write(writes)).unwrap();
    (pool, store)
}
