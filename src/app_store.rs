//! The app's one data door: queries are live signals, commands are `async` and may fail.
//!
//! Screens know this face and nothing behind it. Prices are [`Money`](crate::domain::money::Money)
//! on this side and `Float` on the other; the conversion happens here.

pub mod error;
mod live;
pub mod load;
mod records;

use std::cell::Cell;
use std::rc::Rc;

use espressync_client::{ClientError, DataStore, IfPending, SyncError, Writes};
use espressync_model::Query;
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared};
use leptos::prelude::{
    Effect, Get as _, GetUntracked as _, GetValue as _, LocalStorage, RwSignal, Signal,
    StoredValue, Track as _, With as _, expect_context,
};
use leptos::task::spawn_local;

use crate::domain::cart::{Cart, Totals};
use crate::domain::catalog::{DEMO_CATALOG, Product, ProductFields, ProductId, read_catalog};
use crate::domain::currency::Currency;
use crate::domain::receipt::{Moment, OrderId, OrderSummary, OrderWithLines};
use crate::domain::sync_status::{Network, SyncStatus};
use crate::models;

use self::error::AppError;
use self::load::Load;

/// What the store needs from the world around it.
#[derive(Clone, Copy)]
pub struct Host {
    /// Tells the time.
    pub now: fn() -> Moment,
    /// Gives the moment so many milliseconds after 1970 began.
    pub moment_of: fn(i64) -> Moment,
    /// Makes an identity nobody else makes.
    pub new_id: fn() -> String,
    /// The currency that amounts are converted with.
    pub currency: Signal<&'static Currency>,
}

/// Whether waiting changes may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clear {
    /// Refuse while changes wait to be sent.
    WhenNothingWaits,
    /// Clear all the same: the user has been told how many are lost.
    Anyway,
}

/// The engine behind the store, once it is open.
#[derive(Clone)]
pub struct Engine {
    /// The engine itself.
    pub store: DataStore,
    /// Whether it has a server to sync with; it may yet meet one.
    pub has_server: Rc<Cell<bool>>,
}

/// The engine on its way, which may be waited for many times.
type Opening = Shared<LocalBoxFuture<'static, Result<Engine, AppError>>>;

/// A handle to the shop's data. Cheap to copy; every copy is the same store.
#[derive(Clone, Copy)]
pub struct AppStore {
    host: Host,
    opening: StoredValue<Opening, LocalStorage>,
    products: RwSignal<Load<Vec<Product>>>,
    are_products_synced: RwSignal<bool>,
    orders: RwSignal<Load<Vec<OrderWithLines>>>,
    status: RwSignal<SyncStatus>,
}

/// Live queries.
impl AppStore {
    /// Opens the store over an engine that is being opened.
    pub fn open(
        host: Host,
        opening: impl Future<Output = Result<Engine, AppError>> + 'static,
    ) -> Self {
        let opening = opening.boxed_local().shared();
        let store = Self {
            host,
            opening: StoredValue::new_local(opening.clone()),
            products: RwSignal::new(Load::Loading),
            are_products_synced: RwSignal::new(false),
            orders: RwSignal::new(Load::Loading),
            status: RwSignal::new(SyncStatus::default()),
        };
        let watched = opening.clone();
        spawn_local(async move { store.follow(opening.await) });
        // Amounts are read in another currency from now on.
        Effect::new(move |before: Option<()>| {
            host.currency.track();
            if before.is_some()
                && let Some(Ok(engine)) = watched.peek()
            {
                store.show_products(&engine.store);
                store.show_orders(&engine.store);
            }
        });
        store
    }

    /// Gives the store of this till.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Gives all products, in the order of the shelves. A till that has none because it is just
    /// being filled for the first time is still loading.
    #[must_use]
    pub fn products(self) -> Signal<Load<Vec<Product>>> {
        Signal::derive(move || {
            let products = self.products.get();
            let is_filling = !self.are_products_synced.get()
                && self.status.with(|status| status.network == Network::Connecting)
                && products.ready().is_some_and(Vec::is_empty);
            if is_filling { Load::Loading } else { products }
        })
    }

    /// Gives one product, or nothing when there is none of that id.
    #[must_use]
    pub fn product(self, id: ProductId) -> Signal<Load<Option<Product>>> {
        Signal::derive(move || {
            self.products
                .with(|load| load.map(|all| all.iter().find(|product| product.id == id).cloned()))
        })
    }

    /// Gives all orders, newest first.
    #[must_use]
    pub fn orders(self) -> Signal<Load<Vec<OrderSummary>>> {
        Signal::derive(move || {
            self.orders
                .with(|load| load.map(|all| all.iter().map(OrderWithLines::summary).collect()))
        })
    }

    /// Gives one order with its lines, or nothing when there is none of that id.
    #[must_use]
    pub fn order(self, id: OrderId) -> Signal<Load<Option<OrderWithLines>>> {
        Signal::derive(move || {
            self.orders
                .with(|load| load.map(|all| all.iter().find(|order| order.id == id).cloned()))
        })
    }

    /// Says how the till stands with the server.
    #[must_use]
    pub fn sync_status(self) -> Signal<SyncStatus> {
        self.status.into()
    }
}

/// Commands. One that comes while the store is still opening waits for it.
impl AppStore {
    /// Makes the identity of a product that is about to be added.
    #[must_use]
    pub fn new_product_id(self) -> ProductId {
        ProductId((self.host.new_id)())
    }

    /// Stores a product: a new one, or what was changed of the one that was shown, so that what
    /// another till changed meanwhile stays. Stored twice, it is one product all the same.
    ///
    /// # Errors
    ///
    /// [`AppError::Store`] when the device cannot keep it.
    pub async fn save_product(
        self,
        id: ProductId,
        shown: Option<Product>,
        fields: ProductFields,
    ) -> Result<(), AppError> {
        let currency = self.host.currency.get_untracked();
        let after = records::product_of_fields(id.clone(), fields);
        let after = records::product_record(&after, currency);
        let writes = match &shown {
            None => Writes::new().save(&after),
            Some(shown) => {
                Writes::new().update(&id.0, &records::product_record(shown, currency), &after)
            }
        };
        self.engine().await?.write(writes).await?;
        Ok(())
    }

    /// Deletes a product. Orders that sold it keep its name and price.
    ///
    /// # Errors
    ///
    /// [`AppError::Store`] when the device cannot keep the change.
    pub async fn delete_product(self, id: ProductId) -> Result<(), AppError> {
        Ok(self.engine().await?.delete::<models::Product>(&id.0).await?)
    }

    /// Takes an order: the order and its lines are stored as one batch, all or nothing. A cart is
    /// sold once: one whose order is stored already (by another tab, or before a crash) gives that
    /// order, with what it sold.
    ///
    /// # Errors
    ///
    /// [`AppError::EmptyCart`] when there is nothing to sell, [`AppError::Store`] when the device
    /// cannot keep it; the cart is then still the caller's.
    pub async fn checkout(self, cart: Cart, totals: Totals) -> Result<OrderWithLines, AppError> {
        let Some(id) = cart.order().filter(|_| !cart.is_empty()).cloned() else {
            return Err(AppError::EmptyCart);
        };
        let Host { now, currency, .. } = self.host;
        let engine = self.engine().await?;
        if let Some(taken) = engine.get::<models::Order>(&id.0)? {
            let of_order = models::LineItem::LINE_ITEM_ORDER_ID.eq(id.0.as_str());
            let lines = engine.query(&Query::filter(of_order).ascending(models::LineItem::ID))?;
            let lines: Vec<_> = lines.into_iter().map(Rc::new).collect();
            let (taken, _) = records::orders(&[Rc::new(taken)], &lines, currency.get_untracked());
            return taken.into_iter().next().ok_or(AppError::EmptyCart);
        }
        let order = OrderWithLines::of_cart(id, now(), &cart, totals);
        let (record, lines) = records::order_records(&order, currency.get_untracked());
        let sale = lines.iter().fold(Writes::new().save(&record), Writes::save);
        engine.write(sale).await?;
        Ok(order)
    }

    /// Stores the demo products that this till does not have. One that was deleted stays so.
    ///
    /// # Errors
    ///
    /// [`AppError::Store`] when the device cannot keep them.
    pub async fn load_demo_products(self) -> Result<usize, AppError> {
        let currency = self.host.currency.get_untracked();
        let engine = self.engine().await?;
        let mut added = 0;
        for product in read_catalog(DEMO_CATALOG, currency)? {
            if engine.get::<models::Product>(&product.id.0)?.is_some() {
                continue;
            }
            match engine.save(&records::product_record(&product, currency)).await {
                Ok(_) => added += 1,
                Err(ClientError::Write(SyncError::Deleted { .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(added)
    }

    /// Removes all shop data from this device.
    ///
    /// # Errors
    ///
    /// [`AppError::ChangesWaiting`] when that would lose changes and `clear` does not allow it.
    pub async fn clear_local_data(self, clear: Clear) -> Result<(), AppError> {
        let if_pending = match clear {
            Clear::WhenNothingWaits => IfPending::Refuse,
            Clear::Anyway => IfPending::Lose,
        };
        Ok(self.engine().await?.clear(if_pending).await?)
    }

    /// The engine, once it is open.
    async fn engine(self) -> Result<DataStore, AppError> {
        let opening = self.opening.get_value();
        Ok(opening.await?.store)
    }
}
