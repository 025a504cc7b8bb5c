//! From the engine's streams to the app's signals.

use std::rc::Rc;

use espressync_client::{ClientError, DataStore, Network as Link, Snapshot};
use espressync_model::Query;
use futures::{Stream, StreamExt as _};
use leptos::logging::warn;
use leptos::prelude::{GetUntracked as _, Set as _};
use leptos::task::spawn_local;

use super::error::AppError;
use super::load::Load;
use super::{AppStore, Engine, records};
use crate::domain::sync_status::{Network, SyncStatus};
use crate::models;

impl AppStore {
    /// Follows the engine that was opened, or says why there is none.
    pub(super) fn follow(self, opened: Result<Engine, AppError>) {
        let followed = opened.and_then(|engine| {
            self.follow_status(&engine);
            self.follow_products(&engine.store)?;
            Ok(self.follow_orders(&engine.store)?)
        });
        if let Err(error) = followed {
            self.products.set(Load::Failed(error.clone()));
            self.orders.set(Load::Failed(error));
        }
    }

    fn follow_products(self, engine: &DataStore) -> Result<(), ClientError> {
        let snapshots = engine.observe_query::<models::Product>(Query::all())?;
        each(snapshots, move |snapshot| match snapshot {
            Ok(Snapshot { items, is_synced }) => {
                self.are_products_synced.set(is_synced);
                self.show(items.iter().map(|record| models::Product::clone(record)));
            }
            Err(error) => self.products.set(Load::Failed(error.into())),
        });
        Ok(())
    }

    /// An order and its lines are records of their own; a change of either shows the join anew.
    fn follow_orders(self, engine: &DataStore) -> Result<(), ClientError> {
        let orders = engine.observe_query::<models::Order>(newest_first())?.map(Part::Orders);
        let lines = engine.observe_query::<models::LineItem>(by_number())?.map(Part::Lines);
        let (mut orders_now, mut lines_now) = (None, None);
        each(futures::stream::select(orders, lines), move |part| {
            match part {
                Part::Orders(Ok(Snapshot { items, .. })) => orders_now = Some(items),
                Part::Lines(Ok(Snapshot { items, .. })) => lines_now = Some(items),
                Part::Orders(Err(error)) | Part::Lines(Err(error)) => {
                    self.orders.set(Load::Failed(error.into()));
                }
            }
            if let (Some(orders), Some(lines)) = (&orders_now, &lines_now) {
                self.join(orders, lines);
            }
        });
        Ok(())
    }

    /// Shows the products as they are now, in another currency.
    pub(super) fn show_products(self, engine: &DataStore) {
        match engine.query::<models::Product>(&Query::all()) {
            Ok(found) => self.show(found),
            Err(error) => self.products.set(Load::Failed(error.into())),
        }
    }

    /// Shows these products. One whose price is no amount is left out and said.
    fn show(self, found: impl IntoIterator<Item = models::Product>) {
        let currency = self.host.currency.get_untracked();
        let mut products = Vec::new();
        for record in found {
            match records::product(record, currency) {
                Ok(product) => products.push(product),
                Err(error) => warn!("a product cannot be shown: {error}"),
            }
        }
        products.sort_unstable_by(|one, other| one.shelf().cmp(&other.shelf()));
        self.products.set(Load::Ready(products));
    }

    /// Shows the orders as they are now, in another currency.
    pub(super) fn show_orders(self, engine: &DataStore) {
        let shared = || {
            let orders = engine.query(&newest_first())?.into_iter().map(Rc::new).collect();
            let lines = engine.query(&by_number())?.into_iter().map(Rc::new).collect();
            Ok::<(Vec<_>, Vec<_>), ClientError>((orders, lines))
        };
        match shared() {
            Ok((orders, lines)) => self.join(&orders, &lines),
            Err(error) => self.orders.set(Load::Failed(error.into())),
        }
    }

    /// Shows these orders, each with its lines.
    fn join(self, orders: &[Rc<models::Order>], lines: &[Rc<models::LineItem>]) {
        let (orders, odd) = records::orders(orders, lines, self.host.currency.get_untracked());
        for error in odd {
            warn!("an order cannot be shown whole: {error}");
        }
        self.orders.set(Load::Ready(orders));
    }

    fn follow_status(self, engine: &Engine) {
        let (moment_of, has_server) = (self.host.moment_of, Rc::clone(&engine.has_server));
        each(engine.store.observe_status(), move |status| {
            self.status.set(SyncStatus {
                network: if has_server.get() { network(status.network) } else { Network::Local },
                pending: status.pending,
                last_synced: status.synced_at.map(|at| moment_of(at.0)),
                problems: status.rejected + usize::from(status.problem.is_some()),
            });
        });
    }
}

const fn network(link: Link) -> Network {
    match link {
        Link::Stopped | Link::Connecting => Network::Connecting,
        Link::Offline => Network::Offline,
        Link::Online => Network::Online,
        Link::Unauthenticated => Network::Unauthorized,
    }
}

/// What two streams say of one list.
enum Part {
    Orders(Result<Snapshot<models::Order>, ClientError>),
    Lines(Result<Snapshot<models::LineItem>, ClientError>),
}

fn newest_first() -> Query {
    Query::all().descending(models::Order::CREATED_AT)
}

/// Lines are named by their number in the order; they arrive in any order.
fn by_number() -> Query {
    Query::all().ascending(models::LineItem::ID)
}

/// Hands every item of a stream on, for as long as the page lives.
fn each<S: Stream + 'static>(stream: S, mut take: impl FnMut(S::Item) + 'static) {
    spawn_local(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(item) = stream.next().await {
            take(item);
        }
    });
}
