//! A till on a bench: everything around the DataStore is in the test's hand.

use espressync_client::{ClientError, Config, DataStore, Writes};
use espressync_model::remote::{Answer, Mutation, Operation, Request};
use espressync_model::{
    Entity, Field, FieldId, Key, Model, ModelError, ModelId, Predicate, Row, Scalar, Schema, Value,
};
use espressync_resolver::ConflictStrategy;
use espressync_testkit::fakes::{FaultyDisk, HandClock, Line};
use espressync_testkit::fleet::{Rules, Server};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use futures::{Stream, StreamExt};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) price: Option<f64>,
}

pub(crate) const NAME: FieldId = FieldId(1);
pub(crate) const PRICE: FieldId = FieldId(2);

impl Entity for Product {
    const MODEL: ModelId = ModelId(0);

    fn to_row(&self) -> Row {
        Row::new(vec![self.id.as_str().into(), self.name.as_str().into(), self.price.into()])
    }

    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self {
            id: model.read(row, FieldId(0))?,
            name: model.read(row, NAME)?,
            price: model.read(row, PRICE)?,
        })
    }
}

pub(crate) fn product(id: &str, name: &str, price: f64) -> Product {
    Product { id: id.into(), name: name.into(), price: Some(price) }
}

pub(crate) fn schema() -> Schema {
    Schema::new(vec![
        Model::new("Product", "Products")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("name", Scalar::String).required())
            .field(Field::new("price", Scalar::Float)),
    ])
}

/// A till on a bench: everything around the DataStore is in the test's hand.
pub(crate) struct Bench {
    pub(crate) pool: LocalPool,
    pub(crate) clock: HandClock,
    pub(crate) line: Line,
    pub(crate) disk: FaultyDisk,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = HandClock::default();
        let rules = Rules::Real(ConflictStrategy::AutoMerge);
        let line = Line::new(Server::new(schema(), rules, 1_000_000), clock.clone());
        Self { pool: LocalPool::new(), clock, line, disk: FaultyDisk::default() }
    }

    /// Opens a tab on the bench's disk.
    pub(crate) fn open(&mut self) -> DataStore {
        self.open_with(schema())
    }

    pub(crate) fn open_with(&mut self, schema: Schema) -> DataStore {
        let (disk, line, clock) = (self.disk.clone(), self.line.clone(), self.clock.clone());
        let opening = DataStore::open(schema, disk, line, clock, Config::default());
        let (store, driver, report) = self.pool.run_until(opening).unwrap();
        assert!(report.unreadable.is_empty());
        self.pool.spawner().spawn_local(driver.run()).unwrap();
        store
    }

    /// Lets everything happen that can happen now.
    pub(crate) fn settle(&mut self) {
        self.pool.run_until_stalled();
    }

    pub(crate) fn now<T: 'static>(&mut self, work: impl Future<Output = T> + 'static) -> T {
        let handle = self.pool.spawner().spawn_local_with_handle(work).unwrap();
        self.settle();
        self.pool.run_until(handle)
    }

    pub(crate) fn save(
        &mut self,
        store: &DataStore,
        product: &Product,
    ) -> Result<Product, ClientError> {
        let (store, product) = (store.clone(), product.clone());
        self.now(async move { store.save(&product).await })
    }

    pub(crate) fn write(&mut self, store: &DataStore, writes: Writes) -> Result<(), ClientError> {
        let store = store.clone();
        self.now(async move { store.write(writes).await }).map(|_| ())
    }

    /// Everything a stream has to say now.
    pub(crate) fn drain<S: Stream + Unpin>(&mut self, stream: &mut S) -> Vec<S::Item> {
        self.settle();
        let mut items = Vec::new();
        while let Some(Some(item)) = futures::FutureExt::now_or_never(stream.next()) {
            items.push(item);
        }
        items
    }

    /// Another client writes.
    pub(crate) fn elsewhere(
        &self,
        operation: Operation,
        version: u64,
        fields: &[(FieldId, Value)],
    ) {
        let mut fields: Vec<(FieldId, Value)> = fields.to_vec();
        fields.push((FieldId(0), "p1".into()));
        let mutation = Mutation {
            model: Product::MODEL,
            key: Key::from("p1"),
            operation,
            fields: fields.into_iter().collect(),
            version,
            condition: Predicate::All,
            once: None,
        };
        let Answer::Mutate(answers) = self.line.ask_directly(Request::Mutate(vec![mutation]))
        else {
            panic!("a mutation was answered otherwise")
        };
        assert!(answers[0].is_ok(), "{answers:?}");
    }
}
