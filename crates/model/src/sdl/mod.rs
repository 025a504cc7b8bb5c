//! Reads `schema.graphql` (contract, section 1): types with `@model`, their keys, indexes and
//! relations, enums and embedded types.
//!
//! What a schema says and this crate does not carry out is an error, never silence: above all an
//! access rule, because to ignore it would serve its records unprotected.

mod access;
mod arguments;
mod directives;
mod error;
mod fields;
mod models;
mod names;
mod relations;

use std::collections::BTreeMap;

use async_graphql_parser::types::{TypeDefinition, TypeKind, TypeSystemDefinition};
use async_graphql_parser::{Pos, Positioned, parse_schema};

pub use error::{SdlCause, SdlError};

use crate::{ApiSchema, EnumId, EnumType, ModelId, ObjectId, ObjectType, Scalar, Schema};
use directives::{Directives, is_public_rule};
use models::Draft;
pub(crate) use names::{upper_first, words};

/// The fields that the server keeps beside every record's own.
pub const BOOKKEEPING: [&str; 3] = ["_version", "_lastChangedAt", "_deleted"];

/// Reads a schema; `file` is its name for error messages.
///
/// # Errors
/// [`SdlError`] with the file, line, column and cause of the first thing that is wrong or that
/// is not supported yet.
pub fn parse(source: &str, file: &str) -> Result<Schema, SdlError> {
    parse_api(source, file).map(|api| api.schema)
}

/// Reads a schema with what its API offers and to whom; `file` is its name for error messages.
///
/// # Errors
/// As [`parse`].
pub fn parse_api(source: &str, file: &str) -> Result<ApiSchema, SdlError> {
    read(source).map_err(|problem| SdlError::new(file, problem))
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

fn read(source: &str) -> Result<ApiSchema> {
    let document = parse_schema(source).map_err(|error| {
        let at = error.positions().next().unwrap_or_default();
        Problem { at, cause: SdlCause::Syntax(error::reason_of(&error)) }
    })?;
    let (names, definitions) = collect(&document.definitions)?;
    let enums = definitions.enums.iter().map(|definition| read_enum(definition));
    let enums = enums.collect::<Result<Vec<_>>>()?;
    let objects = definitions.objects.iter();
    let objects = objects.map(|definition| read_object(definition, &names, &enums));
    let objects = objects.collect::<Result<Vec<_>>>()?;
    if definitions.models.is_empty() {
        return problem(Pos { line: 1, column: 1 }, SdlCause::NoModel);
    }
    let drafts = definitions.models.iter();
    let drafts = drafts.map(|definition| Draft::read(definition, &names, &enums));
    let mut drafts = drafts.collect::<Result<Vec<_>>>()?;
    relations::resolve(&mut drafts)?;
    let finished = drafts.into_iter().map(Draft::finish).collect::<Result<Vec<_>>>()?;
    let (models, apis) = finished.into_iter().unzip();
    Ok(ApiSchema::new(Schema::new(models).with_enums(enums).with_objects(objects), apis))
}

fn collect(all: &[TypeSystemDefinition]) -> Result<(Names, Definitions<'_>)> {
    let scalars = Scalar::ALL.iter().map(|(scalar, name)| {
        let named: (String, Named) = ((*name).to_owned(), Named::Scalar(*scalar));
        named
    });
    let mut names = Names(scalars.collect());
    let mut definitions = Definitions::default();
    for definition in all {
        let Positioned { pos, node } = match definition {
            TypeSystemDefinition::Type(definition) => definition,
            TypeSystemDefinition::Schema(schema) => {
                return unsupported(schema.pos, "a `schema` block", "leave it out");
            }
            TypeSystemDefinition::Directive(directive) => {
                return unsupported(directive.pos, "a directive definition", "leave it out");
            }
        };
        let Some(named) = definitions.add(*pos, node)? else { continue };
        let name = &node.name;
        if name.node.starts_with("__") || RESERVED.contains(&name.node.as_str()) {
            return problem(name.pos, SdlCause::ReservedName(name.node.to_string()));
        }
        if names.0.insert(name.node.to_string(), named).is_some() {
            return problem(name.pos, SdlCause::Duplicate(name.node.to_string()));
        }
    }
    Ok((names, definitions))
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

fn read_enum(definition: &TypeDefinition) -> Result<EnumType> {
    let TypeKind::Enum(kind) = &definition.kind else {
        return problem(definition.name.pos, SdlCause::NoModel);
    };
    Directives(&definition.directives).allow(&[])?;
    let values = kind.values.iter().map(|value| value.node.value.node.to_string()).collect();
    Ok(EnumType { name: definition.name.node.to_string(), values })
}

fn read_object(
    definition: &TypeDefinition,
    names: &Names,
    enums: &[EnumType],
) -> Result<ObjectType> {
    let TypeKind::Object(kind) = &definition.kind else {
        return problem(definition.name.pos, SdlCause::NoModel);
    };
    let owner = definition.name.node.as_str();
    Directives(&definition.directives).allow(&[])?;
    let mut object = ObjectType { name: owner.to_owned(), fields: Vec::new() };
    for Positioned { node, .. } in &kind.fields {
        if let Some(Named::Model(_)) = names.get(fields::base_name(&node.ty.node)) {
            let field = node.name.node.to_string();
            return problem(node.ty.pos, SdlCause::ModelInObject { owner: owner.into(), field });
        }
        Directives(&node.directives).allow(&["default"])?;
        object.fields.push(fields::read(node, names, enums)?);
        fields::refuse_duplicate(&object.fields, node)?;
    }
    Ok(object)
}

#[cfg(test)]
mod tests;
