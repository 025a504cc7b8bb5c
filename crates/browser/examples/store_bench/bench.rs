use std::cell::RefCell;
use std::pin::Pin;
use std::time::Duration;

use espressync_browser::{AppSync, Auth, BrowserClock, IndexedDb};
use espressync_client::{ClientError, Config, DataStore, Snapshot, Write, Writes};
use espressync_model::{Entity, Model, ModelError, ModelId, Patch, Query, Record, Row};
use futures::future::try_join_all;
use futures::{Stream, StreamExt};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::rows::{
    ID, ITEM, LINE, ORDER, ORDER_ID, PRICE, SCARCE, STOCK, item, key, order, order_key, schema,
    spread,
};

/// An item as the app would hold it: the row, whose text it shares with the store.
#[derive(Debug, Clone)]
struct Item(Row);

impl Entity for Item {
    const MODEL: ModelId = ITEM;

    fn to_row(&self) -> Row {
        self.0.clone()
    }

    fn from_row(_model: &Model, row: &Row) -> Result<Self, ModelError> {
        Ok(Self(row.clone()))
    }
}

type Live = Pin<Box<dyn Stream<Item = Result<Snapshot<Item>, ClientError>>>>;

/// An open store, and what a piece of work needs that is made before the clock starts.
#[wasm_bindgen]
pub struct Bench {
    store: DataStore,
    rows: Vec<Row>,
    held: Vec<Record>,
    live: RefCell<Option<Live>>,
}

type Done<T> = Result<T, JsError>;

#[wasm_bindgen]
impl Bench {
    pub async fn open() -> Done<Self> {
        let schema = schema();
        let storage = IndexedDb::open("ours").await?;
        // Nothing is local-only by half: the transport is there and never asked.
        let nowhere = AppSync::new(schema.clone(), "/graphql", Auth::ApiKey(String::new()))
            .with_timeout(Duration::from_secs(1));
        let opened =
            DataStore::open(schema, storage, nowhere, BrowserClock, Config::default()).await;
        let (store, driver, _) = opened?;
        wasm_bindgen_futures::spawn_local(driver.run());
        Ok(Self { store, rows: Vec::new(), held: Vec::new(), live: RefCell::default() })
    }

    pub fn prepare(&mut self, from: u32, count: u32) {
        self.rows = (from..from + count).map(item).collect();
    }

    fn save(row: &Row) -> Writes {
        Writes::new().and(Write::save(ITEM, row.clone()))
    }

    pub async fn bulk(&self) -> Done<()> {
        let all = self
            .rows
            .iter()
            .fold(Writes::new(), |writes, row| writes.and(Write::save(ITEM, row.clone())));
        self.store.write(all).await?;
        Ok(())
    }

    pub async fn save_each(&self) -> Done<()> {
        for row in &self.rows {
            self.store.write(Self::save(row)).await?;
        }
        Ok(())
    }

    pub async fn save_at_once(&self) -> Done<()> {
        try_join_all(self.rows.iter().map(|row| self.store.write(Self::save(row)))).await?;
        Ok(())
    }

    pub fn first(&self) -> Done<bool> {
        Ok(self.store.get::<Item>(key(0).as_str())?.is_some())
    }

    pub fn gets(&self, count: u32, wanted: u32) -> Done<u32> {
        let mut found = 0;
        for key in spread(count, wanted) {
            found += u32::from(self.store.get::<Item>(key.as_str())?.is_some());
        }
        Ok(found)
    }

    pub fn all(&mut self) -> Done<usize> {
        self.held = self.store.records(ITEM, &Query::all())?;
        Ok(self.held.len())
    }

    pub fn matching(&self) -> Done<usize> {
        Ok(self.store.records(ITEM, &Query::filter(STOCK.lt(SCARCE)))?.len())
    }

    pub fn sorted_page(&self) -> Done<usize> {
        Ok(self.store.records(ITEM, &sorted())?.len())
    }

    pub async fn sorted_live(&self) -> Done<usize> {
        let mut live = self.store.observe_query::<Item>(sorted())?.boxed_local();
        next(&mut live).await
    }

    pub async fn checkout(&self, number: u32) -> Done<()> {
        self.store.write(order(number).into_iter().fold(Writes::new(), Writes::and)).await?;
        Ok(())
    }

    pub fn receipt(&self, number: u32) -> Done<usize> {
        let key = order_key(number);
        let of_order = Query::filter(ORDER_ID.eq(key.as_str()));
        let found = self.store.records(ORDER, &Query::filter(ID.eq(key.as_str())))?;
        let lines = self.store.records(LINE, &of_order)?;
        Ok(if found.is_empty() { 0 } else { lines.len() })
    }

    pub async fn live_first(&self) -> Done<usize> {
        let mut live = self.store.observe_query::<Item>(Query::all())?.boxed_local();
        let count = next(&mut live).await?;
        self.live.replace(Some(live));
        Ok(count)
    }

    pub async fn live_save(&self) -> Done<usize> {
        let mut live = self.live.take().ok_or_else(|| JsError::new("no live query"))?;
        let row = self.rows.first().ok_or_else(|| JsError::new("no row"))?;
        let (saved, count) = futures::join!(self.store.write(Self::save(row)), next(&mut live));
        saved?;
        self.live.replace(Some(live));
        count
    }

    pub fn live_end(&self) {
        self.live.take();
    }

    pub async fn update_each(&self) -> Done<()> {
        for row in &self.rows {
            let stock = row.get(STOCK).as_number().unwrap_or_default();
            #[allow(clippy::cast_possible_truncation, reason = "stocks are below 1,000")]
            let more: Patch = [(STOCK, (stock as i64 + 1).into())].into_iter().collect();
            let id = row.get(ID).as_text().unwrap_or_default();
            self.store.write(Writes::new().and(Write::update(ITEM, id, more))).await?;
        }
        Ok(())
    }

    pub async fn delete_tenth(&self) -> Done<usize> {
        Ok(self.store.delete_where::<Item>(STOCK.ge(900)).await?.len())
    }

    pub fn count(&self) -> Done<String> {
        let mut counts = Vec::new();
        for model in [ITEM, ORDER, LINE] {
            counts.push(self.store.records(model, &Query::all())?.len().to_string());
        }
        Ok(counts.join(" "))
    }

    pub fn let_go(&mut self) {
        self.held = Vec::new();
    }
}

/// The page that a till shows first: the cheapest fifty.
fn sorted() -> Query {
    Query::all().ascending(PRICE).page(0, 50)
}

async fn next(
    live: &mut (impl Stream<Item = Result<Snapshot<Item>, ClientError>> + Unpin),
) -> Done<usize> {
    match live.next().await {
        Some(snapshot) => Ok(snapshot?.items.len()),
        None => Err(JsError::new("the live query has ended")),
    }
}
