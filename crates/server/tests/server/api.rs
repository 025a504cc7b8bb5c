use std::sync::Arc;

use espressync_model::{ApiSchema, ModelApi, Offer};
use espressync_resolver::{Caller, Rules, Strategies};
use espressync_server::backend::Backend;
use espressync_server::{Api, DEFAULT_WINDOW_MS, Limits, Request};
use serde_json::{Value as Json, json};

use crate::support::{RICH, Server};

/// An API over a server's database that offers something else.
fn api(server: &Server, rules: Arc<Rules>) -> Api {
    let backend = Arc::clone(&server.backend) as Arc<dyn Backend>;
    Api::new(rules, backend, DEFAULT_WINDOW_MS).expect("an API")
}

async fn ask(api: &Api, query: &str) -> Json {
    let request = Request { query: query.to_owned(), ..Request::default() };
    api.execute(Arc::new(Caller::with_api_key()), request).await.body
}

fn message(answer: &Json) -> &str {
    answer["errors"][0]["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_api_is_what_the_schema_offers() {
    let server = Server::of(RICH);
    let schema = server.rules.schema().clone();
    let foreign_key = schema
        .model_named("Comment")
        .expect("a model")
        .fields()
        .find(|(_, field)| field.name == "postCommentsId");
    let (foreign_key, _) = foreign_key.expect("a foreign key");
    let models = schema.models().map(|(_, model)| match model.name.as_str() {
        "Blog" => ModelApi {
            get: Offer::Off,
            list: Offer::Named("blogs".to_owned()),
            create: Offer::Named("found".to_owned()),
            update: Offer::Off,
            on_create: vec![Offer::Named("onFound".to_owned()), Offer::Usual],
            on_update: vec![Offer::Off],
            on_delete: Vec::new(),
            limits: vec![("posts".to_owned(), 1)],
            ..ModelApi::default()
        },
        "Comment" => ModelApi { input_only: [foreign_key].into(), ..ModelApi::default() },
        _ => ModelApi::default(),
    });
    let schema = ApiSchema::new(schema.clone(), models.collect());
    let api = api(&server, Arc::new(Rules::new(Arc::new(schema), Strategies::default())));
    let sdl = api.sdl();
    for (text, is_there) in [
        ("getBlog", false),
        ("listBlogs", false),
        ("\tblogs(filter: ModelBlogFilterInput, limit: Int, nextToken: String)", true),
        ("syncBlogs(", true),
        ("\tfound(input: CreateBlogInput!, condition: ModelBlogConditionInput): Blog", true),
        ("updateBlog", false),
        ("UpdateBlogInput", false),
        ("deleteBlog(", true),
        ("onFound(", true),
        ("onCreateBlog(", true),
        ("onUpdateBlog", false),
        ("onDeleteBlog", false),
        ("\tpostCommentsId: ModelIDInput", false),
        ("\tpostCommentsId: ModelSubscriptionIDInput", false),
    ] {
        assert_eq!(sdl.contains(text), is_there, "{text}");
    }
    let in_inputs = sdl.matches("\tpostCommentsId: ID\n").count();
    assert_eq!(in_inputs, 2, "of create and update, not of the type");
    let create = "mutation m { found(input: { id: \"b\", name: \"b\" }) { id } }";
    assert_eq!(ask(&api, create).await["data"]["found"]["id"], "b");
    for id in ["p", "q"] {
        let input = format!("{{ id: \"{id}\", title: \"t\", blogId: \"b\" }}");
        let query = format!("mutation m {{ createPost(input: {input}) {{ id }} }}");
        ask(&api, &query).await;
    }
    let query =
        "{ blogs { items { posts { items { id } } all: posts(limit: 9) { items { id } } } } }";
    let found = ask(&api, query).await;
    let blog = &found["data"]["blogs"]["items"][0];
    assert_eq!(blog["posts"]["items"], json!([{ "id": "p" }]), "{found}");
    assert_eq!(blog["all"]["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_request_has_limits() {
    let server = Server::of(RICH);
    for number in 0..6 {
        let post = format!(
            "createPost(input: {{ id: \"p{number}\", title: \"t\", blogId: \"b\" }}) {{ id }}"
        );
        let data = server.data(&format!("mutation m {{ {post} }}"), json!({})).await;
        assert_eq!(data["createPost"]["id"], format!("p{number}"));
    }
    server
        .data("mutation m { createBlog(input: { id: \"b\", name: \"b\" }) { id } }", json!({}))
        .await;
    let limits = Limits { depth: 6, fields: 12, aliases: 3, records: 10 };
    let api = api(&server, Arc::clone(&server.rules)).with_limits(limits);
    let check = async |query: &str, expected: &str| {
        let answer = ask(&api, query).await;
        assert!(message(&answer).contains(expected), "{query}: {answer}");
        assert_eq!(message(&answer).is_empty(), expected.is_empty(), "{query}: {answer}");
    };
    let posts = "posts { items { id } }";
    check(&format!("{{ listBlogs {{ items {{ {posts} }} }} }}"), "").await;
    let deep = "{ listBlogs { items { posts { items { comments { items { post { id } } } } } } } }";
    check(deep, "the request nests deeper than 6 levels").await;
    let many = "{ a: listPosts { nextToken } b: listPosts { nextToken } \
                c: listPosts { nextToken } d: listPosts { nextToken } }";
    check(many, "the request asks for 4 fields at once; at most 3 may be").await;
    let wide = "{ listPosts { items { id title rating score open day stamp status tags earlier blogId } } }";
    check(wide, "the request selects 13 fields; at most 12 may be").await;
    let twice = "{ a: listPosts { nextToken } b: listPosts { nextToken } }";
    let records = "the answer would be made of more than 10 records; ask for shorter pages";
    check(twice, records).await;
    let related = format!("{{ listBlogs {{ items {{ {posts} all: {posts} }} }} }}");
    check(&related, records).await;
}

#[tokio::test]
async fn a_part_of_a_composite_key_is_not_written_alone() {
    let server = Server::of(RICH);
    let write = async |field: &str, input: &str| {
        let query = format!("mutation m {{ {field}(input: {input}) {{ id }} }}");
        let answer = server.ask(&query, json!({})).await;
        message(&answer).to_owned()
    };
    let expected = |verb: &str, field: &str| {
        format!(
            "When {verb} any part of the composite sort key for @index 'byStatus', you must \
             provide all fields for the key. Missing key: '{field}'."
        )
    };
    let create = "{ id: \"p\", title: \"t\", day: \"2026-01-01\" }";
    assert_eq!(write("createPost", create).await, expected("creating", "rating"));
    let create = "{ id: \"p\", title: \"t\", day: \"2026-01-01\", rating: null }";
    assert_eq!(write("createPost", create).await, "");
    let update = "{ id: \"p\", rating: 3, _version: 1 }";
    assert_eq!(write("updatePost", update).await, expected("updating", "day"));
    let update = "{ id: \"p\", rating: 3, day: \"2026-01-01\", _version: 1 }";
    assert_eq!(write("updatePost", update).await, "");
    assert_eq!(write("updatePost", "{ id: \"p\", title: \"u\", _version: 2 }").await, "");
}
