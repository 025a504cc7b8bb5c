//! What a caller sees of the records on their way into an answer (contract 1.6):
//!
//! - A record of which they may see nothing is left out of lists; where it stands alone it is null,
//!   with an error where it was asked for by its key. One that does not exist is null without an
//!   error, as with AppSync.
//! - A field that they may not see is null. A query is told so by an error, as with AppSync; a sync
//!   query, a mutation and a subscription are not, because clients take any error beside a record
//!   for its failure. A field that some may not see should not be required: null is no value of
//!   it, so the whole record is null then, with an error everywhere.
//! - Filters see what the caller sees, and records that were found by a field which the caller
//!   may not see are left out: so neither tells anything of it.
//! - A mutation's answer also shows what the mutation itself has set; where it has set nothing,
//!   no more than its caller sees, for the values that they sent are guesses then. A conflict about
//!   a record of which they see nothing is answered as what they may not do.
//! - A related record that may not be seen is null. Where it is named by the record's own foreign
//!   key, as a parent is, and only its key is asked for, the key is shown: the foreign key holds
//!   it, and clients would take null for no parent. A child that holds the foreign key itself is
//!   shown, as one or in a list, to whom that field of it is: else it would tell what is in there.

use espressync_model::remote::{Mutation, RemoteError, RemoteErrorKind};
use espressync_model::{Action, FieldId, Model, ModelId, Record};
use espressync_resolver::{Rights, Sight, without};
use espressync_wire::json::DELETED;

use super::document::Selected;
use super::errors::at_path;
use super::execution::Execution;
use super::filter::Filter;
use super::path::Path;

/// Whether a caller is told of the fields that are hidden from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hiding {
    Told,
    Silent,
}

/// What became of a mutation, for what its answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It was carried out.
    Written,
    /// There was nothing left to do.
    Kept,
    /// It was refused.
    Refused,
}

/// A record as its caller sees it, and where it stands in the answer.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// The record, with null in place of what is hidden.
    pub(super) record: Record,
    pub(super) path: Path,
    /// The fields that are hidden.
    pub(super) hidden: Vec<FieldId>,
    /// The relations that are hidden, as positions among the model's.
    pub(super) unrelated: Vec<usize>,
}

impl Placed {
    /// Whether one of these fields is hidden.
    pub(super) fn hides_any(&self, fields: &[FieldId]) -> bool {
        fields.iter().any(|field| self.hidden.contains(field))
    }
}

/// Which of the records that were read are shown.
pub(super) struct Wanted {
    sight: Sight,
    /// The fields by whose values they were found.
    by: Vec<FieldId>,
    filter: Filter,
}

impl Execution<'_> {
    /// What the caller sees by way of a field that reads, if it is anything.
    ///
    /// # Errors
    /// [`RemoteErrorKind::Unauthorized`] when nothing is.
    pub(super) fn sight(
        &self,
        model: ModelId,
        action: Action,
        (field, parent): (&Selected, &str),
    ) -> Result<Sight, RemoteError> {
        let sight = self.api.sight(&self.caller, model, action);
        match sight.is_blind() {
            true => Err(unauthorized(&field.name, parent)),
            false => Ok(sight),
        }
    }

    /// Places a record; `None` when the caller sees nothing of it.
    pub(super) fn place(
        &self,
        model: ModelId,
        sight: &Sight,
        record: Record,
        path: Path,
    ) -> Option<Placed> {
        place(self.model(model), sight, record, path)
    }

    /// Places the record that a mutation has led to, or that it was refused for, with its key and
    /// its times. `None` when it is neither seen nor was the mutation accepted.
    pub(super) fn place_written(
        &self,
        mutation: &Mutation,
        shown: Shown,
        record: Record,
        path: Path,
    ) -> Option<Placed> {
        let model = self.model(mutation.model);
        let sight = self.api.sight(&self.caller, mutation.model, Action::Get);
        let may_know = shown != Shown::Refused || sight.sees(&record.row);
        let mut hidden = sight.hidden(&record.row, model.fields.len());
        hidden.retain(|field| {
            // A merge may have kept another value than the one that was sent.
            let is_sent = mutation.fields.get(*field) == Some(record.row.get(*field));
            let is_own = shown == Shown::Written && is_sent;
            let is_time = model.at(*field).is_read_only && model.at(*field).is_required;
            !(is_own || is_time || model.key.contains(field))
        });
        let unrelated = unrelated(model, &sight, &record);
        may_know.then(|| Placed { record: without(record, &hidden), path, hidden, unrelated })
    }

    /// Places a parent by its key alone, if the selection asks for no more.
    pub(super) fn place_stub(
        &self,
        model: ModelId,
        record: Record,
        path: Path,
        field: &Selected,
    ) -> Option<Placed> {
        let model = self.model(model);
        let is_key = |name: &str| model.key.iter().any(|part| model.at(*part).name == name);
        let mut asked = field.fields.iter().map(|field| field.name.as_str());
        if !asked.all(|name| is_key(name) || name == "__typename" || name == DELETED) {
            return None;
        }
        let fields = FieldId::first(model.fields.len());
        let hidden: Vec<FieldId> = fields.filter(|field| !model.key.contains(field)).collect();
        let mut record = without(record, &hidden);
        record.meta.deleted = false;
        Some(Placed { record, path, hidden, unrelated: Vec::new() })
    }

    /// Tells of a field that is hidden, where that is told.
    pub(super) fn fail_hidden(&self, model: &Model, field: &Selected, path: &Path, must: bool) {
        if must || self.hiding == Hiding::Told {
            let error = unauthorized(&field.name, &model.name);
            self.fail(at_path(&error, field, &path.key(&field.key)));
        }
    }
}

/// Places a record of a model; `None` when nothing of it is seen.
pub(super) fn place(model: &Model, sight: &Sight, record: Record, path: Path) -> Option<Placed> {
    if sight.is_clear() {
        return Some(Placed { record, path, hidden: Vec::new(), unrelated: Vec::new() });
    }
    let hidden = sight.hidden(&record.row, model.fields.len());
    let unrelated = unrelated(model, sight, &record);
    let is_seen = sight.sees(&record.row);
    is_seen.then(|| Placed { record: without(record, &hidden), path, hidden, unrelated })
}

fn unrelated(model: &Model, sight: &Sight, record: &Record) -> Vec<usize> {
    let relations = model.relations.iter().enumerate();
    let hidden = relations.filter(|(_, each)| !sight.sees_relation(&record.row, &each.name));
    hidden.map(|(position, _)| position).collect()
}

impl Wanted {
    /// What passes the filter, of what is seen.
    pub(super) fn new(sight: Sight, filter: Filter) -> Self {
        Self { sight, by: Vec::new(), filter }
    }

    /// The same of records that were found by the values of these fields.
    pub(super) fn found_by(mut self, fields: &[FieldId]) -> Self {
        self.by = fields.to_vec();
        self
    }

    /// Places a record, if it is wanted.
    pub(super) fn place(&self, model: &Model, record: Record, path: Path) -> Option<Placed> {
        let placed = place(model, &self.sight, record, path)?;
        (!placed.hides_any(&self.by) && self.filter.matches(&placed.record)).then_some(placed)
    }
}

/// AppSync's words for what one may not do.
pub(super) fn unauthorized(field: &str, parent: &str) -> RemoteError {
    let message = format!("Not Authorized to access {field} on type {parent}");
    RemoteError::new(RemoteErrorKind::Unauthorized, message)
}

impl super::Api {
    /// What a caller sees of a model.
    pub(super) fn sight(
        &self,
        caller: &espressync_resolver::Caller,
        model: ModelId,
        action: Action,
    ) -> Sight {
        let rules = &self.rules.model(model).access;
        Rights::of(self.models().model(model), rules, caller).sight(action)
    }
}
