//! The types of a schema's models for TypeScript, and the modules that make their classes, in the
//! form of the `models` folder that Amplify's generator writes. Relations are lazy, as they are in
//! every version of the library since 5.

use std::fmt::Write as _;

use crate::{ApiSchema, BaseType, Field, Model, ModelApi, RelationKind, Scalar, Schema};

/// The head of each file.
const HEAD: &str = "// Written by espressync codegen from the schema. Change the schema instead.\n";

/// What a module takes from the library: types only, and what makes the classes.
const TYPES: &str = "AsyncCollection, AsyncItem, CompositeIdentifier, CustomIdentifier, ModelInit, \
                     MutableModel, OptionallyManagedIdentifier, __modelMeta__";

/// `index.d.ts`, beside [`javascript`].
#[must_use]
pub fn declarations(api: &ApiSchema, package: &str) -> String {
    let mut out = HEAD.to_owned();
    line!(out, "import type {{ {TYPES} }} from {package:?};");
    types(&mut out, api, "export declare enum");
    for (name, class) in classes(&api.schema) {
        line!(out);
        line!(out, "export declare const {name}: {class};");
    }
    out
}

/// `index.js`: the classes and the enums of the schema in `schema.js`.
#[must_use]
pub fn javascript(schema: &Schema, package: &str) -> String {
    let mut out = HEAD.to_owned();
    line!(out, "import {{ initSchema }} from {package:?};");
    line!(out, "import {{ schema }} from \"./schema.js\";");
    for kind in schema.enums() {
        line!(out);
        line!(out, "export const {} = {{", kind.name);
        for value in &kind.values {
            line!(out, "  {value}: {value:?},");
        }
        line!(out, "}};");
    }
    line!(out);
    let names: Vec<&str> = classes(schema).map(|(name, _)| name).collect();
    line!(out, "export const {{ {} }} = initSchema(schema);", names.join(", "));
    out
}

/// `index.ts`: the types and the classes of the schema in `schema.ts`.
#[must_use]
pub fn typescript(api: &ApiSchema, package: &str) -> String {
    let mut out = HEAD.to_owned();
    line!(out, "import {{ initSchema }} from {package:?};");
    line!(out, "import type {{ {TYPES} }} from {package:?};");
    line!(out, "import {{ schema }} from \"./schema\";");
    types(&mut out, api, "export enum");
    line!(out);
    let names: Vec<&str> = classes(&api.schema).map(|(name, _)| name).collect();
    line!(out, "const made = initSchema(schema) as unknown as {{");
    for (name, class) in classes(&api.schema) {
        line!(out, "  {name}: {class};");
    }
    line!(out, "}};");
    line!(out, "export const {{ {} }} = made;", names.join(", "));
    out
}

fn types(out: &mut String, api: &ApiSchema, enum_keyword: &str) {
    let schema = &api.schema;
    for kind in schema.enums() {
        line!(out);
        line!(out, "{enum_keyword} {} {{", kind.name);
        for value in &kind.values {
            line!(out, "  {value} = {value:?},");
        }
        line!(out, "}}");
    }
    for object in schema.objects() {
        line!(out);
        line!(out, "export type {} = {{", object.name);
        for field in &object.fields {
            property(out, schema, field);
        }
        line!(out, "}};");
    }
    for (id, model) in schema.models() {
        model_type(out, schema, model, api.model(id));
    }
}

fn model_type(out: &mut String, schema: &Schema, model: &Model, api: &ModelApi) {
    let name = &model.name;
    line!(out);
    line!(out, "export type {name} = {{");
    line!(out, "  readonly [__modelMeta__]: {{");
    line!(out, "    identifier: {};", identifier(model));
    let written =
        model.fields().filter(|(id, field)| field.is_read_only && !api.owners.contains(id));
    let written: Vec<String> = written.map(|(_, field)| format!("{:?}", field.name)).collect();
    if !written.is_empty() {
        line!(out, "    readOnlyFields: {};", written.join(" | "));
    }
    line!(out, "  }};");
    for (id, field) in model.fields() {
        if !api.input_only.contains(&id) && !api.owners.contains(&id) {
            property(out, schema, field);
        }
    }
    for relation in &model.relations {
        let (field, target) = (&relation.name, &schema.model(relation.target).name);
        let is_required = !relation.kind.is_held_by_target()
            && relation.fields.iter().all(|id| model.at(*id).is_required);
        match relation.kind {
            RelationKind::HasMany => {
                line!(out, "  readonly {field}: AsyncCollection<{target}>;");
            }
            RelationKind::BelongsTo if is_required => {
                line!(out, "  readonly {field}: AsyncItem<{target}>;");
            }
            RelationKind::HasOne | RelationKind::HasOneByReference | RelationKind::BelongsTo => {
                line!(out, "  readonly {field}: AsyncItem<{target} | undefined>;");
            }
        }
    }
    line!(out, "}};");
}

/// How records are told apart. An `id` is made up where the app gives none.
fn identifier(model: &Model) -> String {
    let names: Vec<String> =
        model.key.iter().map(|id| format!("{:?}", model.at(*id).name)).collect();
    match names.as_slice() {
        [only] if only == "\"id\"" => {
            format!("OptionallyManagedIdentifier<{}, {only}>", model.name)
        }
        [only] => format!("CustomIdentifier<{}, {only}>", model.name),
        _ => format!("CompositeIdentifier<{}, [{}]>", model.name, names.join(", ")),
    }
}

fn property(out: &mut String, schema: &Schema, field: &Field) {
    let base = base_type(schema, field.base);
    let is_set = field.is_required && !field.is_read_only;
    let mark = if is_set { "" } else { "?" };
    let value = match (field.is_list, field.is_element_required) {
        (false, _) => base,
        (true, true) => format!("({base})[]"),
        (true, false) => format!("({base} | null)[]"),
    };
    let nullable = if is_set { "" } else { " | null" };
    line!(out, "  readonly {}{mark}: {value}{nullable};", field.name);
}

fn base_type(schema: &Schema, base: BaseType) -> String {
    match base {
        BaseType::Scalar(Scalar::Int | Scalar::Float | Scalar::AwsTimestamp) => "number".to_owned(),
        BaseType::Scalar(Scalar::Boolean) => "boolean".to_owned(),
        BaseType::Scalar(_) => "string".to_owned(),
        BaseType::Enum(id) => {
            let name = &schema.enum_type(id).name;
            format!("{name} | keyof typeof {name}")
        }
        BaseType::Object(id) => schema.object(id).name.clone(),
    }
}

/// The classes that `initSchema` makes, with their types.
fn classes(schema: &Schema) -> impl Iterator<Item = (&str, String)> {
    let models = schema.models().map(|(_, model)| {
        let name = &model.name;
        let copy = format!(
            "copyOf(source: {name}, mutator: (draft: MutableModel<{name}>) => \
             MutableModel<{name}> | void): {name}"
        );
        (name.as_str(), format!("(new (init: ModelInit<{name}>) => {name}) & {{ {copy} }}"))
    });
    let objects = schema.objects().iter().map(|object| {
        let name = &object.name;
        (name.as_str(), format!("new (init: ModelInit<{name}>) => {name}"))
    });
    models.chain(objects)
}
