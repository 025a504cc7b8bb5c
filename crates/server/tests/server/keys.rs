use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{RICH, Server};

/// A server with visits, and posts of two blogs.
async fn server() -> Server {
    let server = Server::of(RICH);
    for (till, day, number) in [
        ("a", "2026-01-02", 9),
        ("a", "2026-01-02", 10),
        ("a", "2026-01-01", 3),
        ("b", "2026-01-01", 1),
        ("a", "2026-01-10", 1),
    ] {
        let guest = if till == "a" { "Ada" } else { "Bob" };
        let input = json!({ "till": till, "day": day, "number": number, "guest": guest });
        create(&server, "Visit", input).await;
    }
    for id in ["x", "y"] {
        create(&server, "Blog", json!({ "id": id, "name": id })).await;
    }
    for (id, blog, rating, status, day) in [
        ("p1", "x", json!(10), "DRAFT", "2026-01-01"),
        ("p2", "x", json!(9), "DRAFT", "2026-01-02"),
        ("p3", "y", json!(9), "PUBLISHED", "2026-01-02"),
        ("p4", "x", json!(null), "DRAFT", "2026-01-03"),
        ("p5", "x", json!(-4), "DRAFT", "2026-01-02"),
        ("p6", "x", json!(9), "ARCHIVED", "2026-01-02"),
    ] {
        let input = json!({
            "id": id, "blogId": blog, "rating": rating, "status": status, "day": day, "title": id,
        });
        create(&server, "Post", input).await;
    }
    server
}

async fn create(server: &Server, model: &str, input: Json) {
    let query = format!(
        "mutation m($input: Create{model}Input!) {{ create{model}(input: $input) {{ _version }} }}"
    );
    server.data(&query, json!({ "input": input })).await;
}

/// What the first field of an answer has under `items`, short.
fn names(answer: &Json) -> Vec<String> {
    let field = answer["data"].as_object().and_then(|data| data.values().next());
    let items = field.and_then(|field| field["items"].as_array());
    let items = items.unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(name).collect()
}

fn name(item: &Json) -> String {
    match item["id"].as_str() {
        Some(id) => id.to_owned(),
        None => format!(
            "{}{}#{}",
            item["till"].as_str().expect("a till"),
            &item["day"].as_str().expect("a day")[8..],
            item["number"]
        ),
    }
}

async fn check(server: &Server, field: &str, expected: &[&str]) {
    let fields = if field.contains("isits") { "till day number" } else { "id" };
    let answer =
        server.ask(&format!("{{ {field} {{ items {{ {fields} }} nextToken }} }}"), json!({})).await;
    assert_eq!(names(&answer), expected, "{field}: {answer}");
}

#[tokio::test]
async fn a_list_follows_its_key() {
    let server = server().await;
    let check = async |arguments: &str, expected: &[&str]| {
        check(&server, &format!("listVisits({arguments})"), expected).await;
    };
    // The rest of the key is one text: `2026-01-02#10` comes before `2026-01-02#9`.
    let all = ["a01#3", "a02#10", "a02#9", "a10#1"];
    check("till: \"a\"", &all).await;
    check("till: \"a\", sortDirection: DESC", &["a10#1", "a02#9", "a02#10", "a01#3"]).await;
    check("till: \"c\"", &[]).await;
    let with = |condition: &str| format!("till: \"a\", dayNumber: {{ {condition} }}");
    check(&with("beginsWith: { day: \"2026-01-0\" }"), &all[..3]).await;
    check(&with("eq: { day: \"2026-01-02\", number: 9 }"), &["a02#9"]).await;
    check(&with("eq: { day: \"2026-01-02\" }"), &[]).await;
    check(&with("ge: { day: \"2026-01-02\" }"), &all[1..]).await;
    check(&with("gt: { day: \"2026-01-02\", number: 10 }"), &all[2..]).await;
    check(&with("le: { day: \"2026-01-02\", number: 10 }"), &all[..2]).await;
    check(&with("lt: { day: \"2026-01-02\" }"), &all[..1]).await;
    let between = "between: [{ day: \"2026-01-01\" }, { day: \"2026-01-02\", number: 10 }]";
    check(&with(between), &all[..2]).await;
    check(&with(""), &all).await;
    check("till: \"a\", filter: { number: { lt: 10 } }", &["a01#3", "a02#9", "a10#1"]).await;
    let in_key_order = ["a01#3", "a02#10", "a02#9", "a10#1", "b01#1"];
    check("limit: 100", &in_key_order).await;
}

#[tokio::test]
async fn a_key_of_one_field_is_looked_up() {
    let server = Server::of(RICH);
    for serial in ["s1", "s2"] {
        create(&server, "Device", json!({ "serial": serial })).await;
    }
    for (arguments, expected) in [
        ("(serial: \"s2\")", json!([{ "serial": "s2" }])),
        ("(serial: \"s3\")", json!([])),
        ("", json!([{ "serial": "s1" }, { "serial": "s2" }])),
    ] {
        let query = format!("{{ listDevices{arguments} {{ items {{ serial }} nextToken }} }}");
        let data = server.data(&query, json!({})).await;
        let expected = json!({ "items": expected, "nextToken": null });
        assert_eq!(data["listDevices"], expected, "{arguments}");
    }
}

#[tokio::test]
async fn an_index_is_a_query() {
    let server = server().await;
    let check = async |field: &str, expected: &[&str]| check(&server, field, expected).await;
    // What has no value to be sorted by comes first.
    check("postsByBlog(blogId: \"x\")", &["p4", "p5", "p2", "p6", "p1"]).await;
    let down = "postsByBlog(blogId: \"x\", sortDirection: DESC)";
    check(down, &["p1", "p6", "p2", "p5", "p4"]).await;
    check("postsByBlog(blogId: \"x\", rating: { le: 9 })", &["p5", "p2", "p6"]).await;
    check("postsByBlog(blogId: \"x\", rating: { between: [9, 10] })", &["p2", "p6", "p1"]).await;
    check("postsByBlog(blogId: \"x\", filter: { status: { ne: DRAFT } })", &["p6"]).await;
    let drafts = "postsByStatus(status: DRAFT, dayRating: { beginsWith: { day: \"2026-01-02\" } })";
    // Text again: `-` comes before the digits.
    check(drafts, &["p5", "p2"]).await;
    check("visitsByGuest(guest: \"Bob\")", &["b01#1"]).await;
}

#[tokio::test]
async fn what_a_key_cannot_be_asked_is_named() {
    let server = server().await;
    let check = async |field: &str, expected: &str| {
        let answer = server.ask(&format!("{{ {field} {{ nextToken }} }}"), json!({})).await;
        assert_eq!(answer["errors"][0]["message"], expected, "{field}: {answer}");
    };
    let direction =
        "When providing argument 'sortDirection' you must also provide argument 'till'.";
    check("listVisits(sortDirection: DESC)", direction).await;
    let condition = "When providing argument 'dayNumber' you must also provide 'till'.";
    check("listVisits(dayNumber: { eq: { day: \"2026-01-02\" } })", condition).await;
    let direction =
        "sortDirection is not supported for List operations without a Sort key defined.";
    check("listDevices(serial: \"s\", sortDirection: ASC)", direction).await;
    check("visitsByGuest(guest: \"Ada\", sortDirection: ASC)", direction).await;
    check(
        "listVisits(till: \"a\", dayNumber: { eq: { number: 3 } })",
        "When providing argument 'dayNumber.eq.number' you must also provide 'dayNumber.eq.day'.",
    )
    .await;
    check(
        "listVisits(till: \"a\", dayNumber: { between: [{ day: \"2026-01-01\" }] })",
        "Argument 'dayNumber.between' expects exactly two elements.",
    )
    .await;
    check(
        "listVisits(till: \"a\", dayNumber: { eq: { day: \"a\" }, lt: { day: \"b\" } })",
        "Argument dayNumber must specify at most one key condition operation.",
    )
    .await;
    check(
        "postsByBlog(blogId: \"x\", rating: { ge: 1, le: 2 })",
        "KeyConditionExpressions must only contain one condition per key. Provide a single \
         operator (one of eq, lt, le, gt, ge, beginsWith, between) on the sort key argument.",
    )
    .await;
}

#[tokio::test]
async fn related_records_follow_the_index() {
    let server = server().await;
    let ids = |list: &Json| -> Vec<String> { list.as_array().unwrap().iter().map(name).collect() };
    for (arguments, expected) in [
        ("", [vec!["p4", "p5", "p2", "p6", "p1"], vec!["p3"]]),
        ("(sortDirection: DESC, limit: 2)", [vec!["p1", "p6"], vec!["p3"]]),
        ("(rating: { gt: 9 })", [vec!["p1"], vec![]]),
    ] {
        let query =
            format!("{{ listBlogs {{ items {{ posts{arguments} {{ items {{ id }} }} }} }} }}");
        let data = server.data(&query, json!({})).await;
        let blogs = data["listBlogs"]["items"].as_array().unwrap();
        let found: Vec<Vec<String>> =
            blogs.iter().map(|blog| ids(&blog["posts"]["items"])).collect();
        assert_eq!(found, expected, "{arguments}");
    }
}

/// Walks through all pages of a field and returns what they hold and how long they are.
async fn pages(server: &Server, arguments: &str, limit: usize) -> Vec<String> {
    let query = format!(
        "query q($limit: Int, $nextToken: String) {{
            found: {} {{ items {{ id }} nextToken }} }}",
        arguments.replace("PAGE", "limit: $limit, nextToken: $nextToken")
    );
    let (mut found, mut token) = (Vec::new(), json!(null));
    loop {
        let variables = json!({ "limit": limit, "nextToken": token });
        let answer = server.ask(&query, variables).await;
        let page = names(&answer);
        assert!(page.len() <= limit, "{answer}");
        found.extend(page);
        token = answer["data"]["found"]["nextToken"].clone();
        if token.is_null() {
            return found;
        }
    }
}

/// However long the pages are, together they are the whole in its order, and so it is when many
/// are sorted alike.
#[tokio::test]
async fn pages_together_are_the_whole() {
    let server = Server::of(RICH);
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut expected: BTreeMap<(Option<u64>, String), String> = BTreeMap::new();
    for number in 0..60 {
        let (id, rating) = (format!("p{}|{}", next(1000), number), next(6));
        let rating = (rating > 0).then_some(rating);
        let input = json!({ "id": id, "title": "t", "blogId": "x", "rating": rating, "day": null });
        create(&server, "Post", input).await;
        expected.insert((rating, id.clone()), id);
    }
    let up: Vec<String> = expected.into_values().collect();
    let down: Vec<String> = up.iter().rev().cloned().collect();
    for limit in [1, 2, 3, 7, 59, 60, 61] {
        let found = pages(&server, "postsByBlog(blogId: \"x\", PAGE)", limit).await;
        assert_eq!(found, up, "{limit}");
        let found =
            pages(&server, "postsByBlog(blogId: \"x\", sortDirection: DESC, PAGE)", limit).await;
        assert_eq!(found, down, "{limit}");
    }
    let token = "query q { postsByBlog(blogId: \"x\", limit: 1) { nextToken } }";
    let data = server.data(token, json!({})).await;
    let query = "query q($t: String) {
        postsByBlog(blogId: \"x\", sortDirection: DESC, nextToken: $t) { nextToken } }";
    let answer = server.ask(query, json!({ "t": data["postsByBlog"]["nextToken"] })).await;
    let expected = "nextToken is not one that postsByBlog gave";
    assert_eq!(answer["errors"][0]["message"], expected, "a token is of one order");
}
