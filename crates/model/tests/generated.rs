//! The generated models compile, build the schema they were written from, and carry values there
//! and back. Their text is fixed by the golden files, which `UPDATE_GOLDEN=1` writes anew.
#![cfg(feature = "sdl")]

use espressync_model::codegen::{self, typescript};
use espressync_model::{Entity, ModelError, Schema, sdl};

mod point_of_sale {
    #![allow(dead_code, unreachable_pub, unused_imports, reason = "includes all that is generated")]
    include!("golden/models.rs");
}

mod everything {
    #![allow(dead_code, unreachable_pub, unused_imports, reason = "includes all that is generated")]
    include!("golden/everything.rs");
}

/// Compares a text with its golden file.
fn check_text(text: &str, golden: &str) -> Result<(), Box<dyn std::error::Error>> {
    let path = format!("{}/tests/golden/{golden}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text)?;
    }
    assert_eq!(text, std::fs::read_to_string(&path)?, "run with UPDATE_GOLDEN=1 if this is meant");
    Ok(())
}

/// Compares a schema's generated text with its golden file, and the schema with that file's.
fn check(source: &str, golden: &str, generated: &Schema) -> Result<(), Box<dyn std::error::Error>> {
    let schema = sdl::parse(source, "schema.graphql")?;
    check_text(&codegen::rust(&schema), golden)?;
    assert_eq!(*generated, schema);
    Ok(())
}

#[test]
fn the_generated_code_is_the_schema() -> Result<(), Box<dyn std::error::Error>> {
    let source = include_str!("../../../src/schema.graphql");
    check(source, "models.rs", &point_of_sale::schema())?;
    let source = include_str!("golden/everything.graphql");
    check(source, "everything.rs", &everything::schema())
}

#[test]
fn the_models_are_written_for_typescript_and_javascript() -> Result<(), Box<dyn std::error::Error>>
{
    let api = sdl::parse_api(include_str!("golden/everything.graphql"), "schema.graphql")?;
    let package = "aws-amplify/datastore";
    check_text(&typescript::declarations(&api, package), "everything.d.ts")?;
    check_text(&typescript::javascript(&api.schema, package), "everything.js")?;
    check_text(&typescript::typescript(&api, package), "everything.ts")
}

#[test]
fn a_record_survives_the_way_to_a_row_and_back() -> Result<(), ModelError> {
    use everything::{Address, Shop, Size};
    let address = Address { street: "Main".into(), r#type: Some(Size::ExtraLarge), tags: None };
    let shop = Shop {
        code: "s1".into(),
        city: "Rome".into(),
        seats: 7,
        rating: Some(4.5),
        open: None,
        size: Size::Small,
        sizes: Some(vec![None, Some(Size::ExtraLarge)]),
        address: Some(address.clone()),
        branches: vec![address],
        seen: Some(1),
        created_at: None,
        updated_at: None,
    };
    let schema = everything::schema();
    let model = schema.model(Shop::MODEL);
    let row = shop.to_row();
    model.check(&schema, &row)?;
    assert_eq!(Shop::from_row(model, &row)?, shop);
    assert_eq!(model.field_named("seats")?, Shop::SEATS);
    Ok(())
}
