use espressync_model::Timestamp;
use espressync_model::remote::{RemoteError, RemoteErrorKind};

use super::{Effect, Engine, Link, LinkEvent, LinkId, Storing};
use crate::Intent;

/// The realtime connection.
impl Engine {
    pub(super) fn tend_link(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if let Link::Ready { heard, .. } = &self.link
            && now.since(*heard) >= self.config.silence
        {
            self.close_link(effects);
        }
        if matches!(self.link, Link::Closed) && self.link_backoff.is_due(now) {
            let id = LinkId(self.next_id());
            self.link = Link::Opening(id);
            for model in &mut self.models {
                model.refusal = None;
            }
            self.link_backoff.attempt();
            effects.push(Effect::Connect(id));
        }
    }

    pub(super) fn link_event(
        &mut self,
        now: Timestamp,
        id: LinkId,
        event: LinkEvent,
        effects: &mut Vec<Effect>,
    ) {
        match &mut self.link {
            Link::Opening(current) if *current == id => {}
            Link::Ready { id: current, heard } if *current == id => *heard = now,
            Link::Closed | Link::Opening(_) | Link::Ready { .. } => return,
        }
        match event {
            LinkEvent::Alive => {}
            LinkEvent::Ready => {
                self.link = Link::Ready { id, heard: now };
                self.is_unauthenticated = false;
                self.is_online = true;
                self.retry_now();
                self.mark_dirty();
            }
            LinkEvent::Change(change) => {
                let receive = Intent::Receive(change.model, vec![change.record]);
                self.commit(Storing::Change(change.model), vec![receive], effects);
            }
            LinkEvent::Missed(model) => self.models[model.index()].is_dirty = true,
            LinkEvent::Refused(model, error) => {
                self.models[model.index()].refusal = Some(error.message);
            }
            LinkEvent::Closed(error) => {
                self.link = Link::Closed;
                self.note_failure(&error);
                self.link_backoff.fail(now, &mut self.jitter);
                // Where only the socket is blocked, asking goes on and keeps the client fresh.
                self.mark_dirty();
            }
        }
    }

    pub(super) fn mark_dirty(&mut self) {
        for (model, definition) in self.schema.models() {
            self.models[model.index()].is_dirty = !definition.is_local;
        }
    }

    pub(super) fn note_failure(&mut self, error: &RemoteError) {
        self.is_unauthenticated = error.kind == RemoteErrorKind::Unauthenticated;
    }
}
