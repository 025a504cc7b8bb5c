use espressync_model::remote::RemoteError;
use espressync_model::{Action, Key, ModelId, Timestamp};
use espressync_resolver::{SyncSource, sync_source};
use espressync_wire::json::value_from_json;
use futures::future::join_all;
use serde_json::{Map, Value as Json};

use super::Root;
use super::access::{Wanted, unauthorized};
use super::document::Selected;
use super::errors::{bad_argument, invalid, of_field};
use super::execution::Execution;
use super::path::Path;
use super::records::Run;
use super::token::Token;
use crate::backend::Stored;

/// The type whose fields read.
const QUERY: &str = "Query";

const DEFAULT_LIMIT: usize = 100;

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

    async fn list(&self, field: &Selected, model: ModelId) -> Result<Json, RemoteError> {
        let sight = self.sight(model, Action::List, (field, QUERY))?;
        let filter = self.api.filters.read(model, field.argument("filter"))?;
        let (limit, token) = page(field)?;
        let after = after(field, token)?;
        let listing = self.api.backend.list(model, after, limit).await;
        let listing = listing.map_err(|error| RemoteError::from(&error))?;
        let next = listing.next.map(|key| Token::After(key).to_text(&field.name));
        let run = Run {
            rows: listing.rows,
            next_token: next,
            started_at: None,
            path: Path::root(&field.key),
        };
        Ok(self
            .connections(model, vec![run], &Wanted::new(sight, filter), field)
            .await
            .pop()
            .unwrap_or_default())
    }

    /// A page of a sync query (contract 4.5). The moment it begins is taken before anything is
    /// read and repeated on each page.
    async fn sync(&self, field: &Selected, model: ModelId) -> Result<Json, RemoteError> {
        let sight = self.sight(model, Action::Sync, (field, QUERY))?;
        let filter = self.api.filters.read(model, field.argument("filter"))?;
        let (limit, token) = page(field)?;
        let last_sync = field.argument("lastSync").as_i64().map(Timestamp);
        let (token, source) = self.sync_start(field, token, last_sync)?;
        let (backend, started_at) = (&self.api.backend, token.started_at);
        let (rows, next) = match (source, token.after) {
            (SyncSource::Base, after) => {
                if last_sync.is_some_and(|since| since > Timestamp::ZERO) {
                    self.read_base(&field.key);
                }
                let after = after.map(|token| match token {
                    Token::After(key) | Token::Base { after: key, .. } => key,
                    Token::Delta { .. } => Key::from(""),
                });
                let listing = backend.list(model, after, limit).await;
                let listing = listing.map_err(|error| RemoteError::from(&error))?;
                (listing.rows, listing.next.map(|after| Token::Base { started_at, after }))
            }
            (SyncSource::Delta(since), after) => {
                let after = after.and_then(|token| match token {
                    Token::Delta { after, .. } => Some(after),
                    Token::After(_) | Token::Base { .. } => None,
                });
                let changes = backend.changes(model, since, after, limit).await;
                let changes = changes.map_err(|error| RemoteError::from(&error))?;
                (changes.rows, changes.next.map(|after| Token::Delta { started_at, after }))
            }
        };
        let run = Run {
            rows,
            next_token: next.map(|token| token.to_text(&field.name)),
            started_at: Some(started_at),
            path: Path::root(&field.key),
        };
        Ok(self
            .connections(model, vec![run], &Wanted::new(sight, filter), field)
            .await
            .pop()
            .unwrap_or_default())
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
            Some(Token::After(_)) => {
                Err(invalid(format!("nextToken is not one that {} gave", field.name)))
            }
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

/// The key after which a list goes on.
pub(super) fn after(field: &Selected, token: Option<Token>) -> Result<Option<Key>, RemoteError> {
    match token {
        None => Ok(None),
        Some(Token::After(key)) => Ok(Some(key)),
        Some(Token::Base { .. } | Token::Delta { .. }) => {
            Err(invalid(format!("nextToken is not one that {} gave", field.name)))
        }
    }
}

/// The `limit` and `nextToken` of a field.
pub(super) fn page(field: &Selected) -> Result<(usize, Option<Token>), RemoteError> {
    let json = field.argument("limit");
    let limit = match json.as_u64().and_then(|limit| usize::try_from(limit).ok()) {
        Some(limit) if limit > 0 => limit.min(MAX_LIMIT),
        None if json.is_null() => DEFAULT_LIMIT,
        _ => return Err(invalid(format!("limit should be at least 1, found {json}"))),
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
