use espressync_model::remote::{Mutation, Operation, RemoteError, RemoteErrorKind, Request};
use espressync_model::{Key, ModelId, Record, Timestamp};
use espressync_store::Store;

use super::{Asked, Effect, Engine, Storing};
use crate::schedule::{self, Place};
use crate::{Intent, outbox};

/// After how many failures in a row mutations go one to a request.
const ALONE_AFTER: u32 = 4;

/// The outbox on its way.
impl Engine {
    pub(super) fn send_mutations(
        &mut self,
        now: Timestamp,
        store: &Store,
        effects: &mut Vec<Effect>,
    ) {
        if !self.send_backoff.is_due(now) {
            return;
        }
        self.send_backoff.attempt();
        while self.sending() < self.config.requests {
            // Where requests fail again and again, one mutation may be why (a firewall that
            // dislikes its text, say): sent alone, it holds up no other.
            let is_stuck = self.send_backoff.failures() >= ALONE_AFTER;
            let limit = if is_stuck { 1 } else { self.config.mutations_per_request };
            let places = schedule::next(store, &self.in_flight, &self.suspects, limit);
            if places.is_empty() {
                return;
            }
            self.in_flight.extend(places.iter().cloned());
            let is_attempted = |(model, key): &&Place| {
                store.outbox().get(*model, key).is_some_and(|pending| pending.is_attempted)
            };
            let fresh = places.iter().filter(|place| !is_attempted(place));
            let fresh: Vec<(ModelId, Key, u64)> =
                fresh.map(|(model, key)| (*model, key.clone(), self.jitter.next())).collect();
            if fresh.is_empty() {
                self.send(store, places, effects);
            } else {
                self.commit(Storing::Marks(places), vec![Intent::MarkSent(fresh)], effects);
            }
        }
    }

    /// How many requests with mutations are under way or about to be.
    pub(super) fn sending(&self) -> usize {
        let asked = self.asked.values().filter(|asked| !matches!(asked, Asked::Page(..))).count();
        let marking = self.storing.values().filter(|storing| matches!(storing, Storing::Marks(_)));
        asked + marking.count()
    }

    /// Sends what the entries ask for now, edits since the marking included.
    pub(super) fn send(&mut self, store: &Store, places: Vec<Place>, effects: &mut Vec<Effect>) {
        let mut mutations = Vec::new();
        for (model, key) in places {
            match store.outbox().get(model, &key) {
                Some(pending) if pending.rejection.is_none() => {
                    let definition = self.schema.model(model);
                    mutations.push(outbox::mutation(definition, model, &key, pending));
                }
                Some(_) | None => {
                    self.in_flight.remove(&(model, key));
                }
            }
        }
        if !mutations.is_empty() {
            self.ask(Asked::Mutations(mutations.clone()), Request::Mutate(mutations), effects);
        }
    }

    pub(super) fn release<'p>(&mut self, places: impl IntoIterator<Item = &'p Place>) {
        for place in places {
            self.in_flight.remove(place);
        }
    }

    pub(super) fn mutations_answered(
        &mut self,
        now: Timestamp,
        sent: Vec<Mutation>,
        answers: Result<Vec<Result<Record, RemoteError>>, RemoteError>,
        effects: &mut Vec<Effect>,
    ) {
        let answers = match answers {
            Ok(answers) if answers.len() == sent.len() => answers,
            Ok(answers) => {
                let message = format!("{} mutations got {} answers", sent.len(), answers.len());
                vec![Err(RemoteError::new(RemoteErrorKind::Malformed, message)); sent.len()]
            }
            Err(error) if sent.len() > 1 && !error.is_retryable() => {
                let places: Vec<Place> =
                    sent.into_iter().map(|mutation| (mutation.model, mutation.key)).collect();
                self.release(&places);
                self.suspects.extend(places);
                return;
            }
            Err(error) => vec![Err(error); sent.len()],
        };
        let mut intents = Vec::new();
        let mut places = Vec::new();
        let mut failure = None;
        for (mutation, answer) in sent.into_iter().zip(answers) {
            let place = (mutation.model, mutation.key.clone());
            match answer {
                Err(error) if error.is_retryable() => {
                    if mutation.once.is_some() {
                        self.unsure.insert(place.clone());
                    }
                    self.in_flight.remove(&place);
                    failure = Some(error);
                }
                Err(error) if needs_record(&mutation, &error) => {
                    let request = Request::Get(mutation.model, mutation.key.clone());
                    self.ask(Asked::Record(mutation), request, effects);
                }
                answer => {
                    let answer = self.weigh(&mutation, answer);
                    intents.push(Intent::Acknowledge(mutation, answer));
                    self.suspects.remove(&place);
                    places.push(place);
                }
            }
        }
        if let Some(error) = failure {
            self.note_failure(&error);
            self.send_backoff.fail(now, &mut self.jitter);
        }
        if !intents.is_empty() {
            self.commit(Storing::Answers(places), intents, effects);
        }
    }

    /// A server that does not know the names of additions refuses one that it has carried out, when
    /// it comes again: the field is no longer as it was. Where an answer was missing and the next
    /// version shows the very sums, it is taken for ours. It may yet be another's who added as much
    /// to the same version while ours was lost on the way; nothing that AppSync says tells.
    fn weigh(
        &mut self,
        sent: &Mutation,
        answer: Result<Record, RemoteError>,
    ) -> Result<Record, RemoteError> {
        let is_unsure = self.unsure.remove(&(sent.model, sent.key.clone()));
        let Err(error) = &answer else { return answer };
        let is_ours = |stored: &Record| {
            let mut fields = sent.fields.iter();
            stored.meta.version == sent.version + 1
                && fields.all(|(field, value)| stored.row.get(field) == value)
        };
        let is_condition = error.kind == RemoteErrorKind::ConditionFailed;
        match error.stored.as_deref().filter(|stored| is_ours(stored)) {
            Some(stored) if is_unsure && is_condition && sent.once.is_some() => Ok(stored.clone()),
            Some(_) | None => answer,
        }
    }

    pub(super) fn record_answered(
        &mut self,
        now: Timestamp,
        sent: Mutation,
        answer: Result<Option<Record>, RemoteError>,
        effects: &mut Vec<Effect>,
    ) {
        let place = (sent.model, sent.key.clone());
        let refusal = RemoteErrorKind::ConditionFailed;
        let error = match answer {
            Ok(Some(record)) => {
                RemoteError::new(refusal, "the server has another record").with_stored(record)
            }
            Ok(None) => RemoteError::new(refusal, "the server has no such record"),
            Err(error) if error.is_retryable() => {
                self.release([&place]);
                self.send_backoff.fail(now, &mut self.jitter);
                return;
            }
            Err(error) => error,
        };
        let answer = self.weigh(&sent, Err(error));
        let intents = vec![Intent::Acknowledge(sent, answer)];
        self.commit(Storing::Answers(vec![place]), intents, effects);
    }
}

/// Whether a refusal must be looked into: the server holds something else, and did not say what.
fn needs_record(sent: &Mutation, error: &RemoteError) -> bool {
    let is_about_the_record =
        matches!(error.kind, RemoteErrorKind::Conflict | RemoteErrorKind::ConditionFailed);
    let is_answer = error.stored.is_some() || sent.operation == Operation::Delete;
    is_about_the_record && !is_answer
}
