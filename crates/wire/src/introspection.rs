//! The schema as `initSchema` of `aws-amplify/datastore` takes it (contract 7), from which its
//! model classes are made and all that it asks a server for.
//!
//! It is written in the form of custom primary keys: associations name their fields in arrays, and
//! foreign keys are fields of the models. Those that are part of inputs only cannot be selected,
//! so they are named by the association alone. Three things are decided in favour of data:
//!
//! - Each model names its key, `id` too: an id that the app gives is then kept, where Amplify's
//!   own generator would have it replaced unless the schema says `@primaryKey`.
//! - The version is of what records hold and how they point at each other. A browser drops its
//!   whole database when the version changes, what is not sent yet included; so neither the order
//!   of the schema's text, nor a new enum value, nor who may do what makes a difference.
//! - An owner is a field like any other where the schema declares it. One that only a rule names is
//!   none: the client asks for it by the rule, and never sends it.

use espressync_model::{
    AccessRule, AccessRules, Action, Allow, ApiSchema, BaseType, Field, FieldId, Model, ModelApi,
    ModelId, Provider, Relation, RelationKind, Schema, SubscriptionLevel,
};
use serde_json::{Map, Value as Json, json};

use crate::names::digest;

/// The form's own version, which clients check to be 3.2 or newer.
const CODEGEN_VERSION: &str = "3.4.4";

/// What the timestamps are called unless a schema says otherwise.
const TIMESTAMPS: [&str; 2] = ["createdAt", "updatedAt"];

/// What `initSchema` takes.
#[must_use]
pub fn introspection(api: &ApiSchema) -> Json {
    let schema = &api.schema;
    let mut models = named(schema.models().map(|(id, it)| (&it.name, model(api, id))));
    let objects = schema.objects().iter();
    let objects = named(objects.map(|it| {
        let fields = it.fields.iter().map(|each| (&each.name, field(schema, each)));
        (&it.name, json!({ "name": it.name, "fields": named(fields) }))
    }));
    let version = version(&json!([models, objects]));
    for (id, each) in schema.models() {
        let rules = rules(each, &api.model(id).access);
        let attributes = models.get_mut(&each.name).and_then(|it| it["attributes"].as_array_mut());
        if let (false, Some(attributes)) = (rules.is_empty(), attributes) {
            attributes.push(json!({ "type": "auth", "properties": { "rules": rules } }));
        }
    }
    let enums = schema.enums().iter();
    let enums = named(enums.map(|it| (&it.name, json!({ "name": it.name, "values": it.values }))));
    json!({
        "models": models, "enums": enums, "nonModels": objects,
        "codegenVersion": CODEGEN_VERSION, "version": version,
    })
}

fn named<'a>(parts: impl Iterator<Item = (&'a String, Json)>) -> Map<String, Json> {
    parts.map(|(name, part)| (name.clone(), part)).collect()
}

fn model(api: &ApiSchema, id: ModelId) -> Json {
    let (schema, it) = (&api.schema, api.schema.model(id));
    let offered = api.model(id);
    let own = |is_read_only| {
        let fields = it.fields().filter(move |(id, field)| {
            let is_hidden = offered.input_only.contains(id) || offered.owners.contains(id);
            field.is_read_only == is_read_only && !is_hidden
        });
        fields.map(|(_, each)| (&each.name, field(schema, each)))
    };
    let relations = it.relations.iter().map(|each| (&each.name, relation(schema, id, each)));
    json!({
        "name": it.name,
        "fields": named(own(false).chain(relations).chain(own(true))),
        "syncable": !it.is_local,
        "pluralName": it.plural,
        "attributes": attributes(it, offered),
    })
}

fn field(schema: &Schema, field: &Field) -> Json {
    let name = schema.type_name(field.base);
    let kind = match field.base {
        BaseType::Scalar(_) => json!(name),
        BaseType::Enum(_) => json!({ "enum": name }),
        BaseType::Object(_) => json!({ "nonModel": name }),
    };
    // What only the server writes, the client need not have.
    let is_required = field.is_required && !field.is_read_only;
    let mut out = json!({
        "name": field.name,
        "isArray": field.is_list,
        "type": kind,
        "isRequired": if field.is_list { field.is_element_required } else { is_required },
        "attributes": renamed(&field.formerly),
    });
    if field.is_list {
        out["isArrayNullable"] = json!(!is_required);
    }
    if field.is_read_only {
        out["isReadOnly"] = json!(true);
    }
    out
}

fn relation(schema: &Schema, owner: ModelId, relation: &Relation) -> Json {
    let target = schema.model(relation.target);
    let is_list = relation.kind == RelationKind::HasMany;
    let own = schema.model(owner);
    let association = schema.association(own, relation);
    let is_required = !relation.kind.is_held_by_target()
        && relation.fields.iter().all(|id| own.at(*id).is_required);
    let mut out = json!({
        "name": relation.name,
        "isArray": is_list,
        "type": { "model": target.name },
        "isRequired": is_required,
        "attributes": [],
        "association": match relation.kind {
            RelationKind::HasMany => json!({
                "connectionType": "HAS_MANY",
                "associatedWith": association.associated_with,
            }),
            RelationKind::HasOneByReference => json!({
                "connectionType": "HAS_ONE",
                "associatedWith": association.associated_with,
            }),
            RelationKind::HasOne => json!({
                "connectionType": "HAS_ONE",
                "associatedWith": association.associated_with,
                "targetNames": association.target_names,
            }),
            RelationKind::BelongsTo => json!({
                "connectionType": "BELONGS_TO",
                "targetNames": association.target_names,
            }),
        },
    });
    if is_list {
        out["isArrayNullable"] = json!(true);
    }
    out
}

fn names<'a>(model: &'a Model, fields: &[FieldId]) -> Vec<&'a str> {
    fields.iter().map(|field| model.at(*field).name.as_str()).collect()
}

/// Earlier names, which Amplify's library passes over and ours goes by.
fn renamed(from: &[String]) -> Vec<Json> {
    let renamed = || json!({ "type": "renamed", "properties": { "from": from } });
    if from.is_empty() { Vec::new() } else { vec![renamed()] }
}

fn attributes(model: &Model, offered: &ModelApi) -> Vec<Json> {
    let key = json!({ "fields": names(model, &model.key) });
    let mut attributes = vec![
        json!({ "type": "model", "properties": properties(model, offered) }),
        json!({ "type": "key", "properties": key }),
    ];
    for index in &model.indexes {
        let mut properties = json!({ "name": index.name });
        if let Some(query) = &index.query_field {
            properties["queryField"] = json!(query);
        }
        properties["fields"] = json!(names(model, &index.fields));
        attributes.push(json!({ "type": "key", "properties": properties }));
    }
    attributes.extend(renamed(&model.formerly));
    attributes
}

/// Renamed timestamps, which clients leave out when they compare what they sent with what came
/// back, and the level of subscriptions, by which they open none.
fn properties(model: &Model, offered: &ModelApi) -> Json {
    let mut properties = json!({});
    let stamps = [offered.created_at, offered.updated_at];
    let names = stamps.map(|field| field.map(|field| model.at(field).name.as_str()));
    let is_usual = |(name, usual): (&Option<&str>, &str)| name.is_none_or(|name| name == usual);
    if !names.iter().zip(TIMESTAMPS).all(is_usual) {
        let names = TIMESTAMPS.iter().zip(names).filter_map(|(usual, name)| Some((*usual, name?)));
        properties["timestamps"] = names.collect();
    }
    match offered.level {
        SubscriptionLevel::On => {}
        SubscriptionLevel::Public => properties["subscriptions"] = json!({ "level": "public" }),
        SubscriptionLevel::Off => properties["subscriptions"] = json!({ "level": "off" }),
    }
    properties
}

/// The rules on the type and on its fields: a client asks nothing of them but how to sign in and
/// whose records to listen to.
fn rules(model: &Model, access: &AccessRules) -> Vec<Json> {
    access.model.iter().map(|it| rule(model, it)).collect()
}

fn rule(model: &Model, rule: &AccessRule) -> Json {
    let mut out = json!({ "allow": null, "provider": provider(rule.provider) });
    let allow = match &rule.allow {
        Allow::Public => "public",
        Allow::Private => "private",
        Allow::Custom => "custom",
        Allow::Owner { field, claims } => {
            out["ownerField"] = json!(model.at(*field).name);
            out["identityClaim"] = json!(identity_claim(claims));
            "owner"
        }
        Allow::Groups { groups, claim } => {
            out["groups"] = json!(groups);
            out["groupClaim"] = json!(claim);
            out["groupField"] = json!("groups");
            "groups"
        }
        Allow::GroupsOf { field, claim } => {
            out["groupsField"] = json!(model.at(*field).name);
            out["groupField"] = json!(model.at(*field).name);
            out["groupClaim"] = json!(claim);
            "groups"
        }
    };
    out["allow"] = json!(allow);
    out["operations"] = json!(operations(&rule.actions));
    out
}

/// A client reads one claim. The default of two stands for the one that it has always read.
fn identity_claim(claims: &[String]) -> String {
    match claims {
        [sub, name] if sub == "sub" && name == "username" => "cognito:username".to_owned(),
        _ => claims.join("::"),
    }
}

fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::ApiKey => "apiKey",
        Provider::Iam => "iam",
        Provider::IdentityPool => "identityPool",
        Provider::Oidc => "oidc",
        Provider::UserPools => "userPools",
        Provider::Function => "function",
    }
}

/// All that `read` stands for is called so.
fn operations(actions: &[Action]) -> Vec<&'static str> {
    let reads = Action::READ.iter().all(|action| actions.contains(action));
    let mut names = Vec::new();
    for action in actions {
        let name = match action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            _ if reads => "read",
            Action::Get => "get",
            Action::List => "list",
            Action::Sync => "sync",
            Action::Listen => "listen",
            Action::Search => "search",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn version(parts: &Json) -> String {
    digest(&sorted(parts).to_string())
}

/// The same, whatever the order of the schema's text.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            Json::Object(members.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Json::Array(elements) => Json::Array(elements.iter().map(sorted).collect()),
        _ => json.clone(),
    }
}
