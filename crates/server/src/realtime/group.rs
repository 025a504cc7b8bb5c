use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::close_code;
use espressync_model::remote::Change;
use espressync_wire::realtime::{ServerFrame, data_frame};

use super::outlet::Outlet;
use crate::app::AppState;
use crate::graphql::Subscription;
use crate::http::text_of;

/// Subscriptions that are told the same of every change, so that it is read, shown and written as
/// text once for all of them.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) subscription: Subscription,
    state: Arc<AppState>,
    members: Mutex<BTreeMap<u64, Member>>,
}

/// One of the subscriptions.
#[derive(Debug)]
pub(super) struct Member {
    /// The client's name for it.
    pub(super) id: String,
    pub(super) outlet: Arc<Outlet>,
}

impl Group {
    pub(super) fn new(subscription: Subscription, state: Arc<AppState>) -> Self {
        Self { subscription, state, members: Mutex::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.members().len()
    }

    /// Takes a member in and tells it so: before any event, and not before events are for it.
    pub(super) fn join(&self, number: u64, member: Member) {
        let mut members = self.members();
        member.outlet.say(ServerFrame::StartAck { id: member.id.clone() }.to_text());
        members.insert(number, member);
    }

    /// Takes a member out and says whether it was the last.
    pub(super) fn leave(&self, number: u64) -> bool {
        let mut members = self.members();
        members.remove(&number);
        members.is_empty()
    }

    /// A change as its members are to see it: a GraphQL answer.
    pub(super) async fn show(&self, change: &Change) -> String {
        text_of(&self.state.api.event(&self.subscription, change).await)
    }

    pub(super) fn tell(&self, payload: &str) {
        let members = self.members();
        if payload.len() > self.state.realtime.event_bytes {
            tracing::info!(bytes = payload.len(), "a change is too large to be told");
            for member in members.values() {
                member.outlet.close(close_code::SIZE, "a change is too large for a message");
            }
            return;
        }
        for Member { id, outlet } in members.values() {
            outlet.say(data_frame(id, payload));
            self.state.metrics.events_sent.inc();
        }
    }

    /// Ends the sessions of all members: they catch up by a delta sync.
    pub(super) fn cut_off(&self) {
        self.members().values().for_each(|member| member.outlet.cut_off());
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<u64, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
