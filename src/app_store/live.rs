//! From the engine's streams to the app's signals.

use std::rc::Rc;

use espressync_client::{ClientError, DataStore, Network as Link, Snapshot};
use espressync_model::{Entity, Query};
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
        let snapshots = engine.observe_query::<models::Product>(Query::all())?.map(synced);
        let engine = engine.clone();
        each(snapshots, move |is_synced| {
            self.are_products_synced.set(is_synced);
            self.show_products(&engine);
        });
        Ok(())
    }

    /// An order and its lines are records of their own; a change of either shows the join anew.
    fn follow_orders(self, engine: &DataStore) -> Result<(), ClientError> {
        let orders = engine.observe_query::<models::Order>(Query::all())?.map(synced);
        let lines = engine.observe_query::<models::LineItem>(Query::all())?.map(synced);
        let engine = engine.clone();
        each(futures::stream::select(orders, lines), move |_| self.show_orders(&engine));
        Ok(())
    }

    /// Shows the products as they are now. One whose price is no amount is left out and said.
    pub(super) fn show_products(self, engine: &DataStore) {
        let currency = self.host.currency.get_untracked();
        let shown = engine.query::<models::Product>(&Query::all()).map(|found| {
            let mut products = Vec::new();
            for record in found {
                match records::product(record, currency) {
                    Ok(product) => products.push(product),
                    Err(error) => warn!("a product cannot be shown: {error}"),
                }
            }
            products.sort_unstable_by(|one, other| one.shelf().cmp(&other.shelf()));
            products
        });
        self.products.set(Load::from(shown.map_err(AppError::from)));
    }

    /// Shows the orders as they are now, newest first.
    pub(super) fn show_orders(self, engine: &DataStore) {
        let joined = || {
            let orders = engine.query(&Query::all().descending(models::Order::CREATED_AT))?;
            let lines = engine.query(&Query::all())?;
            let (orders, odd) = records::orders(orders, lines, self.host.currency.get_untracked());
            for error in odd {
                warn!("an order cannot be shown whole: {error}");
            }
            Ok::<_, AppError>(orders)
        };
        self.orders.set(Load::from(joined()));
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

/// What two streams of different records have in common.
fn synced<E: Entity>(snapshot: Result<Snapshot<E>, ClientError>) -> bool {
    snapshot.is_ok_and(|found| found.is_synced)
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
