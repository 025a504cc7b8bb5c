//! From the engine's streams to the app's signals.

use std::rc::Rc;

use espressync_client::{ClientError, DataStore, Network as Link, Snapshot};
use espressync_model::{Entity, Query};
use futures::{Stream, StreamExt as _};
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
        each(snapshots, move |snapshot| {
            self.are_products_synced.set(snapshot.as_ref().is_ok_and(|found| found.is_synced));
            self.products.set(Load::from(snapshot.map_err(AppError::from).and_then(|found| {
                let currency = self.host.currency.get_untracked();
                let records = found.items.into_iter();
                let products = records.map(|record| records::product(record, currency));
                let mut products = products.collect::<Result<Vec<_>, _>>()?;
                products.sort_by(|one, other| one.shelf().cmp(&other.shelf()));
                Ok(products)
            })));
        });
        Ok(())
    }

    /// An order and its lines are records of their own; a change of either shows the join anew.
    fn follow_orders(self, engine: &DataStore) -> Result<(), ClientError> {
        let newest_first = Query::all().descending(models::Order::CREATED_AT);
        let orders = engine.observe_query::<models::Order>(newest_first.clone())?.map(synced);
        let lines = engine.observe_query::<models::LineItem>(Query::all())?.map(synced);
        let engine = engine.clone();
        each(futures::stream::select(orders, lines), move |_| {
            let joined = || {
                let orders = engine.query(&newest_first)?;
                let lines = engine.query(&Query::all())?;
                let currency = self.host.currency.get_untracked();
                Ok::<_, AppError>(records::orders(orders, lines, currency)?)
            };
            self.orders.set(Load::from(joined()));
        });
        Ok(())
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
