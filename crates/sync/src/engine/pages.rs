use std::rc::Rc;

use espressync_model::remote::{RemoteError, Request, SyncPage, SyncRequest};
use espressync_model::{Model, ModelId, Predicate, Timestamp};
use espressync_store::{Cursor, Store};

use super::{Asked, Effect, Engine, Storing};
use crate::Intent;
use crate::models::Run;

/// Base and delta sync.
impl Engine {
    pub(super) fn sync_models(&mut self, now: Timestamp, store: &Store, effects: &mut Vec<Effect>) {
        for (model, _) in Rc::clone(&self.schema).models() {
            let state = &self.models[model.index()];
            if state.is_dirty && state.run.is_none() && state.backoff.is_due(now) {
                let state = &mut self.models[model.index()];
                state.is_dirty = false;
                state.backoff.attempt();
                self.begin_run(model, store.cursor(model));
                self.ask_page(model, effects);
            }
        }
    }

    fn begin_run(&mut self, model: ModelId, since: Option<Cursor>) {
        let number = self.next_id();
        self.models[model.index()].run = Some(Run::new(number, since));
    }

    /// Whether a page belongs to the sync under way, not to one that was given up.
    pub(super) fn is_current(&self, model: ModelId, number: u64) -> bool {
        self.models[model.index()].run.as_ref().is_some_and(|run| run.number == number)
    }

    pub(super) fn ask_page(&mut self, model: ModelId, effects: &mut Vec<Effect>) {
        let Some(run) = &self.models[model.index()].run else { return };
        let request = SyncRequest {
            model,
            last_sync: run.since.map(|cursor| cursor.last_sync),
            next_token: run.next_token.clone(),
            limit: self.config.page_size,
            filter: Predicate::All,
        };
        let number = run.number;
        self.ask(Asked::Page(model, number), Request::Sync(request), effects);
    }

    pub(super) fn page_answered(
        &mut self,
        now: Timestamp,
        model: ModelId,
        page: Result<SyncPage, RemoteError>,
        effects: &mut Vec<Effect>,
    ) {
        let definition: &Model = self.schema.model(model);
        let state = &mut self.models[model.index()];
        let Some(run) = &mut state.run else { return };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                state.problem = (!error.is_retryable()).then(|| error.message.clone());
                self.note_failure(&error);
                self.sync_failed(now, model);
                return;
            }
        };
        let interval = self.config.full_sync_interval;
        if run.since.is_some_and(|cursor| page.started_at.since(cursor.last_full_sync) >= interval)
        {
            self.begin_run(model, None);
            self.ask_page(model, effects);
            return;
        }
        let keys = page.records.iter().filter_map(|record| definition.key_of(&record.row).ok());
        run.note(&page, keys);
        let mut intents = vec![Intent::Receive(model, page.records)];
        if run.is_finished {
            state.problem = run.unreadable.take();
            let (started_at, is_full, seen) = (run.started_at, run.is_full, run.seen.take());
            intents.push(Intent::FinishSync { model, started_at, is_full, seen });
        }
        let number = run.number;
        self.is_unauthenticated = false;
        self.commit(Storing::Page(model, number), intents, effects);
    }

    pub(super) fn sync_failed(&mut self, now: Timestamp, model: ModelId) {
        let state = &mut self.models[model.index()];
        state.run = None;
        state.is_dirty = true;
        state.backoff.fail(now, &mut self.jitter);
    }
}
