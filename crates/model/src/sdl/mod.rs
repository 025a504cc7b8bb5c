//! Reads `schema.graphql` (contract, section 1): types with `@model`, their keys, indexes and
//! relations, enums and embedded types.
//!
//! Both generations of Amplify's transformers are read, and a schema may mix them: `@key` beside
//! `@index`, `@connection` beside `@hasMany`. Each names its foreign keys in its own way.
//!
//! What a schema says and this crate does not carry out is an error, never silence: above all an
//! access rule, because to ignore it would serve its records unprotected.

mod access;
mod arguments;
mod connections;
mod directives;
mod error;
mod fields;
mod joins;
mod keys;
mod models;
mod names;
mod offers;
mod references;
mod relations;
#[cfg(feature = "report")]
mod report;

use std::collections::BTreeMap;

use async_graphql_parser::types::{
    FieldDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Pos, Positioned, parse_schema};

pub use error::{SdlCause, SdlError, SdlProblem};

use crate::{ApiSchema, EnumId, EnumType, Field, ModelId, ObjectId, ObjectType, Scalar, Schema};
use directives::{Directives, is_public_rule};
use models::Draft;
pub(crate) use names::{upper_first, words};

/// The fields that the server keeps beside every record's own.
pub const BOOKKEEPING: [&str; 3] = ["_version", "_lastChangedAt", "_deleted"];

/// Reads a schema; `file` is its name for error messages.
///
/// # Errors
/// [`SdlError`] with the file, and the line, column and cause of every thing that is wrong or is
/// not supported, as far as one does not follow from another.
pub fn parse(source: &str, file: &str) -> Result<Schema, SdlError> {
    parse_api(source, file).map(|api| api.schema)
}

/// Reads a schema with what its API offers and to whom; `file` is its name for error messages.
///
/// # Errors
/// As [`parse`].
pub fn parse_api(source: &str, file: &str) -> Result<ApiSchema, SdlError> {
    let mut problems = Problems::default();
    match read(source, &mut problems) {
        Some(api) if problems.0.is_empty() => Ok(api),
        _ => Err(SdlError::new(file, source, problems)),
    }
}

/// The plural of a model's name by the rules of npm's `pluralize` (contract 2.1).
#[must_use]
pub fn plural(name: &str) -> String {
    pluralizer::pluralize(name, 2, false)
}

/// What is wrong, and where in the file.
#[derive(Debug)]
struct Problem {
    at: Pos,
    cause: SdlCause,
}

/// Collects what is wrong, so that one run tells of all of it.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    /// Something if nothing is wrong so far.
    fn none(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// What there is, unless there was a problem, which is kept.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }
}

type Result<T, E = Problem> = std::result::Result<T, E>;

fn problem<T>(at: Pos, cause: SdlCause) -> Result<T> {
    Err(Problem { at, cause })
}

fn unsupported<T>(at: Pos, what: impl Into<String>, instead: &str) -> Result<T> {
    problem(at, SdlCause::Unsupported { what: what.into(), instead: instead.to_owned() })
}

/// What a type's name stands for.
#[derive(Debug, Clone, Copy)]
enum Named {
    Scalar(Scalar),
    Model(ModelId),
    Enum(EnumId),
    Object(ObjectId),
}

/// All type names of the file, so that a field may use one declared further down.
struct Names(BTreeMap<String, Named>);

impl Names {
    fn get(&self, name: &str) -> Option<Named> {
        self.0.get(name).copied()
    }
}

/// The definitions of the file by kind, each in file order: positions are ids.
#[derive(Default)]
struct Definitions<'a> {
    models: Vec<&'a TypeDefinition>,
    enums: Vec<&'a TypeDefinition>,
    objects: Vec<&'a TypeDefinition>,
}

/// Reads what there is to read; what is wrong goes `to` the problems, and stops what builds on it.
fn read(source: &str, to: &mut Problems) -> Option<ApiSchema> {
    let document = to.keep(parse_schema(source).map_err(|error| {
        let at = error.positions().next().unwrap_or_default();
        Problem { at, cause: SdlCause::Syntax(error::reason_of(&error)) }
    }))?;
    let (names, definitions) = collect(&document.definitions, to);
    let enums = definitions.enums.iter().map(|definition| read_enum(definition, to));
    let enums: Vec<EnumType> = enums.collect();
    let objects = definitions.objects.iter();
    let objects = objects.map(|definition| read_object(definition, &names, &enums, to));
    let objects: Vec<ObjectType> = objects.collect();
    if definitions.models.is_empty() && to.0.is_empty() {
        to.0.push(Problem { at: Pos { line: 1, column: 1 }, cause: SdlCause::NoModel });
    }
    let drafts = definitions.models.iter();
    let drafts = drafts.map(|definition| Draft::read(definition, &names, &enums, to));
    let mut drafts: Vec<Draft> = drafts.collect();
    to.none()?;
    joins::add(&mut drafts, &names, to);
    to.none()?;
    relations::resolve(&mut drafts, to);
    to.none()?;
    let places: Vec<Pos> = drafts.iter().map(|draft| draft.at).collect();
    let finished = drafts.into_iter().filter_map(|draft| to.keep(draft.finish()));
    let (models, apis): (Vec<_>, Vec<_>) = finished.unzip();
    let schema = Schema::new(models).with_enums(enums).with_objects(objects);
    offers::refuse_clashes(&schema, &apis, &places, to);
    Some(ApiSchema::new(schema, apis))
}

fn collect<'a>(all: &'a [TypeSystemDefinition], to: &mut Problems) -> (Names, Definitions<'a>) {
    let scalars = Scalar::ALL.iter().map(|(scalar, name)| {
        let named: (String, Named) = ((*name).to_owned(), Named::Scalar(*scalar));
        named
    });
    let mut names = Names(scalars.collect());
    let mut definitions = Definitions::default();
    for definition in all {
        to.keep(collect_one(definition, &mut names, &mut definitions));
    }
    (names, definitions)
}

fn collect_one<'a>(
    definition: &'a TypeSystemDefinition,
    names: &mut Names,
    definitions: &mut Definitions<'a>,
) -> Result<()> {
    let Positioned { pos, node } = match definition {
        TypeSystemDefinition::Type(definition) => definition,
        TypeSystemDefinition::Schema(schema) => {
            return unsupported(schema.pos, "a `schema` block", "leave it out");
        }
        TypeSystemDefinition::Directive(directive) => {
            return unsupported(directive.pos, "a directive definition", "leave it out");
        }
    };
    let name = &node.name;
    if RESERVED.contains(&name.node.as_str()) {
        let what = format!("an own `type {}`", name.node);
        let instead = "leave it out: the operations come from the types with @model";
        return unsupported(name.pos, what, instead);
    }
    if name.node.starts_with("__") {
        return problem(name.pos, SdlCause::ReservedName(name.node.to_string()));
    }
    if names.get(&name.node).is_some() {
        return problem(name.pos, SdlCause::Duplicate(name.node.to_string()));
    }
    if let Some(named) = definitions.add(*pos, node)? {
        names.0.insert(name.node.to_string(), named);
    }
    Ok(())
}

/// Type names that the API itself uses.
const RESERVED: [&str; 3] = ["Query", "Mutation", "Subscription"];

impl<'a> Definitions<'a> {
    fn add(&mut self, at: Pos, definition: &'a TypeDefinition) -> Result<Option<Named>> {
        if definition.extend {
            return unsupported(at, "`extend`", "put the fields into the type itself");
        }
        // Positions beyond 65,535 would need a schema of megabytes.
        let next = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        match &definition.kind {
            TypeKind::Object(_) if Directives(&definition.directives).get("model").is_some() => {
                let id = ModelId(next(self.models.len()));
                self.models.push(definition);
                Ok(Some(Named::Model(id)))
            }
            TypeKind::Object(_) => {
                let id = ObjectId(next(self.objects.len()));
                self.objects.push(definition);
                Ok(Some(Named::Object(id)))
            }
            TypeKind::Enum(_) => {
                let id = EnumId(next(self.enums.len()));
                self.enums.push(definition);
                Ok(Some(Named::Enum(id)))
            }
            TypeKind::InputObject(_) if is_sandbox(definition) => Ok(None),
            TypeKind::InputObject(_) => unsupported(at, "an input type", "leave it out"),
            TypeKind::Scalar => unsupported(at, "an own scalar", "use String or AWSJSON"),
            TypeKind::Interface(_) => unsupported(at, "an interface", "use object types"),
            TypeKind::Union(_) => unsupported(at, "a union", "use object types"),
        }
    }
}

/// Whether this is the `input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }` of a
/// fresh Amplify project, which says what holds here anyway: who has the API key may do all.
fn is_sandbox(definition: &TypeDefinition) -> bool {
    let TypeKind::InputObject(input) = &definition.kind else { return false };
    definition.name.node == "AMPLIFY"
        && input.fields.iter().all(|field| {
            let value = field.node.default_value.as_ref();
            field.node.name.node == "globalAuthRule"
                && value.is_some_and(|value| is_public_rule(&value.node))
        })
}

fn read_enum(definition: &TypeDefinition, to: &mut Problems) -> EnumType {
    Directives(&definition.directives).allow(&[], to);
    let mut values: Vec<String> = Vec::new();
    if let TypeKind::Enum(kind) = &definition.kind {
        for Positioned { pos, node } in &kind.values {
            Directives(&node.directives).allow(&[], to);
            let value = node.value.node.to_string();
            if values.contains(&value) {
                to.0.push(Problem { at: *pos, cause: SdlCause::Duplicate(value) });
            } else {
                values.push(value);
            }
        }
    }
    EnumType { name: definition.name.node.to_string(), values }
}

fn read_object(
    definition: &TypeDefinition,
    names: &Names,
    enums: &[EnumType],
    to: &mut Problems,
) -> ObjectType {
    Directives(&definition.directives).allow(&[], to);
    let mut object = ObjectType { name: definition.name.node.to_string(), fields: Vec::new() };
    if let TypeKind::Object(kind) = &definition.kind {
        for Positioned { node, .. } in &kind.fields {
            Directives(&node.directives).allow(&["default", "renamed"], to);
            let field = to.keep(read_embedded_field(node, &object, names, enums));
            object.fields.extend(field);
        }
    }
    object
}

fn read_embedded_field(
    definition: &FieldDefinition,
    object: &ObjectType,
    names: &Names,
    enums: &[EnumType],
) -> Result<Field> {
    let name = definition.name.node.to_string();
    if object.fields.iter().any(|field| field.name == name) {
        return problem(definition.name.pos, SdlCause::Duplicate(name));
    }
    if let Some(Named::Model(_)) = names.get(fields::base_name(&definition.ty.node)) {
        let owner = object.name.clone();
        return problem(definition.ty.pos, SdlCause::ModelInObject { owner, field: name });
    }
    fields::read(definition, names, enums)
}

#[cfg(test)]
mod tests;
