//! Schemas in JSON are read as they are written, by us and by Amplify's tools, and bad ones are
//! refused by the place.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

use espressync_model::{
    ApiSchema, BaseType, EnumId, EnumType, Field, FieldId, Model, ModelId, ObjectId, ObjectType,
    RelationKind, Scalar, Schema, sdl,
};
use espressync_wire::{introspection, read_introspection};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Who may do what is not read.
fn without_rules(mut json: Json) -> Json {
    for model in json["models"].as_object_mut().unwrap().values_mut() {
        model["attributes"].as_array_mut().unwrap().retain(|it| it["type"] != "auth");
    }
    json
}

/// What only the server writes need not be there, so JSON says that it is not required.
fn as_told(schema: &Schema) -> Schema {
    let mut objects = schema.objects().to_vec();
    for field in objects.iter_mut().flat_map(|object| &mut object.fields) {
        field.is_required &= !field.is_read_only;
    }
    schema.clone().with_objects(objects)
}

#[test]
fn what_is_written_from_sdl_is_read() {
    for source in [
        include_str!("../../../tests/interop/schema.graphql"),
        include_str!("../../../src/schema.graphql"),
        "type Post @model @renamed(from: \"Text\") {
           title: String @renamed(from: [\"name\"])
           tags: [Tag] @manyToMany(relationName: \"PostTags\")
           cover: Image @hasOne comments: [Comment] @hasMany size: Size boxes: [Box!]! }
         type Tag @model { code: ID! @primaryKey(sortKeyFields: [\"year\"]) year: Int!
           posts: [Post] @manyToMany(relationName: \"PostTags\") }
         type Image @model { url: AWSURL! }
         type Comment @model { post: Post @belongsTo text: String! @index(name: \"byText\") }
         type Box { width: Float! in: Box } enum Size { S L }",
    ] {
        let api = sdl::parse_api(source, "schema.graphql").unwrap();
        let first = without_rules(introspection(&api));
        let read = read_introspection(&first).unwrap();
        assert_eq!(without_rules(introspection(&read)), first);
        let again = read_introspection(&introspection(&read)).unwrap();
        assert_eq!(again.schema, read.schema);
    }
}

/// The first generation's form: single names, and foreign keys that no field declares.
#[test]
fn the_older_form_is_read() {
    let field = |name: &str, kind: Json| {
        json!({ "name": name, "isArray": false, "type": kind,
        "isRequired": false, "attributes": [] })
    };
    let relation = |name: &str, model: &str, is_list: bool, association: Json| {
        json!({ "name": name, "isArray": is_list, "type": { "model": model }, "isRequired": false,
            "attributes": [], "association": association })
    };
    let id = field("id", json!("ID"));
    let model = |fields: Json| {
        json!({ "name": "x", "pluralName": "Xs", "syncable": true,
        "fields": fields, "attributes": [{ "type": "model", "properties": {} }] })
    };
    let json = json!({
        "models": {
            "Blog": model(json!({ "id": id.clone(), "posts": relation("posts", "Post", true,
                json!({ "connectionType": "HAS_MANY", "associatedWith": "blog" })) })),
            "Post": model(json!({ "id": id.clone(), "blog": relation("blog", "Blog", false,
                json!({ "connectionType": "BELONGS_TO", "targetName": "blogPostsId" })),
                "notes": relation("notes", "Note", true,
                json!({ "connectionType": "HAS_MANY", "associatedWith": "postNotesId" })) })),
            "Note": model(json!({ "id": id.clone(), "cover": relation("cover", "Blog", false,
                json!({ "connectionType": "HAS_ONE", "associatedWith": "id",
                        "targetName": "noteCoverId" })) })),
        },
        "version": "0", "codegenVersion": "3.2.0",
    });
    let api = read_introspection(&json).unwrap();
    let model = |id: u16| api.schema.model(ModelId(id));
    let (blog, post, note) = (model(0), model(1), model(2));
    let key = |model: &Model, name: &str| vec![model.field_named(name).unwrap()];
    assert_eq!(blog.relations[0].fields, key(post, "blogPostsId"));
    assert_eq!(blog.relations[0].kind, RelationKind::HasMany);
    assert_eq!(post.relations[0].kind, RelationKind::BelongsTo);
    assert_eq!(post.relations[0].fields, key(post, "blogPostsId"));
    assert_eq!(post.relations[1].fields, key(note, "postNotesId"));
    assert_eq!(note.relations[0].fields, key(note, "noteCoverId"));
    assert_eq!(api.model(ModelId(1)).input_only.len(), 1);
    assert_eq!(api.model(ModelId(2)).input_only.len(), 2);
}

/// Puts something else in a place of a good schema, and tells what is said of it.
fn check(pointer: &str, instead: Json, expected: &str) {
    let mut json = introspection(&sample());
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = json.pointer_mut(parent).unwrap();
    match parent {
        Json::Object(members) => drop(members.insert(last.to_owned(), instead)),
        other => other[last.parse::<usize>().unwrap()] = instead,
    }
    let error = read_introspection(&json).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn sample() -> ApiSchema {
    let source = "type Post @model { title: String comments: [Comment] @hasMany }
        type Comment @model { post: Post @belongsTo at: Int @index(name: \"byAt\") s: Size }
        enum Size { S }";
    sdl::parse_api(source, "schema.graphql").unwrap()
}

#[test]
fn bad_schemas_are_refused_by_the_place() {
    let field = "/models/Post/fields/title";
    check("/models", Json::Null, "the schema: `models` is missing");
    check("/models", json!([]), "models: should be an object, found []");
    check(field, json!(1), "models.Post.fields.title: should be an object, found 1");
    let types = "a scalar of AppSync, or the name of an enum, a non-model or, on a model, a model \
                 that the schema has";
    let said =
        |found: &str| format!("models.Post.fields.title.type: should be {types}, found {found}");
    check(&format!("{field}/type"), json!("Text"), &said("\"Text\""));
    check(&format!("{field}/type"), json!({ "enum": "X" }), &said("{\"enum\":\"X\"}"));
    check(
        &format!("{field}/isRequired"),
        json!("yes"),
        "models.Post.fields.title.isRequired: should be true or false, found \"yes\"",
    );
    check("/enums/Size/values/0", json!(2), "enums.Size.values.0: should be a text, found 2");
    let comments = "/models/Post/fields/comments";
    check(
        &format!("{comments}/type/model"),
        json!("Note"),
        "models.Post.fields.comments.type.model: should be a model that the schema has, found \
         \"Note\"",
    );
    check(
        &format!("{comments}/association/connectionType"),
        json!("MANY"),
        "models.Post.fields.comments.association.connectionType: should be HAS_MANY, HAS_ONE or \
         BELONGS_TO, found \"MANY\"",
    );
    check(
        &format!("{comments}/association/associatedWith"),
        Json::Null,
        "models.Post.fields.comments.association: `associatedWith` is missing",
    );
    check(
        &format!("{comments}/association/associatedWith"),
        json!(["a", "b"]),
        "models.Post.fields.comments.association: has the foreign key (a, b) for the key (id) of \
         `Post`; have Amplify's codegen write every part (feature flag \
         `respectPrimaryKeyAttributesOnConnectionField`)",
    );
    check(
        "/models/Post/attributes/1/properties/fields/0",
        json!("code"),
        "models.Post: its key names `code`, which it has not",
    );
    check(
        "/models/Comment/attributes/2/properties/fields/0",
        json!("of"),
        "models.Comment.attributes.2.properties.fields: names the field `of`, which `Comment` has \
         not",
    );
}

fn base() -> impl Strategy<Value = BaseType> {
    prop_oneof![
        (0..Scalar::ALL.len()).prop_map(|at| BaseType::Scalar(Scalar::ALL[at].0)),
        (0..2u16).prop_map(|id| BaseType::Enum(EnumId(id))),
        (0..2u16).prop_map(|id| BaseType::Object(ObjectId(id))),
    ]
}

fn field(name: String) -> impl Strategy<Value = Field> {
    (base(), any::<[bool; 4]>(), prop::collection::vec("[a-z]{1,5}", 0..3)).prop_map(
        move |(base, [is_list, is_required, is_element_required, is_read_only], formerly)| Field {
            is_list,
            is_required,
            is_element_required: is_list && is_element_required,
            is_read_only,
            formerly,
            ..Field::new(&name, base)
        },
    )
}

fn fields(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Field>> {
    count.prop_flat_map(|count| (0..count).map(|at| field(format!("f{at}"))).collect::<Vec<_>>())
}

/// Models with one or two parts in their keys, and relations of all kinds between them.
fn schemas() -> impl Strategy<Value = Schema> {
    let model =
        (fields(1..6), any::<[bool; 3]>(), prop::collection::vec((0..4usize, 0..4u8), 0..4));
    (prop::collection::vec(model, 1..4), fields(0..4), fields(0..4)).prop_map(
        |(parts, first, second)| {
            let count = parts.len();
            let mut models: Vec<Model> = Vec::new();
            for (at, (fields, [is_composite, is_local, is_indexed], _)) in parts.iter().enumerate()
            {
                let mut model = Model::new(format!("M{at}"), format!("M{at}s"))
                    .field(Field::new("id", Scalar::Id).required())
                    .field(Field::new("sort", Scalar::String).required());
                // What is read only comes last in JSON.
                let fields = fields.iter().cloned();
                let fields = fields.map(|field| Field { is_read_only: false, ..field });
                model = fields.fold(model, Model::field);
                model.is_local = *is_local;
                if *is_composite {
                    model.key = vec![FieldId(0), FieldId(1)];
                }
                if *is_indexed {
                    model = model.index("byF", vec![FieldId(2), FieldId(0)], Some("byF"));
                }
                models.push(model);
            }
            for (at, (_, _, relations)) in parts.iter().enumerate() {
                for (number, (target, kind)) in relations.iter().enumerate() {
                    relate(&mut models, (at, target % count), number, *kind);
                }
            }
            let values = |values: &[&str]| values.iter().map(ToString::to_string).collect();
            Schema::new(models)
                .with_enums(vec![
                    EnumType { name: "E0".into(), values: values(&["A", "B"]) },
                    EnumType { name: "E1".into(), values: values(&[]) },
                ])
                .with_objects(vec![
                    ObjectType { name: "O0".into(), fields: first },
                    ObjectType { name: "O1".into(), fields: second },
                ])
        },
    )
}

/// Adds a relation from one model to another, its foreign key, and where it may the other side.
fn relate(models: &mut [Model], (from, to): (usize, usize), number: usize, kind: u8) {
    let kind = [
        RelationKind::HasMany,
        RelationKind::HasOne,
        RelationKind::HasOneByReference,
        RelationKind::BelongsTo,
    ][usize::from(kind)];
    let (holder, parent) = if kind.is_held_by_target() { (to, from) } else { (from, to) };
    let id = |at: usize| ModelId(u16::try_from(at).unwrap());
    let key: Vec<Field> =
        models[parent].key.iter().map(|part| models[parent].at(*part).clone()).collect();
    let mut ids = Vec::new();
    for part in key {
        ids.push(FieldId(u16::try_from(models[holder].fields.len()).unwrap()));
        let name = format!("k{from}x{number}{}", part.name);
        models[holder].fields.push(Field::new(name, part.base));
    }
    let model = models[from].clone();
    models[from] = model.relation(format!("r{number}"), kind, id(to), ids.clone());
    if kind.is_held_by_target() && number.is_multiple_of(2) {
        let model = models[holder].clone();
        let name = format!("b{from}x{number}");
        models[holder] = model.relation(name, RelationKind::BelongsTo, id(parent), ids);
    }
}

proptest! {
    #[test]
    fn every_schema_comes_back(schema in schemas()) {
        let told = as_told(&schema);
        let json = introspection(&ApiSchema::from(schema));
        let read = read_introspection(&json).unwrap();
        prop_assert_eq!(&read.schema, &told);
        prop_assert_eq!(introspection(&read), json);
    }

    #[test]
    fn no_json_makes_it_panic(at in any::<prop::sample::Index>(), with in 0..6usize) {
        let mut json = introspection(&sample());
        let with = [json!(null), json!("x"), json!([]), json!({}), json!([{ "type": "key" }]),
            json!(1)][with].clone();
        let mut places = Vec::new();
        walk(&json, &mut String::new(), &mut places);
        *json.pointer_mut(&places[at.index(places.len())]).unwrap() = with;
        let _ = read_introspection(&json);
    }
}

fn walk(json: &Json, path: &mut String, places: &mut Vec<String>) {
    places.push(path.clone());
    let members: Vec<(String, &Json)> = match json {
        Json::Object(members) => members.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Json::Array(elements) => {
            elements.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
        }
        _ => Vec::new(),
    };
    for (name, member) in members {
        let length = path.len();
        path.push('/');
        path.push_str(&name);
        walk(member, path, places);
        path.truncate(length);
    }
}
