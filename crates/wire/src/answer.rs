//! What a client reads from the server's HTTP answer.

use espressync_model::remote::{
    Answer, Mutation, RemoteError, RemoteErrorKind, Request, SyncPage, SyncRequest,
};
use espressync_model::{ModelId, Record, Schema, Timestamp};
use serde_json::Value as Json;

use crate::failure::{WireError, parse};
use crate::json::record_from_json;
use crate::{classify, document, names};

/// The header in which AWS names an error.
pub const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// An HTTP answer, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The status.
    pub status: u16,
    /// The header [`ERROR_TYPE_HEADER`].
    pub error_type: Option<&'a str>,
    /// The body.
    pub body: &'a str,
}

/// Reads the answer to a request.
///
/// # Errors
/// Why the whole request failed. Of a batch of mutations, [`RemoteErrorKind::Invalid`] says that
/// some part of the document was refused and nothing was carried out: sent one by one, each gets
/// its own answer.
pub fn read(schema: &Schema, request: &Request, reply: Reply<'_>) -> Result<Answer, RemoteError> {
    if let Request::Mutate(mutations) = request
        && mutations.len() > 1
        && reply.status == classify::TOO_LARGE
    {
        // Whoever said so, a proxy too: one by one they are smaller.
        let message = format!("{} mutations are too large for one request", mutations.len());
        return Err(RemoteError::new(RemoteErrorKind::Invalid, message));
    }
    let body = Body::parse(reply)?;
    match request {
        Request::Mutate(mutations) => body.mutations(schema, mutations).map(Answer::Mutate),
        Request::Sync(page) => body.page(schema, page).map(Answer::Sync),
        Request::Get(model, _) => body.record(schema, *model).map(Answer::Get),
    }
}

/// A GraphQL answer that came with a success.
struct Body(Json);

impl Body {
    fn parse(reply: Reply<'_>) -> Result<Self, RemoteError> {
        let body = parse("the answer", reply.body);
        if !(200..300).contains(&reply.status) {
            return Err(http_error(reply, &body.unwrap_or_default()));
        }
        let body = body?;
        if body.get("data").is_none() && first_error(&body).is_none() {
            let shape = WireError::shape("the answer", "an object with data or errors", &body);
            return Err(shape.into());
        }
        Ok(Self(body))
    }

    fn data(&self, name: &str) -> Option<&Json> {
        self.0.get("data")?.get(name).filter(|data| !data.is_null())
    }

    fn says_null(&self, name: &str) -> bool {
        self.0.get("data").and_then(|data| data.get(name)).is_some_and(Json::is_null)
    }

    fn errors(&self) -> impl Iterator<Item = GraphqlError<'_>> {
        self.0.get("errors").and_then(Json::as_array).into_iter().flatten().map(GraphqlError)
    }

    /// The first error of the whole answer, rather than of a field in it.
    fn whole_error(&self) -> Option<GraphqlError<'_>> {
        self.errors().find(|error| error.path().is_empty())
    }

    fn mutations(
        &self,
        schema: &Schema,
        mutations: &[Mutation],
    ) -> Result<Vec<Result<Record, RemoteError>>, RemoteError> {
        let nothing_done = self.0.get("data").is_none_or(Json::is_null);
        if let Some(error) = self.whole_error().filter(|_| nothing_done) {
            return Err(error.to_remote());
        }
        let answers = mutations.iter().enumerate().map(|(position, mutation)| {
            let name = document::alias(schema, mutations, position);
            self.mutation(schema, mutation.model, &name)
        });
        Ok(answers.collect())
    }

    fn mutation(&self, schema: &Schema, model: ModelId, name: &str) -> Result<Record, RemoteError> {
        if let Some(record) = self.data(name) {
            return Ok(record_from_json(schema, model, record)?);
        }
        let of_this = |error: &GraphqlError<'_>| error.is_of(name);
        match self.errors().find(of_this).or_else(|| self.whole_error()) {
            Some(error) => Err(error.to_remote_with_stored(schema, model)),
            None => Err(nothing_for(name)),
        }
    }

    fn page(&self, schema: &Schema, request: &SyncRequest) -> Result<SyncPage, RemoteError> {
        let name = names::sync(schema.model(request.model));
        // An error of the whole field beside an empty page must not pass for "there is nothing".
        if let Some(error) = self.errors().find(|error| error.path().len() < 2) {
            return Err(error.to_remote());
        }
        let page = self.data(&name).ok_or_else(|| self.first_or_nothing(&name))?;
        let items = page.get("items").and_then(Json::as_array);
        let items = items.ok_or_else(|| self.first_or_nothing(&format!("{name}.items")))?;
        let started_at = page.get("startedAt").unwrap_or(&Json::Null);
        let started_at = started_at.as_i64().ok_or_else(|| {
            WireError::shape(format!("{name}.startedAt"), "milliseconds", started_at)
        })?;
        let hidden = |error: &GraphqlError<'_>| error.kind() == RemoteErrorKind::Unauthorized;
        let mut unreadable: Vec<String> = (self.errors().filter(|error| !hidden(error)))
            .map(|error| error.message().to_owned())
            .collect();
        let mut records = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| !item.is_null()) {
            match record_from_json(schema, request.model, item) {
                Ok(record) => records.push(record),
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        Ok(SyncPage {
            records,
            next_token: page.get("nextToken").and_then(Json::as_str).map(ToOwned::to_owned),
            started_at: Timestamp(started_at),
            is_base: request.last_sync.is_some() && self.is_from_base(&name),
            unreadable,
        })
    }

    /// Our own server says which fields it read from its whole table (see
    /// [`base_extension`](crate::error::base_extension)); AWS does not.
    fn is_from_base(&self, name: &str) -> bool {
        let base = self.0.pointer("/extensions/espressync/base").and_then(Json::as_array);
        base.is_some_and(|fields| fields.iter().any(|field| field == name))
    }

    fn record(&self, schema: &Schema, model: ModelId) -> Result<Option<Record>, RemoteError> {
        let name = names::get(schema.model(model));
        match (self.data(&name), self.errors().next()) {
            (Some(record), _) => Ok(Some(record_from_json(schema, model, record)?)),
            (None, Some(error)) => Err(error.to_remote()),
            // That there is no such record must have been said: a mutation is given up for it.
            (None, None) if self.says_null(&name) => Ok(None),
            (None, None) => Err(nothing_for(&name)),
        }
    }

    fn first_or_nothing(&self, place: &str) -> RemoteError {
        self.errors().next().map_or_else(|| nothing_for(place), |error| error.to_remote())
    }
}

fn nothing_for(place: &str) -> RemoteError {
    let message = format!("the answer holds neither data nor an error for `{place}`");
    RemoteError::new(RemoteErrorKind::Malformed, message)
}

fn first_error(body: &Json) -> Option<GraphqlError<'_>> {
    body.get("errors")?.as_array()?.first().map(GraphqlError)
}

fn http_error(reply: Reply<'_>, body: &Json) -> RemoteError {
    let error = first_error(body);
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    let error_type = (reply.error_type.filter(|name| !name.is_empty()))
        .or_else(|| text("code"))
        .or_else(|| text("__type"))
        .or_else(|| error.as_ref().map(GraphqlError::error_type))
        .unwrap_or_default();
    let kind = classify::http_error(reply.status, error_type, is_graphql(body));
    let said = text("message").or_else(|| error.as_ref().map(GraphqlError::message));
    let message = match said.filter(|said| !said.is_empty()) {
        Some(said) => format!("HTTP {}: {said}", reply.status),
        None => format!("HTTP {}", reply.status),
    };
    RemoteError::new(kind, message)
}

/// Whether this is an answer as GraphQL servers give it. Gateways send lists of `errors` as well,
/// with other members beside it, or entries that have no message.
fn is_graphql(body: &Json) -> bool {
    let known = |name: &String| matches!(name.as_str(), "data" | "errors" | "extensions");
    body.as_object().is_some_and(|members| members.keys().all(known))
        && first_error(body).is_some_and(|error| error.has_words())
}

/// One entry of `errors`, in AppSync's form (contract 3.4) or GraphQL's own.
pub(crate) struct GraphqlError<'a>(pub(crate) &'a Json);

impl<'a> GraphqlError<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.0.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    pub(crate) fn error_type(&self) -> &'a str {
        self.text("errorType")
    }

    pub(crate) fn message(&self) -> &'a str {
        self.text("message")
    }

    fn has_words(&self) -> bool {
        !self.message().is_empty() || !self.error_type().is_empty()
    }

    fn path(&self) -> &'a [Json] {
        self.0.get("path").and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    fn is_of(&self, name: &str) -> bool {
        self.path().first().is_some_and(|first| first == name)
    }

    pub(crate) fn kind(&self) -> RemoteErrorKind {
        classify::graphql_error(self.error_type(), self.message())
    }

    /// For people: type, message and what the server says beside them.
    pub(crate) fn to_remote(&self) -> RemoteError {
        let parts = [self.error_type(), self.message(), self.text("errorInfo")];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        RemoteError::new(self.kind(), said.join(": "))
    }

    fn to_remote_with_stored(&self, schema: &Schema, model: ModelId) -> RemoteError {
        let error = self.to_remote();
        match self.0.get("data").map(|data| record_from_json(schema, model, data)) {
            Some(Ok(stored)) => error.with_stored(stored),
            Some(Err(_)) | None => error,
        }
    }
}
