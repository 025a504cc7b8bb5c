//! Writes the models of a schema. In Rust: structs, enums, field ids and the schema itself as code,
//! so that a browser's wasm needs neither the SDL nor a parser for it. In TypeScript: types, and
//! the module that has Amplify's library make the classes.

use std::fmt::Write as _;

use crate::sdl::{upper_first, words};
use crate::{BaseType, Field, FieldId, Model, RelationKind, Scalar, Schema, Value};

/// Adds a line. Writing to a `String` cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($text:tt)+) => {{
        let _ = writeln!($out, $($text)+);
    }};
}

pub mod typescript;

/// The head of the file, with all that the parts below it may use.
const HEAD: &str = "\
// Written by espressync_model::codegen from the schema. Change the schema instead.

use espressync_model::{
    BaseType, Entity, EnumId, EnumType, Field, FieldId, FromValue, Model, ModelError, ModelId,
    ObjectId, ObjectType, RelationId, RelationKind, Row, Scalar, Schema, Value,
};
";

/// Rust's keywords that a field may be called.
const KEYWORDS: [&str; 42] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "use",
];

/// The Rust source of a schema's models. Whoever includes it allows `dead_code`,
/// `unreachable_pub` and `unused_imports`, as not every schema and app uses everything.
#[must_use]
pub fn rust(schema: &Schema) -> String {
    let mut out = HEAD.to_owned();
    schema_function(&mut out, schema);
    for (position, (_, model)) in schema.models().enumerate() {
        model_struct(&mut out, schema, model);
        field_constants(&mut out, model);
        entity(&mut out, model, position);
        model_function(&mut out, schema, model);
    }
    for object in schema.objects() {
        object_struct(&mut out, schema, &object.name, &object.fields);
    }
    for kind in schema.enums() {
        enum_type(&mut out, &kind.name, &kind.values);
    }
    out
}

fn schema_function(out: &mut String, schema: &Schema) {
    line!(out);
    line!(out, "/// The schema that these models are of.");
    line!(out, "#[must_use]");
    line!(out, "pub fn schema() -> Schema {{");
    line!(out, "    Schema::new(vec![");
    for (_, model) in schema.models() {
        line!(out, "        {}(),", function_name(&model.name));
    }
    line!(out, "    ])");
    if !schema.enums().is_empty() {
        line!(out, "    .with_enums(vec![");
        for kind in schema.enums() {
            line!(out, "        EnumType {{");
            line!(out, "            name: {:?}.into(),", kind.name);
            line!(out, "            values: vec![");
            for value in &kind.values {
                line!(out, "                {value:?}.into(),");
            }
            line!(out, "            ],");
            line!(out, "        }},");
        }
        line!(out, "    ])");
    }
    if !schema.objects().is_empty() {
        line!(out, "    .with_objects(vec![");
        for object in schema.objects() {
            line!(out, "        ObjectType {{");
            line!(out, "            name: {:?}.into(),", object.name);
            line!(out, "            fields: vec![");
            for field in &object.fields {
                line!(out, "                {},", field_value(field));
            }
            line!(out, "            ],");
            line!(out, "        }},");
        }
        line!(out, "    ])");
    }
    line!(out, "}}");
}

fn model_struct(out: &mut String, schema: &Schema, model: &Model) {
    let default = if has_default(&model.fields) { ", Default" } else { "" };
    line!(out);
    line!(out, "/// A record of the model `{}`.", model.name);
    line!(out, "#[derive(Debug, Clone, PartialEq{default})]");
    line!(out, "pub struct {} {{", model.name);
    struct_fields(out, schema, &model.fields);
    line!(out, "}}");
}

fn struct_fields(out: &mut String, schema: &Schema, fields: &[Field]) {
    for field in fields {
        let by = if field.is_read_only { "; the server writes it" } else { "" };
        line!(out, "    /// `{}: {}`{by}.", field.name, sdl_type(schema, field));
        line!(out, "    pub {}: {},", snake(&field.name), rust_type(schema, field));
    }
}

fn field_constants(out: &mut String, model: &Model) {
    line!(out);
    line!(out, "impl {} {{", model.name);
    for (id, field) in model.fields() {
        line!(out, "    /// The field `{}`.", field.name);
        line!(out, "    pub const {}: FieldId = FieldId({});", constant(&field.name), id.0);
    }
    for (id, relation) in model.relations() {
        let mut name = constant(&relation.name);
        if model.fields.iter().any(|field| constant(&field.name) == name) {
            name.push_str("_RELATION");
        }
        line!(out, "    /// The relation `{}`.", relation.name);
        line!(out, "    pub const {name}: RelationId = RelationId({});", id.0);
    }
    line!(out, "}}");
}

fn entity(out: &mut String, model: &Model, position: usize) {
    line!(out);
    line!(out, "impl Entity for {} {{", model.name);
    line!(out, "    const MODEL: ModelId = ModelId({position});");
    line!(out);
    line!(out, "    fn to_row(&self) -> Row {{");
    line!(out, "        Row::new(vec![");
    for field in &model.fields {
        let copied = if is_copy(field) { "" } else { ".clone()" };
        line!(out, "            Value::from(self.{}{copied}),", snake(&field.name));
    }
    line!(out, "        ])");
    line!(out, "    }}");
    line!(out);
    line!(out, "    fn from_row(model: &Model, row: &Row) -> Result<Self, ModelError> {{");
    line!(out, "        Ok(Self {{");
    for field in &model.fields {
        let (name, constant) = (snake(&field.name), constant(&field.name));
        line!(out, "            {name}: model.read(row, Self::{constant})?,");
    }
    line!(out, "        }})");
    line!(out, "    }}");
    line!(out, "}}");
}

fn model_function(out: &mut String, schema: &Schema, model: &Model) {
    line!(out);
    line!(out, "fn {}() -> Model {{", function_name(&model.name));
    line!(out, "    Model::new({:?}, {:?})", model.name, model.plural);
    if !model.formerly.is_empty() {
        line!(out, "        .renamed(&{:?})", model.formerly);
    }
    for field in &model.fields {
        line!(out, "        .field({})", field_value(field));
    }
    if model.key != [FieldId(0)] {
        line!(out, "        .keyed_by({})", ids(&model.key));
    }
    for index in &model.indexes {
        line!(out, "        .index(");
        line!(out, "            {:?},", index.name);
        line!(out, "            {},", ids(&index.fields));
        line!(out, "            {:?},", index.query_field);
        line!(out, "        )");
    }
    for relation in &model.relations {
        let kind = match relation.kind {
            RelationKind::HasMany => "HasMany",
            RelationKind::HasOne => "HasOne",
            RelationKind::HasOneByReference => "HasOneByReference",
            RelationKind::BelongsTo => "BelongsTo",
        };
        line!(out, "        .relation(");
        line!(out, "            {:?},", relation.name);
        line!(out, "            RelationKind::{kind},");
        let target = &schema.model(relation.target).name;
        // Not `{target}::MODEL`, which is a field's id where a field is called `model`.
        line!(out, "            <{target} as Entity>::MODEL,");
        line!(out, "            {},", ids(&relation.fields));
        line!(out, "        )");
    }
    line!(out, "}}");
}

fn object_struct(out: &mut String, schema: &Schema, name: &str, fields: &[Field]) {
    let default = if has_default(fields) { ", Default" } else { "" };
    let names: Vec<String> = fields.iter().map(|field| snake(&field.name)).collect();
    line!(out);
    line!(out, "/// A value of the type `{name}`, embedded in records.");
    line!(out, "#[derive(Debug, Clone, PartialEq{default})]");
    line!(out, "pub struct {name} {{");
    struct_fields(out, schema, fields);
    line!(out, "}}");
    line!(out);
    line!(out, "impl From<{name}> for Value {{");
    line!(out, "    fn from(value: {name}) -> Self {{");
    line!(out, "        let values = [");
    for name in &names {
        line!(out, "            Self::from(value.{name}),");
    }
    line!(out, "        ];");
    line!(out, "        Self::Object(values.into())");
    line!(out, "    }}");
    line!(out, "}}");
    line!(out);
    line!(out, "impl FromValue for {name} {{");
    line!(out, "    fn from_value(value: &Value) -> Option<Self> {{");
    line!(out, "        let Value::Object(values) = value else {{ return None }};");
    line!(out, "        let [{}] = &values[..] else {{ return None }};", names.join(", "));
    line!(out, "        Some(Self {{");
    for name in &names {
        line!(out, "            {name}: FromValue::from_value({name})?,");
    }
    line!(out, "        }})");
    line!(out, "    }}");
    line!(out, "}}");
}

fn enum_type(out: &mut String, name: &str, values: &[String]) {
    line!(out);
    line!(out, "/// The enum `{name}`.");
    line!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]");
    line!(out, "pub enum {name} {{");
    for value in values {
        line!(out, "    /// `{value}`.");
        line!(out, "    {},", variant(value));
    }
    line!(out, "}}");
    line!(out);
    line!(out, "impl From<{name}> for Value {{");
    line!(out, "    fn from(value: {name}) -> Self {{");
    line!(out, "        Self::from(match value {{");
    for value in values {
        line!(out, "            {name}::{} => {value:?},", variant(value));
    }
    line!(out, "        }})");
    line!(out, "    }}");
    line!(out, "}}");
    line!(out);
    line!(out, "impl FromValue for {name} {{");
    line!(out, "    fn from_value(value: &Value) -> Option<Self> {{");
    line!(out, "        match value.as_text()? {{");
    for value in values {
        line!(out, "            {value:?} => Some(Self::{}),", variant(value));
    }
    line!(out, "            _ => None,");
    line!(out, "        }}");
    line!(out, "    }}");
    line!(out, "}}");
}

/// The expression that builds a field.
fn field_value(field: &Field) -> String {
    let base = match field.base {
        BaseType::Scalar(scalar) => format!("Scalar::{scalar:?}"),
        BaseType::Enum(id) => format!("BaseType::Enum(EnumId({}))", id.0),
        BaseType::Object(id) => format!("BaseType::Object(ObjectId({}))", id.0),
    };
    let mut built = format!("Field::new({:?}, {base})", field.name);
    if field.is_list {
        let _ = write!(built, ".list({})", field.is_element_required);
    }
    if field.is_required {
        built.push_str(".required()");
    }
    if field.is_read_only {
        built.push_str(".read_only()");
    }
    if let Some(default) = field.default.as_ref().and_then(literal) {
        let _ = write!(built, ".with_default(Value::from({default}))");
    }
    if !field.formerly.is_empty() {
        let _ = write!(built, ".renamed(&{:?})", field.formerly);
    }
    built
}

/// A default as Rust writes it; only scalars and enums have one.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(format!("{:?}", &**text)),
        Value::Int(number) => Some(format!("{number}_i64")),
        Value::Float(number) => Some(format!("{number:?}_f64")),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

fn ids(fields: &[FieldId]) -> String {
    let ids: Vec<String> = fields.iter().map(|field| format!("FieldId({})", field.0)).collect();
    format!("vec![{}]", ids.join(", "))
}

/// `[String!]!`, for the docs.
fn sdl_type(schema: &Schema, field: &Field) -> String {
    let mark = |is_required: bool| if is_required { "!" } else { "" };
    let base = schema.type_name(field.base);
    if field.is_list {
        format!("[{base}{}]{}", mark(field.is_element_required), mark(field.is_required))
    } else {
        format!("{base}{}", mark(field.is_required))
    }
}

fn rust_type(schema: &Schema, field: &Field) -> String {
    let optional =
        |name: String, is_set: bool| if is_set { name } else { format!("Option<{name}>") };
    let base = match field.base {
        BaseType::Scalar(scalar) => scalar_type(scalar).to_owned(),
        BaseType::Enum(_) | BaseType::Object(_) => schema.type_name(field.base).to_owned(),
    };
    // Until the server has written a read-only field it is null, required or not.
    let is_set = field.is_required && !field.is_read_only;
    if field.is_list {
        optional(format!("Vec<{}>", optional(base, field.is_element_required)), is_set)
    } else {
        optional(base, is_set)
    }
}

fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Int | Scalar::AwsTimestamp => "i64",
        Scalar::Float => "f64",
        Scalar::Boolean => "bool",
        Scalar::Id
        | Scalar::String
        | Scalar::AwsDate
        | Scalar::AwsTime
        | Scalar::AwsDateTime
        | Scalar::AwsEmail
        | Scalar::AwsJson
        | Scalar::AwsPhone
        | Scalar::AwsUrl
        | Scalar::AwsIpAddress => "String",
    }
}

fn is_copy(field: &Field) -> bool {
    !field.is_list
        && match field.base {
            BaseType::Scalar(scalar) => scalar_type(scalar) != "String",
            BaseType::Enum(_) => true,
            BaseType::Object(_) => false,
        }
}

/// Whether a struct of these fields has a default: no enum has one, nor what may hold an enum.
fn has_default(fields: &[Field]) -> bool {
    fields.iter().all(|field| {
        let is_scalar = matches!(field.base, BaseType::Scalar(_));
        is_scalar || field.is_list || !field.is_required || field.is_read_only
    })
}

fn snake(name: &str) -> String {
    let name = words(name).join("_").to_lowercase();
    if KEYWORDS.contains(&name.as_str()) {
        return format!("r#{name}");
    }
    // These cannot be written as r#.
    if ["self", "super", "crate"].contains(&name.as_str()) { name + "_" } else { name }
}

fn constant(name: &str) -> String {
    words(name).join("_").to_uppercase()
}

fn function_name(model: &str) -> String {
    format!("{}_model", words(model).join("_").to_lowercase())
}

fn variant(value: &str) -> String {
    let words = words(value);
    let name: String = words.iter().map(|word| upper_first(&word.to_lowercase())).collect();
    if name == "Self" { "Self_".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
