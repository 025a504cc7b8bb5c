use async_graphql::dynamic::{
    Enum, Field as OutputField, FieldFuture, InputValue, Object, Scalar as ScalarType, Schema,
    SchemaBuilder, SchemaError, Subscription, SubscriptionField, SubscriptionFieldFuture, Type,
    TypeRef,
};
use async_graphql::{Error, Value};
use espressync_model::remote::Operation;
use espressync_model::{
    BaseType, Field, Model, ModelId, ObjectType, RelationKind, Scalar, Schema as Models,
};
use espressync_resolver::Rules;
use espressync_wire::names;
use futures::stream;

use super::inputs;
use super::subscription::owner_fields;
use super::validation::OnlyIntrospection;

/// The operations that change records and so are told.
pub(super) const OPERATIONS: [Operation; 3] =
    [Operation::Create, Operation::Update, Operation::Delete];

/// Builds the API's types (contract 2): the library checks requests against them and answers
/// introspection. What resolves a field is ours (see [`Execution`](super::execution)), so the
/// fields here resolve to nothing.
///
/// # Errors
/// Two types of one name, which the schema's own names can cause: `ModelXConnection`.
pub(super) fn build(rules: &Rules) -> Result<Schema, SchemaError> {
    let models = rules.schema();
    let mut builder = Schema::build("Query", Some("Mutation"), Some("Subscription"));
    let mut query = Object::new("Query");
    let mut mutation = Object::new("Mutation");
    let mut subscription = Subscription::new("Subscription");
    for (id, model) in models.models() {
        builder = builder.register(record(models, id)).register(connection(model));
        builder = add_all(builder, inputs::of_model(models, model));
        for field in query_fields(models, model) {
            query = query.field(field);
        }
        for operation in OPERATIONS {
            mutation = mutation.field(mutation_field(model, operation));
            let owners = owner_fields(model, &rules.model(id).access);
            let field =
                owners.into_iter().fold(subscription_field(model, operation), |field, owner| {
                    let name = &model.at(owner).name;
                    field.argument(InputValue::new(name, TypeRef::named(TypeRef::STRING)))
                });
            subscription = subscription.field(field);
        }
    }
    for object in models.objects() {
        builder = builder.register(embedded(models, object));
        builder = add_all(builder, inputs::of_object(models, object));
    }
    for kind in models.enums() {
        builder = builder.register(Enum::new(&kind.name).items(kind.values.iter()));
        builder = add_all(builder, inputs::of_enum(kind));
    }
    builder = add_all(builder, inputs::of_scalars());
    builder = add_all(builder, scalars().map(Type::from).collect());
    builder = builder.register(query).register(mutation).register(subscription);
    builder.extension(OnlyIntrospection).finish()
}

fn add_all(mut builder: SchemaBuilder, types: Vec<Type>) -> SchemaBuilder {
    for each in types {
        builder = builder.register(each);
    }
    builder
}

/// AppSync's own scalars. Of those that are text the formats are checked with the next issue.
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

fn record(models: &Models, id: ModelId) -> Object {
    let model = models.model(id);
    let mut object = Object::new(&model.name);
    for field in &model.fields {
        object = object.field(output(&field.name, output_type(models, field)));
    }
    for relation in &model.relations {
        let target = models.model(relation.target);
        object = object.field(match relation.kind {
            RelationKind::HasMany => {
                let field = output(&relation.name, TypeRef::named(names::connection(target)));
                paged(field.argument(filter_argument(target)))
            }
            // A parent may be gone, and that must not take the child with it: never `!`.
            RelationKind::HasOne | RelationKind::BelongsTo => {
                output(&relation.name, TypeRef::named(&target.name))
            }
        });
    }
    object
        .field(output("_version", TypeRef::named_nn(TypeRef::INT)))
        .field(output("_deleted", TypeRef::named(TypeRef::BOOLEAN)))
        .field(output("_lastChangedAt", TypeRef::named_nn("AWSTimestamp")))
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

fn query_fields(models: &Models, model: &Model) -> [OutputField; 3] {
    let connection = || TypeRef::named(names::connection(model));
    let mut get = output(&names::get(model), TypeRef::named(&model.name));
    for field in &model.key {
        let field = model.at(*field);
        let of = TypeRef::named_nn(models.type_name(field.base));
        get = get.argument(InputValue::new(&field.name, of));
    }
    let list = output(&names::list(model), connection()).argument(filter_argument(model));
    let sync = output(&names::sync(model), connection()).argument(filter_argument(model));
    let last_sync = InputValue::new("lastSync", TypeRef::named("AWSTimestamp"));
    [get, paged(list), paged(sync).argument(last_sync)]
}

fn filter_argument(model: &Model) -> InputValue {
    InputValue::new("filter", TypeRef::named(names::filter(model)))
}

fn paged(field: OutputField) -> OutputField {
    field
        .argument(InputValue::new("limit", TypeRef::named(TypeRef::INT)))
        .argument(InputValue::new("nextToken", TypeRef::named(TypeRef::STRING)))
}

fn mutation_field(model: &Model, operation: Operation) -> OutputField {
    let input = TypeRef::named_nn(names::input(model, operation));
    let condition = TypeRef::named(names::condition(model));
    output(&names::mutation(model, operation), TypeRef::named(&model.name))
        .argument(InputValue::new("input", input))
        .argument(InputValue::new("condition", condition))
}

fn subscription_field(model: &Model, operation: Operation) -> SubscriptionField {
    let filter = TypeRef::named(names::subscription_filter(model));
    let name = names::subscription(model, operation);
    SubscriptionField::new(name, TypeRef::named(&model.name), |_| {
        SubscriptionFieldFuture::new(async { Ok(stream::empty::<Result<Value, Error>>()) })
    })
    .argument(InputValue::new("filter", filter))
}

/// The input type of a stored field's base type.
pub(super) fn input_name(models: &Models, base: BaseType) -> String {
    match base {
        BaseType::Object(_) => format!("{}Input", models.type_name(base)),
        BaseType::Scalar(_) | BaseType::Enum(_) => models.type_name(base).to_owned(),
    }
}
