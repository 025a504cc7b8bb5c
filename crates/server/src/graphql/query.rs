use espressync_model::remote::RemoteError;
use espressync_model::{Action, Direction, Key, ModelId, Timestamp};
use espressync_resolver::{Sight, SyncSource, sync_source};
use espressync_wire::json::value_from_json;
use futures::future::join_all;
use serde_json::{Map, Value as Json};

use super::Root;
use super::access::{Wanted, unauthorized};
use super::document::Selected;
use super::errors::{bad_argument, invalid, of_field};
use super::execution::Execution;
use super::filter::Filter;
use super::keys::{KeyArguments, direction};
use super::path::Path;
use super::plan::Plan;
use super::records::Run;
use super::token::{Token, foreign};
use crate::backend::{BackendError, Listing, Place, Start, Stored, Walk};
use crate::ways::Way;

/// The type whose fields read.
const QUERY: &str = "Query";

/// How many records a page holds where nothing is said.
pub(super) const DEFAULT_LIMIT: usize = 100;

/// AppSync's maximum for sync; a larger limit is taken for this one.
const MAX_LIMIT: usize = 1000;

impl Execution<'_> {
    /// Answers a query's fields, all at once. `introspection` holds those about the schema.
    pub(super) async fn query(&self, fields: &[Selected], introspection: Json) -> Json {
        let answers = join_all(fields.iter().map(|field| async {
            let answered = match self.api.roots.get(&field.name) {
                Some(Root::Get(model)) => self.get(field, *model).await,
                Some(Root::List(model)) => self.list(field, *model).await,
                Some(Root::Sync(model)) => self.sync(field, *model).await,
                Some(Root::Index(model, index)) => self.index(field, *model, *index).await,
                Some(Root::Mutate(..) | Root::Subscribe(..)) | None => Ok(match &*field.name {
                    "__typename" => Json::from("Query"),
                    _ => introspection.get(&field.key).cloned().unwrap_or_default(),
                }),
            };
            answered.unwrap_or_else(|error| {
                self.fail(of_field(&error, field, &Json::Null));
                Json::Null
            })
        }));
        let keys = fields.iter().map(|field| field.key.clone());
        let data: Map<String, Json> = keys.zip(answers.await).collect();
        Json::Object(data)
    }

    async fn get(&self, field: &Selected, id: ModelId) -> Result<Json, RemoteError> {
        let (model, sight) = (self.model(id), self.sight(id, Action::Get, (field, QUERY))?);
        let values = model.key.iter().map(|part| {
            let part = model.at(*part);
            let json = field.argument(&part.name);
            value_from_json(self.api.models(), &model.name, part, json)
                .map_err(|error| bad_argument(&error))
        });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        // An empty key is nobody's.
        let Some(key) = Key::of(&values) else { return Ok(Json::Null) };
        let found = self.api.backend.get(id, vec![key]).await;
        let found = found.map_err(|error| RemoteError::from(&error))?.pop().flatten();
        let Some(Stored { record, .. }) = found else { return Ok(Json::Null) };
        let record = record.map_err(unreadable)?;
        let placed = self.place(id, &sight, record, Path::root(&field.key));
        let records = vec![placed.ok_or_else(|| unauthorized(&field.name, QUERY))?];
        Ok(self.records(id, records, &field.fields).await.pop().unwrap_or_default())
    }

    async fn list(&self, field: &Selected, id: ModelId) -> Result<Json, RemoteError> {
        let sight = self.sight(id, Action::List, (field, QUERY))?;
        let model = self.model(id);
        if !model.has_managed_id() {
            let way = Way::of_key(model);
            let keys = KeyArguments { models: self.api.models(), model, way: &way };
            keys.refuse_direction(field)?;
            if !keys.read_hash(field)?.is_null() {
                return self.by_key(field, id, keys, sight).await;
            }
            keys.refuse_without_hash(field)?;
        }
        let filter = self.api.filters.read(id, field.argument("filter"))?;
        let (limit, token) = page(field, DEFAULT_LIMIT)?;
        let after = after(field, token, KEY_ORDER)?.map(|place| place.key);
        let listing = self.api.backend.list(id, after, limit).await;
        let listing = listing.map_err(|error| RemoteError::from(&error))?;
        let run = Run::of(listing, KEY_ORDER, field, Path::root(&field.key));
        self.show_run(field, id, run, Wanted::new(sight, filter)).await
    }

    /// The query over an index.
    async fn index(
        &self,
        field: &Selected,
        id: ModelId,
        index: usize,
    ) -> Result<Json, RemoteError> {
        let sight = self.sight(id, Action::List, (field, QUERY))?;
        let model = self.model(id);
        let way = Way::of_index(&model.indexes[index]);
        let keys = KeyArguments { models: self.api.models(), model, way: &way };
        keys.refuse_direction(field)?;
        self.by_key(field, id, keys, sight).await
    }

    /// The records that a key's arguments lead to, in its order.
    async fn by_key(
        &self,
        field: &Selected,
        id: ModelId,
        keys: KeyArguments<'_>,
        sight: Sight,
    ) -> Result<Json, RemoteError> {
        let filter = self.api.filters.read(id, field.argument("filter"))?;
        let (limit, token) = page(field, DEFAULT_LIMIT)?;
        let walk = Walk {
            way: keys.way.clone(),
            range: keys.read_range(field)?,
            direction: direction(field),
        };
        let order = order_of(&walk);
        let start =
            Start { values: vec![keys.read_hash(field)?], after: after(field, token, &order)? };
        let listing = self.walk(id, walk, start, limit).await?;
        let run = Run::of(listing, &order, field, Path::root(&field.key));
        let wanted = Wanted::new(sight, filter).found_by(&keys.way.fields());
        self.show_run(field, id, run, wanted).await
    }

    async fn walk(
        &self,
        id: ModelId,
        walk: Walk,
        start: Start,
        limit: usize,
    ) -> Result<Listing, RemoteError> {
        // A key of one field leads to one record, for which there is no index but the key itself.
        let is_key = walk.way.sort.is_empty() && walk.way.equal == self.model(id).key;
        if let ([value], true) = (start.values.as_slice(), is_key) {
            let keys = Key::of([value]).into_iter().collect();
            let found = self.api.backend.get(id, keys).await;
            let found = found.map_err(|error| RemoteError::from(&error))?;
            return Ok(Listing { rows: found.into_iter().flatten().collect(), next: None });
        }
        let found = self.api.backend.walk(id, walk, vec![start], limit).await;
        let found = found.map_err(|error| RemoteError::from(&error))?.pop();
        Ok(found.unwrap_or_default())
    }

    async fn show_run(
        &self,
        field: &Selected,
        id: ModelId,
        run: Run,
        wanted: Wanted,
    ) -> Result<Json, RemoteError> {
        self.count(run.rows.len())?;
        Ok(self.connections(id, vec![run], &wanted, field).await.pop().unwrap_or_default())
    }

    /// A page of a sync query (contract 4.5). The moment it begins is taken before anything is
    /// read and repeated on each page.
    async fn sync(&self, field: &Selected, model: ModelId) -> Result<Json, RemoteError> {
        let sight = self.sight(model, Action::Sync, (field, QUERY))?;
        let filter = self.api.filters.read(model, field.argument("filter"))?;
        let (limit, token) = page(field, DEFAULT_LIMIT)?;
        let last_sync = field.argument("lastSync").as_i64().map(Timestamp);
        let (start, source) = self.sync_start(field, token, last_sync)?;
        self.read_page(source);
        let started_at = start.started_at;
        let changes = match source {
            SyncSource::Base => None,
            SyncSource::Delta(since) => self.sync_delta(model, since, &start, limit).await?,
        };
        let (rows, next) = match changes {
            Some(changes) => changes,
            None => {
                if last_sync.is_some_and(|since| since > Timestamp::ZERO) {
                    self.read_base(&field.key);
                }
                self.sync_base(model, &filter, &start, limit).await?
            }
        };
        let run = Run {
            rows,
            next_token: next.map(|token| token.to_text(&field.name)),
            started_at: Some(started_at),
            path: Path::root(&field.key),
        };
        self.show_run(field, model, run, Wanted::new(sight, filter)).await
    }

    /// A page of the journal; `None` when it has been swept meanwhile, of changes that are wanted.
    /// Then the query goes on with all records, from the first, which tell those changes too:
    /// `aws-amplify` would ask for ever with a token that is refused.
    async fn sync_delta(
        &self,
        id: ModelId,
        since: Timestamp,
        start: &SyncStart,
        limit: usize,
    ) -> Result<Option<(Vec<Stored>, Option<Token>)>, RemoteError> {
        let after = match start.after {
            Some(Token::Delta { after, .. }) => Some(after),
            _ => None,
        };
        match self.api.backend.changes(id, since, after, limit).await {
            Ok(changes) => {
                let started_at = start.started_at;
                let next = changes.next.map(|after| Token::Delta { started_at, after });
                Ok(Some((changes.rows, next)))
            }
            Err(BackendError::JournalGone) => Ok(None),
            Err(error) => Err(RemoteError::from(&error)),
        }
    }

    /// A page of the base table: of what the filter's plan leads to. A token of another order,
    /// which a schema that has changed since can bring about, begins anew: what comes twice does
    /// no harm.
    async fn sync_base(
        &self,
        id: ModelId,
        filter: &Filter,
        start: &SyncStart,
        limit: usize,
    ) -> Result<(Vec<Stored>, Option<Token>), RemoteError> {
        let plan = Plan::of(self.api.models(), id, filter.predicate());
        let order = match &plan {
            Plan::One(_) | Plan::All => KEY_ORDER.to_owned(),
            Plan::Some { walk, .. } => order_of(walk),
        };
        let after = match &start.after {
            Some(Token::Base { order: of, place, .. }) if *of == order => Some(place.clone()),
            _ => None,
        };
        let backend = &self.api.backend;
        let listing = match plan {
            Plan::One(key) => {
                let found = backend.get(id, vec![key]).await;
                let found = found.map_err(|error| RemoteError::from(&error))?;
                Listing { rows: found.into_iter().flatten().collect(), next: None }
            }
            Plan::Some { walk, values } => {
                self.walk(id, walk, Start { values, after }, limit).await?
            }
            Plan::All => {
                let listing = backend.list(id, after.map(|place| place.key), limit).await;
                listing.map_err(|error| RemoteError::from(&error))?
            }
        };
        let started_at = start.started_at;
        let next = listing.next.map(|place| Token::Base { started_at, order, place });
        Ok((listing.rows, next))
    }

    /// When the query began and what it reads: chosen on the first page, kept by the token.
    fn sync_start(
        &self,
        field: &Selected,
        token: Option<Token>,
        last_sync: Option<Timestamp>,
    ) -> Result<(SyncStart, SyncSource), RemoteError> {
        match token {
            None => {
                let started_at = self.api.backend.horizon();
                let source = self.choose_source(last_sync, started_at);
                Ok((SyncStart { started_at, after: None }, source))
            }
            Some(token @ Token::Base { started_at, .. }) => {
                Ok((SyncStart { started_at, after: Some(token) }, SyncSource::Base))
            }
            Some(token @ Token::Delta { started_at, .. }) => {
                let since = last_sync.unwrap_or(Timestamp::ZERO);
                Ok((SyncStart { started_at, after: Some(token) }, SyncSource::Delta(since)))
            }
            Some(Token::After { .. }) => Err(foreign(&field.name)),
        }
    }

    /// The journal serves what it holds: not what came before it began, and not what a client
    /// takes for the future, who has last asked another server or this one before its clock was
    /// set back.
    fn choose_source(&self, last_sync: Option<Timestamp>, now: Timestamp) -> SyncSource {
        let held = self.api.backend.journal_start()..=now;
        let last_sync = last_sync.filter(|since| held.contains(since));
        sync_source(last_sync, now, self.api.window_ms)
    }
}

/// Where a sync query stands.
struct SyncStart {
    started_at: Timestamp,
    after: Option<Token>,
}

/// The name of the order by keys alone.
const KEY_ORDER: &str = "";

/// The name of a walk's order, which its tokens bear.
pub(super) fn order_of(walk: &Walk) -> String {
    let sign = match walk.direction {
        Direction::Ascending => '+',
        Direction::Descending => '-',
    };
    format!("{}{sign}", walk.way.name)
}

/// The place after which a list in this order goes on.
pub(super) fn after(
    field: &Selected,
    token: Option<Token>,
    order: &str,
) -> Result<Option<Place>, RemoteError> {
    match token {
        None => Ok(None),
        Some(Token::After { order: of, place }) if of == order => Ok(Some(place)),
        Some(_) => Err(foreign(&field.name)),
    }
}

/// The `limit` and `nextToken` of a field.
pub(super) fn page(
    field: &Selected,
    default: usize,
) -> Result<(usize, Option<Token>), RemoteError> {
    let json = field.argument("limit");
    let limit = json.as_i64().and_then(|limit| i32::try_from(limit).ok());
    let limit = match limit.and_then(|limit| usize::try_from(limit).ok()) {
        Some(limit) if limit > 0 => limit.min(MAX_LIMIT),
        None if json.is_null() => default.min(MAX_LIMIT),
        _ => return Err(invalid(format!("limit should be at least 1 and an Int, found {json}"))),
    };
    let token = field.argument("nextToken").as_str();
    let token = token.map(|text| Token::read(&field.name, text)).transpose()?;
    Ok((limit, token))
}

/// A record that is stored and cannot be read: an operator's to mend.
pub(super) fn unreadable(reason: String) -> RemoteError {
    use espressync_model::remote::RemoteErrorKind;
    RemoteError::new(
        RemoteErrorKind::Unavailable,
        format!("a stored record is unreadable: {reason}"),
    )
}
