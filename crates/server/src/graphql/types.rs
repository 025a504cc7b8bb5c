use async_graphql::dynamic::{
    Enum, Field as OutputField, FieldFuture, InputValue, Object, Scalar as ScalarType, Schema,
    SchemaBuilder, SchemaError, Subscription, SubscriptionField, SubscriptionFieldFuture, Type,
    TypeRef,
};
use async_graphql::{Error, Value};
use espressync_model::remote::Operation;
use espressync_model::{
    BaseType, Field, Model, ModelApi, ModelId, ObjectType, Offer, Relation, RelationKind, Scalar,
    Schema as Models,
};
use espressync_resolver::Rules;
use espressync_wire::names;
use futures::stream;

use super::inputs;
use super::keys::{self, KeyArguments};
use super::subscription::owner_fields;
use super::validation::OnlyIntrospection;
use crate::ways::{Way, ways};

/// The operations that change records and so are told.
pub(super) const OPERATIONS: [Operation; 3] =
    [Operation::Create, Operation::Update, Operation::Delete];

/// The mutations of a model. AppSync has the first three; an undelete, beside a delete, is ours.
pub(super) const MUTATIONS: [Operation; 4] =
    [Operation::Create, Operation::Update, Operation::Delete, Operation::Undelete];

/// Builds the API's types (contract 2): the library checks requests against them and answers
/// introspection. What resolves a field is ours (see [`Execution`](super::execution)), so the
/// fields here resolve to nothing.
///
/// # Errors
/// Two types of one name, which the schema's own names can cause: `ModelXConnection`.
pub(super) fn build(rules: &Rules) -> Result<Schema, SchemaError> {
    let models = rules.schema();
    let mut types = Vec::new();
    let mut query = Object::new("Query");
    let (mut mutations, mut subscriptions) = (Vec::new(), Vec::new());
    for (id, model) in models.models() {
        let of = ModelTypes { models, id, model, api: rules.model(id) };
        types.push(of.record().into());
        types.push(connection(model).into());
        types.extend(inputs::of_model(models, model, of.api));
        types.extend(of.key_types());
        query = of.queries().into_iter().fold(query, Object::field);
        mutations.extend(of.mutations());
        subscriptions.extend(of.subscriptions());
    }
    for object in models.objects() {
        types.push(embedded(models, object).into());
        types.extend(inputs::of_object(models, object));
    }
    for kind in models.enums() {
        types.push(Enum::new(&kind.name).items(kind.values.iter()).into());
    }
    types.extend(inputs::of_scalars());
    types.extend(scalars().map(Type::from));
    let has = |is_empty: bool, name| if is_empty { None } else { Some(name) };
    let mutation = has(mutations.is_empty(), "Mutation");
    let subscription = has(subscriptions.is_empty(), "Subscription");
    let mut builder = Schema::build("Query", mutation, subscription).register(query);
    if mutation.is_some() {
        builder =
            builder.register(mutations.into_iter().fold(Object::new("Mutation"), Object::field));
    }
    if subscription.is_some() {
        let root = Subscription::new("Subscription");
        builder = builder.register(subscriptions.into_iter().fold(root, Subscription::field));
    }
    add_all(builder, types).extension(OnlyIntrospection).finish()
}

fn add_all(mut builder: SchemaBuilder, types: Vec<Type>) -> SchemaBuilder {
    for each in types {
        builder = builder.register(each);
    }
    builder
}

/// AppSync's own scalars. Of those that are text the formats are checked when they are written, for
/// a filter may hold a part of one.
fn scalars() -> impl Iterator<Item = ScalarType> {
    let own = Scalar::ALL.iter().filter(|(_, name)| name.starts_with("AWS"));
    own.map(|(scalar, name)| {
        let is_number = *scalar == Scalar::AwsTimestamp;
        ScalarType::new(*name).validator(move |value| match value {
            Value::Number(number) => is_number && number.is_i64(),
            Value::String(_) => !is_number,
            Value::Null
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => false,
        })
    })
}

/// The type of a stored field as it is answered.
fn output_type(models: &Models, field: &Field) -> TypeRef {
    list_of(models.type_name(field.base), field, field.is_required)
}

/// A field's list and null marks around a type's name.
pub(super) fn list_of(name: &str, field: &Field, is_required: bool) -> TypeRef {
    match (field.is_list, field.is_element_required, is_required) {
        (false, _, false) => TypeRef::named(name),
        (false, _, true) => TypeRef::named_nn(name),
        (true, false, false) => TypeRef::named_list(name),
        (true, false, true) => TypeRef::named_list_nn(name),
        (true, true, false) => TypeRef::named_nn_list(name),
        (true, true, true) => TypeRef::named_nn_list_nn(name),
    }
}

fn output(name: &str, of: TypeRef) -> OutputField {
    OutputField::new(name, of, |_| FieldFuture::Value(None))
}

fn embedded(models: &Models, object: &ObjectType) -> Object {
    let fields = object.fields.iter();
    fields.fold(Object::new(&object.name), |built, field| {
        built.field(output(&field.name, output_type(models, field)))
    })
}

fn connection(model: &Model) -> Object {
    Object::new(names::connection(model))
        .field(output("items", TypeRef::named_list_nn(&model.name)))
        .field(output("nextToken", TypeRef::named(TypeRef::STRING)))
        .field(output("startedAt", TypeRef::named("AWSTimestamp")))
}

/// The types and fields of one model.
struct ModelTypes<'a> {
    models: &'a Models,
    id: ModelId,
    model: &'a Model,
    api: &'a ModelApi,
}

impl ModelTypes<'_> {
    fn record(&self) -> Object {
        let model = self.model;
        let mut object = Object::new(&model.name);
        for (id, field) in model.fields() {
            if !self.api.input_only.contains(&id) {
                object = object.field(output(&field.name, output_type(self.models, field)));
            }
        }
        for relation in &model.relations {
            let target = self.models.model(relation.target);
            object = object.field(match relation.kind {
                RelationKind::HasMany => self.children(&relation.name, target, relation),
                // A parent may be gone, and that must not take the child with it: never `!`.
                RelationKind::HasOne
                | RelationKind::HasOneByReference
                | RelationKind::BelongsTo => output(&relation.name, TypeRef::named(&target.name)),
            });
        }
        object
            .field(output("_version", TypeRef::named_nn(TypeRef::INT)))
            .field(output("_deleted", TypeRef::named(TypeRef::BOOLEAN)))
            .field(output("_lastChangedAt", TypeRef::named_nn("AWSTimestamp")))
    }

    fn children(&self, name: &str, target: &Model, relation: &Relation) -> OutputField {
        let way = Way::of_children(target, relation);
        let keys = KeyArguments { models: self.models, model: target, way: &way };
        let field = output(name, TypeRef::named(names::connection(target)));
        // The generator offers a condition only beside a foreign key of one field.
        let sort = keys.sort().filter(|_| relation.fields.len() == 1);
        let field = sort.into_iter().fold(field, OutputField::argument);
        let field = field.argument(filter_argument(target));
        paged(field.argument(keys::direction_argument()))
    }

    /// The types of the arguments by which this model's records are found.
    fn key_types(&self) -> Vec<Type> {
        let ways = ways(self.models, self.id);
        let has_key = !self.model.has_managed_id();
        let mut types: Vec<Type> = Vec::new();
        for way in &ways {
            types.extend(KeyArguments { models: self.models, model: self.model, way }.types());
        }
        if has_key || !ways.is_empty() {
            types.push(keys::direction_type());
        }
        types
    }

    fn queries(&self) -> Vec<OutputField> {
        let model = self.model;
        let connection = || TypeRef::named(names::connection(model));
        let mut fields = Vec::new();
        if let Some(name) = self.api.get.name(names::get(model)) {
            let mut get = output(&name, TypeRef::named(&model.name));
            for field in &model.key {
                let field = model.at(*field);
                let of = TypeRef::named_nn(self.models.type_name(field.base));
                get = get.argument(InputValue::new(&field.name, of));
            }
            fields.push(get);
        }
        if let Some(name) = self.api.list.name(names::list(model)) {
            fields.push(self.list(output(&name, connection())));
        }
        if let Some(name) = self.api.sync.name(names::sync(model)) {
            let sync = output(&name, connection()).argument(filter_argument(model));
            let last_sync = InputValue::new("lastSync", TypeRef::named("AWSTimestamp"));
            fields.push(paged(sync).argument(last_sync));
        }
        for index in &model.indexes {
            let Some(name) = &index.query_field else { continue };
            let way = Way::of_index(index);
            let keys = KeyArguments { models: self.models, model, way: &way };
            let field = output(name, connection()).argument(keys.hash(true));
            let field = keys.sort().into_iter().fold(field, OutputField::argument);
            let field = field.argument(keys::direction_argument());
            fields.push(paged(field.argument(filter_argument(model))));
        }
        fields
    }

    /// A list, by key where the key is the schema's own.
    fn list(&self, field: OutputField) -> OutputField {
        if self.model.has_managed_id() {
            return paged(field.argument(filter_argument(self.model)));
        }
        let way = Way::of_key(self.model);
        let keys = KeyArguments { models: self.models, model: self.model, way: &way };
        let field = field.argument(keys.hash(false));
        let field = keys.sort().into_iter().fold(field, OutputField::argument);
        let field = paged(field.argument(filter_argument(self.model)));
        field.argument(keys::direction_argument())
    }

    fn mutations(&self) -> Vec<OutputField> {
        let offered = MUTATIONS.iter().filter_map(|operation| {
            let usual = names::mutation(self.model, *operation);
            Some((*operation, offer(self.api, *operation).name(usual)?))
        });
        let condition = || TypeRef::named(names::condition(self.model));
        let fields = offered.map(|(operation, name)| {
            let input = TypeRef::named_nn(names::input(self.model, operation));
            let field = output(&name, TypeRef::named(&self.model.name))
                .argument(InputValue::new("input", input));
            match operation {
                Operation::Undelete => field,
                Operation::Create | Operation::Update | Operation::Delete => {
                    field.argument(InputValue::new("condition", condition()))
                }
            }
        });
        fields.collect()
    }

    fn subscriptions(&self) -> Vec<SubscriptionField> {
        let mut fields = Vec::new();
        for operation in OPERATIONS {
            for name in subscription_names(self.model, self.api, operation) {
                let of = TypeRef::named(&self.model.name);
                let mut field = SubscriptionField::new(name, of, |_| {
                    SubscriptionFieldFuture::new(async {
                        Ok(stream::empty::<Result<Value, Error>>())
                    })
                });
                let filter = TypeRef::named(names::subscription_filter(self.model));
                field = field.argument(InputValue::new("filter", filter));
                for owner in owner_fields(self.model, &self.api.access) {
                    let name = &self.model.at(owner).name;
                    field = field.argument(InputValue::new(name, TypeRef::named(TypeRef::STRING)));
                }
                fields.push(field);
            }
        }
        fields
    }
}

/// Whether and under which name an API offers an operation.
pub(super) fn offer(api: &ModelApi, operation: Operation) -> &Offer {
    match operation {
        Operation::Create => &api.create,
        Operation::Update => &api.update,
        Operation::Delete => &api.delete,
        Operation::Undelete if api.delete == Offer::Off => &Offer::Off,
        Operation::Undelete => &Offer::Usual,
    }
}

/// The names of the subscriptions to an operation.
pub(super) fn subscription_names(
    model: &Model,
    api: &ModelApi,
    operation: Operation,
) -> Vec<String> {
    let offers: &[Offer] = match operation {
        Operation::Create => &api.on_create,
        Operation::Update => &api.on_update,
        Operation::Delete => &api.on_delete,
        // It is told as an update.
        Operation::Undelete => &[],
    };
    let usual = names::subscription(model, operation);
    offers.iter().filter_map(|offer| offer.name(usual.clone())).collect()
}

fn filter_argument(model: &Model) -> InputValue {
    InputValue::new("filter", TypeRef::named(names::filter(model)))
}

fn paged(field: OutputField) -> OutputField {
    field
        .argument(InputValue::new("limit", TypeRef::named(TypeRef::INT)))
        .argument(InputValue::new("nextToken", TypeRef::named(TypeRef::STRING)))
}

/// The input type of a stored field's base type.
pub(super) fn input_name(models: &Models, base: BaseType) -> String {
    match base {
        BaseType::Object(_) => format!("{}Input", models.type_name(base)),
        BaseType::Scalar(_) | BaseType::Enum(_) => models.type_name(base).to_owned(),
    }
}
