use std::collections::BTreeMap;

use espressync_model::remote::RemoteError;
use espressync_model::{
    Action, BaseType, Direction, FieldId, Key, Model, ModelId, ObjectId, Record, Relation,
    RelationKind, Timestamp, Value,
};
use espressync_wire::json::{DELETED, LAST_CHANGED_AT, VERSION, value_to_json};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::access::{Placed, Wanted};
use super::document::Selected;
use super::errors::{at_path, null_value};
use super::execution::Execution;
use super::keys::{KeyArguments, direction};
use super::path::Path;
use super::query::{DEFAULT_LIMIT, after, order_of, page, unreadable};
use super::token::Token;
use crate::backend::{Listing, Range, Start, Stored, Walk};
use crate::ways::Way;

/// For how many records related ones are read before it is looked whether they are too many.
const PARENTS_AT_ONCE: usize = 100;

/// A run of rows on the way to becoming a connection.
pub(super) struct Run {
    pub(super) rows: Vec<Stored>,
    pub(super) next_token: Option<String>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) path: Path,
}

impl Run {
    /// A run in an order of this name.
    pub(super) fn of(listing: Listing, order: &str, field: &Selected, path: Path) -> Self {
        let token = |place| Token::After { order: order.to_owned(), place };
        let next_token = listing.next.map(|place| token(place).to_text(&field.name));
        Self { rows: listing.rows, next_token, started_at: None, path }
    }
}

/// What a selected field of a record shows.
enum Part {
    TypeName,
    Version,
    LastChangedAt,
    Deleted,
    Stored(FieldId),
    /// The answers of a relation, one for each record.
    Related(Vec<Json>),
    /// Nothing that validation would have let pass.
    Unknown,
}

/// How it is known which record is related, which says what stands for one that may not be seen.
enum Known {
    /// By its key, which the record beside it holds as its own foreign key; so that may be shown.
    ByKey,
    /// By what it holds in these fields of its own. Nothing stands for it, nor for one of which
    /// they are hidden: only they know that the two are related.
    By(Vec<FieldId>),
}

impl Execution<'_> {
    /// Shows records of one model through a selection, in their order. Related records of all of
    /// them are read together, level by level.
    pub(super) fn records<'s>(
        &'s self,
        model: ModelId,
        records: Vec<Placed>,
        fields: &'s [Selected],
    ) -> BoxFuture<'s, Vec<Json>> {
        async move {
            let mut parts = Vec::with_capacity(fields.len());
            for field in fields {
                parts.push(self.part(model, &records, field).await);
            }
            let shown = records
                .iter()
                .enumerate()
                .map(|(position, placed)| self.record(model, placed, position, fields, &parts));
            shown.collect()
        }
        .boxed()
    }

    async fn part(&self, id: ModelId, records: &[Placed], field: &Selected) -> Part {
        let model = self.model(id);
        match field.name.as_str() {
            "__typename" => return Part::TypeName,
            VERSION => return Part::Version,
            LAST_CHANGED_AT => return Part::LastChangedAt,
            DELETED => return Part::Deleted,
            _ => {}
        }
        if let Ok(stored) = model.field_named(&field.name) {
            return Part::Stored(stored);
        }
        let mut relations = model.relations.iter();
        let Some(position) = relations.position(|relation| relation.name == field.name) else {
            return Part::Unknown;
        };
        let related = records.iter().filter(|placed| !placed.unrelated.contains(&position));
        let related: Vec<&Placed> = related.collect();
        let relation = &model.relations[position];
        let answers = match relation.kind {
            RelationKind::HasMany => {
                let limit = self.usual_limit(id, relation);
                self.children(model, relation, &related, field, limit).await
            }
            RelationKind::HasOne | RelationKind::BelongsTo => {
                let keys = related.iter().map(|Placed { record, .. }| {
                    Key::of(relation.fields.iter().map(|part| record.row.get(*part)))
                });
                self.each_one(relation.target, keys.collect(), &related, field, &Known::ByKey).await
            }
            RelationKind::HasOneByReference => {
                let way = Way::of_children(self.model(relation.target), relation);
                let known = Known::By(way.fields());
                let keys = self.only_children(model, relation, way, &related, field).await;
                self.each_one(relation.target, keys, &related, field, &known).await
            }
        };
        let mut answers = answers.into_iter();
        let each = records.iter().map(|placed| {
            if placed.unrelated.contains(&position) {
                self.fail_hidden(model, field, &placed.path, false);
                return Json::Null;
            }
            answers.next().unwrap_or_default()
        });
        Part::Related(each.collect())
    }

    /// Shows one record; null, and an error beside it, when it lacks what the schema requires.
    fn record(
        &self,
        id: ModelId,
        Placed { record, path, hidden, .. }: &Placed,
        position: usize,
        fields: &[Selected],
        parts: &[Part],
    ) -> Json {
        let model = self.model(id);
        let mut shown = Map::with_capacity(fields.len());
        for (field, part) in fields.iter().zip(parts) {
            let json = match part {
                Part::TypeName => Json::from(model.name.as_str()),
                Part::Version => Json::from(record.meta.version),
                Part::LastChangedAt => Json::from(record.meta.changed_at.0),
                Part::Deleted if record.meta.deleted => Json::Bool(true),
                Part::Deleted | Part::Unknown => Json::Null,
                Part::Related(answers) => answers.get(position).cloned().unwrap_or_default(),
                Part::Stored(stored) => {
                    let (value, must) = (record.row.get(*stored), model.at(*stored).is_required);
                    let is_hidden = hidden.contains(stored);
                    if is_hidden {
                        self.fail_hidden(model, field, path, must);
                    } else if value.is_null() && must {
                        self.fail_null(model, *stored, field, path);
                    }
                    if value.is_null() && must {
                        return Json::Null;
                    }
                    self.value(model.at(*stored).base, value, &field.fields)
                }
            };
            shown.insert(field.key.clone(), json);
        }
        Json::Object(shown)
    }

    fn fail_null(&self, model: &Model, stored: FieldId, field: &Selected, path: &Path) {
        let of = self.api.models().type_name(model.at(stored).base);
        self.fail(null_value(of, &model.name, field, &path.key(&field.key)));
    }

    /// Shows a stored value; of embedded ones the selected fields.
    fn value(&self, base: BaseType, value: &Value, fields: &[Selected]) -> Json {
        match (base, value) {
            (BaseType::Object(_), Value::List(elements)) => {
                elements.iter().map(|element| self.value(base, element, fields)).collect()
            }
            (BaseType::Object(id), Value::Object(values)) => self.object(id, values, fields),
            (base, value) => value_to_json(self.api.models(), base, value),
        }
    }

    fn object(&self, id: ObjectId, values: &[Value], fields: &[Selected]) -> Json {
        let object = self.api.models().object(id);
        let members = fields.iter().map(|selected| {
            let mut stored = object.fields.iter().zip(values);
            let json = match stored.find(|(field, _)| field.name == selected.name) {
                Some((field, value)) => self.value(field.base, value, &selected.fields),
                None if selected.name == "__typename" => Json::from(object.name.as_str()),
                None => Json::Null,
            };
            (selected.key.clone(), json)
        });
        Json::Object(members.collect())
    }

    /// The one record of these keys beside each of the records, tombstones included: null where
    /// there is none, for a child outlives its parent.
    async fn each_one(
        &self,
        target: ModelId,
        keys: Vec<Option<Key>>,
        records: &[&Placed],
        field: &Selected,
        known: &Known,
    ) -> Vec<Json> {
        let mut wanted: BTreeMap<&Key, Path> = BTreeMap::new();
        for (key, placed) in keys.iter().zip(records) {
            if let Some(key) = key {
                wanted.entry(key).or_insert_with(|| placed.path.key(&field.key));
            }
        }
        let names = wanted.keys().copied().cloned().collect();
        let found = match self.api.backend.get(target, names).await {
            Ok(found) => found,
            Err(error) => {
                let error = RemoteError::from(&error);
                wanted.values().for_each(|path| self.fail(at_path(&error, field, path)));
                return vec![Json::Null; records.len()];
            }
        };
        let sight = self.api.sight(&self.caller, target, Action::Get);
        let found = found.into_iter().flatten();
        let found: Vec<(Key, Placed)> = found
            .filter_map(|stored| {
                let path = wanted.get(&stored.key)?.clone();
                let key = stored.key.clone();
                let (record, path) = self.readable(stored, path, field)?;
                let seen = self.place(target, &sight, record.clone(), path.clone());
                let placed = match known {
                    Known::ByKey => seen.or_else(|| self.place_stub(target, record, path, field)),
                    Known::By(fields) => seen.filter(|placed| !placed.hides_any(fields)),
                };
                placed.map(|placed| (key, placed))
            })
            .collect();
        let (names, placed): (Vec<Key>, Vec<Placed>) = found.into_iter().unzip();
        let shown = self.records(target, placed, &field.fields).await;
        let shown: BTreeMap<Key, Json> = names.into_iter().zip(shown).collect();
        let answer = |key: &Option<Key>| shown.get(key.as_ref()?).cloned();
        keys.iter().map(|key| answer(key).unwrap_or_default()).collect()
    }

    /// The key of the record that points at each of these: of several, which nothing forbids, the
    /// first that is not deleted.
    async fn only_children(
        &self,
        model: &Model,
        relation: &Relation,
        way: Way,
        records: &[&Placed],
        field: &Selected,
    ) -> Vec<Option<Key>> {
        let walk = Walk { way, range: Range::All, direction: Direction::Ascending };
        let starts = records.iter().map(|Placed { record, .. }| Start {
            values: model.key.iter().map(|part| record.row.get(*part).clone()).collect(),
            after: None,
        });
        let found = self.api.backend.walk(relation.target, walk, starts.collect(), DEFAULT_LIMIT);
        match found.await {
            Ok(listings) => {
                let is_live = |stored: &Stored| {
                    stored.record.as_ref().is_ok_and(|record| !record.meta.deleted)
                };
                let live =
                    listings.into_iter().map(|listing| listing.rows.into_iter().find(is_live));
                live.map(|stored| stored.map(|stored| stored.key)).collect()
            }
            Err(error) => {
                let error = RemoteError::from(&error);
                for Placed { path, .. } in records {
                    self.fail(at_path(&error, field, &path.key(&field.key)));
                }
                vec![None; records.len()]
            }
        }
    }

    /// For each record the connection of those that point at it.
    async fn children(
        &self,
        model: &Model,
        relation: &Relation,
        records: &[&Placed],
        field: &Selected,
        default: usize,
    ) -> Vec<Json> {
        let target = relation.target;
        let Ok(sight) = self.sight(target, Action::List, (field, &model.name)) else {
            records.iter().for_each(|each| self.fail_hidden(model, field, &each.path, false));
            return vec![Json::Null; records.len()];
        };
        let way = Way::of_children(self.model(target), relation);
        let by = way.fields();
        let runs = self.child_runs(model, relation, way, records, field, default).await;
        let read = runs.and_then(|runs| {
            let filter = self.api.filters.read(target, field.argument("filter"))?;
            Ok((runs, Wanted::new(sight, filter).found_by(&by)))
        });
        match read {
            Ok((runs, wanted)) => self.connections(target, runs, &wanted, field).await,
            Err(error) => {
                for Placed { path, .. } in records {
                    self.fail(at_path(&error, field, &path.key(&field.key)));
                }
                vec![Json::Null; records.len()]
            }
        }
    }

    /// How many related records a page holds where the request says nothing.
    fn usual_limit(&self, id: ModelId, relation: &Relation) -> usize {
        let limits = &self.api.rules.model(id).limits;
        let own = limits.iter().find(|(name, _)| *name == relation.name);
        own.and_then(|(_, limit)| usize::try_from(*limit).ok()).unwrap_or(DEFAULT_LIMIT)
    }

    async fn child_runs(
        &self,
        model: &Model,
        relation: &Relation,
        way: Way,
        records: &[&Placed],
        field: &Selected,
        default: usize,
    ) -> Result<Vec<Run>, RemoteError> {
        let target = self.model(relation.target);
        let keys = KeyArguments { models: self.api.models(), model: target, way: &way };
        let range = keys.read_range(field)?;
        let walk = Walk { way, range, direction: direction(field) };
        let order = order_of(&walk);
        let (limit, token) = page(field, default)?;
        let after = after(field, token, &order)?;
        let starts = records.iter().map(|Placed { record, .. }| Start {
            values: model.key.iter().map(|part| record.row.get(*part).clone()).collect(),
            after: after.clone(),
        });
        let starts: Vec<Start> = starts.collect();
        let mut listings = Vec::with_capacity(starts.len());
        for starts in starts.chunks(PARENTS_AT_ONCE) {
            let (walk, starts) = (walk.clone(), starts.to_vec());
            let found = self.api.backend.walk(relation.target, walk, starts, limit).await;
            let found = found.map_err(|error| RemoteError::from(&error))?;
            self.count(found.iter().map(|listing| listing.rows.len()).sum())?;
            listings.extend(found);
        }
        let runs = listings.into_iter().zip(records).map(|(listing, Placed { path, .. })| {
            Run::of(listing, &order, field, path.key(&field.key))
        });
        Ok(runs.collect())
    }

    /// Shows runs of one model's rows as connections. Rows that are not wanted are left out, so
    /// that a page may be short (contract 2.4), and so are those that cannot be read, with an error
    /// for each.
    pub(super) async fn connections(
        &self,
        model: ModelId,
        runs: Vec<Run>,
        wanted: &Wanted,
        field: &Selected,
    ) -> Vec<Json> {
        let items = field.below("items").next();
        let (items_field, of) = (items.unwrap_or(field), self.model(model));
        let mut lengths = Vec::with_capacity(runs.len());
        let mut placed = Vec::new();
        let mut heads = Vec::with_capacity(runs.len());
        for run in runs {
            let path = run.path.key(&items_field.key);
            let rows = run.rows.into_iter().enumerate();
            let rows = rows.filter_map(|(index, stored)| {
                self.readable(stored, path.index(index), items_field)
            });
            let before = placed.len();
            placed.extend(rows.filter_map(|(record, path)| wanted.place(of, record, path)));
            lengths.push(placed.len() - before);
            let next_token = run.next_token.and_then(|token| self.close_token(field, token));
            heads.push((next_token, run.started_at));
        }
        let mut shown = Vec::new();
        for items in field.below("items") {
            shown.push(self.records(model, placed.clone(), &items.fields).await.into_iter());
        }
        let connections =
            heads.into_iter().zip(lengths).map(|((next_token, started_at), length)| {
                let mut lists = shown.iter_mut();
                let members = field.fields.iter().map(|selected| {
                    let json = match selected.name.as_str() {
                        // What could not be shown is among the errors; clients need no gap for it.
                        "items" => lists
                            .next()
                            .map(|list| list.take(length).filter(|item| !item.is_null()).collect()),
                        "nextToken" => next_token.clone().map(Json::from),
                        "startedAt" => started_at.map(|moment| Json::from(moment.0)),
                        // `__typename` is all that is left.
                        _ => Some(Json::from(espressync_wire::names::connection(of))),
                    };
                    (selected.key.clone(), json.unwrap_or_default())
                });
                Json::Object(members.collect())
            });
        connections.collect()
    }

    fn readable(&self, stored: Stored, path: Path, field: &Selected) -> Option<(Record, Path)> {
        match stored.record {
            Ok(record) => Some((record, path)),
            Err(reason) => {
                self.fail(at_path(&unreadable(reason), field, &path));
                None
            }
        }
    }
}
