//! The app's one data door: queries are live signals, commands are `async` and may fail.
//!
//! Screens know this face and nothing behind it. Prices are [`Money`](crate::domain::money::Money)
//! on this side and `Float` on the other; the conversion happens here.

pub mod error;
pub mod load;

use leptos::prelude::{
    GetUntracked as _, RwSignal, Set as _, Signal, Update as _, With as _, WithUntracked as _,
    expect_context,
};

use crate::domain::cart::{Cart, Totals};
use crate::domain::catalog::{DEMO_CATALOG, Product, ProductFields, ProductId, read_catalog};
use crate::domain::currency::Currency;
use crate::domain::receipt::{Moment, OrderId, OrderSummary, OrderWithLines};
use crate::domain::sync_status::{Network, SyncStatus};

use self::error::AppError;
use self::load::Load;

/// What the store needs from the world around it.
#[derive(Clone, Copy)]
pub struct Host {
    /// Tells the time.
    pub now: fn() -> Moment,
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

/// A handle to the shop's data. Cheap to copy; every copy is the same store.
#[derive(Clone, Copy)]
pub struct AppStore {
    host: Host,
    products: RwSignal<Load<Vec<Product>>>,
    orders: RwSignal<Load<Vec<OrderWithLines>>>,
    status: RwSignal<SyncStatus>,
}

/// Live queries.
impl AppStore {
    /// Opens the store.
    #[must_use]
    pub fn open(host: Host) -> Self {
        Self {
            host,
            products: RwSignal::new(Load::Ready(Vec::new())),
            orders: RwSignal::new(Load::Ready(Vec::new())),
            status: RwSignal::new(SyncStatus::default()),
        }
    }

    /// Gives the store of this till.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Gives all products, in the order of the shelves.
    #[must_use]
    pub fn products(self) -> Signal<Load<Vec<Product>>> {
        self.products.into()
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

/// Commands.
#[expect(clippy::unused_async, reason = "the engine, which replaces the signals, does await")]
impl AppStore {
    /// Stores a product: a new one where no id is given.
    ///
    /// # Errors
    ///
    /// [`AppError::Store`] when the device cannot keep it.
    pub async fn save_product(
        self,
        id: Option<ProductId>,
        fields: ProductFields,
    ) -> Result<ProductId, AppError> {
        let id = id.unwrap_or_else(|| ProductId((self.host.new_id)()));
        let ProductFields { sku, name, price, picture } = fields;
        self.put_product(Product { id: id.clone(), sku, name, price, picture });
        Ok(id)
    }

    /// Deletes a product. Orders that sold it keep its name and price.
    ///
    /// # Errors
    ///
    /// [`AppError::Store`] when the device cannot keep the change.
    pub async fn delete_product(self, id: ProductId) -> Result<(), AppError> {
        self.change(self.products, |all| all.retain(|product| product.id != id));
        Ok(())
    }

    /// Takes an order: the order and its lines are stored as one batch, all or nothing.
    ///
    /// # Errors
    ///
    /// [`AppError::EmptyCart`] when there is nothing to sell, [`AppError::Store`] when the device
    /// cannot keep it; the cart is then still the caller's.
    pub async fn checkout(self, cart: Cart, totals: Totals) -> Result<OrderId, AppError> {
        if cart.is_empty() {
            return Err(AppError::EmptyCart);
        }
        let Host { now, new_id, .. } = self.host;
        let order = OrderWithLines::of_cart(OrderId(new_id()), now(), &cart, totals, new_id);
        let id = order.id.clone();
        self.change(self.orders, |all| all.insert(0, order));
        Ok(id)
    }

    /// Stores the demo products. Loading them twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`AppError::Store`] when the device cannot keep them.
    pub async fn load_demo_products(self) -> Result<usize, AppError> {
        let products = read_catalog(DEMO_CATALOG, self.host.currency.get_untracked())?;
        let count = products.len();
        for product in products {
            self.put_product(product);
        }
        Ok(count)
    }

    /// Removes all shop data from this device.
    ///
    /// # Errors
    ///
    /// [`AppError::ChangesWaiting`] when that would lose changes and `clear` does not allow it.
    pub async fn clear_local_data(self, clear: Clear) -> Result<(), AppError> {
        let count = self.status.with_untracked(|status| status.pending);
        if count > 0 && clear == Clear::WhenNothingWaits {
            return Err(AppError::ChangesWaiting { count });
        }
        self.products.set(Load::Ready(Vec::new()));
        self.orders.set(Load::Ready(Vec::new()));
        self.status.update(|status| status.pending = 0);
        Ok(())
    }

    /// Hears from the device whether there is a network.
    pub fn network_changed(self, online: bool) {
        self.status.update(|status| {
            status.network = if online { Network::Online } else { Network::Offline };
            if online {
                status.pending = 0;
                status.last_synced = Some((self.host.now)());
            }
        });
    }

    fn put_product(self, product: Product) {
        self.change(self.products, |all| {
            all.retain(|other| other.id != product.id);
            let at = all.partition_point(|other| other.shelf() <= product.shelf());
            all.insert(at, product);
        });
    }

    fn change<T: Send + Sync + 'static>(
        self,
        rows: RwSignal<Load<Vec<T>>>,
        change: impl FnOnce(&mut Vec<T>),
    ) {
        rows.update(|load| {
            if let Load::Ready(all) = load {
                change(all);
            }
        });
        self.status.update(|status| {
            if status.network == Network::Offline {
                status.pending += 1;
            }
        });
    }
}
