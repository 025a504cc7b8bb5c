use serde_json::{Value as Json, json};

use crate::support::{RICH, Server};

const CREATE: &str =
    "mutation m($input: CreatePostInput!) { createPost(input: $input) { _version } }";

const FIELDS: &str = "id blogId title rating score open day stamp status earlier tags _deleted";

/// Numbers that look as if by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn of(&mut self, choices: &[Json]) -> Json {
        choices[self.below(choices.len())].clone()
    }
}

/// The values that a field of a post may have, null apart.
fn values(field: &str) -> Vec<Json> {
    match field {
        "title" => {
            vec![json!("Ada"), json!("Adam"), json!("çay"), json!("\u{1f600}"), json!("\u{ff5e}")]
        }
        "blogId" => vec![json!("x"), json!("y")],
        "rating" => vec![json!(-4), json!(0), json!(9), json!(10)],
        "score" => vec![json!(-0.5), json!(2.0), json!(2.25)],
        "open" => vec![json!(true), json!(false)],
        "day" => vec![json!("2026-01-01"), json!("2026-01-02"), json!("2025-12-31")],
        "stamp" => vec![json!(0), json!(1_700_000_000)],
        "status" => vec![json!("DRAFT"), json!("PUBLISHED"), json!("ARCHIVED")],
        _ => unreachable!("{field}"),
    }
}

const SCALARS: [&str; 8] = ["title", "blogId", "rating", "score", "open", "day", "stamp", "status"];

async fn fill(server: &Server, chance: &mut Chance, count: usize) {
    for number in 0..count {
        let mut input = json!({ "id": format!("p{number}") });
        for field in SCALARS {
            // Null where it is left out: an index takes its keys all or none.
            let is_set = field == "title" || chance.below(4) > 0;
            input[field] = if is_set { chance.of(&values(field)) } else { json!(null) };
        }
        for (list, of) in [("tags", "title"), ("earlier", "status")] {
            if chance.below(3) > 0 {
                let count = chance.below(3);
                input[list] = (0..count).map(|_| chance.of(&values(of))).collect();
            }
        }
        server.data(CREATE, json!({ "input": input })).await;
        if chance.below(5) == 0 {
            let query = "mutation m($i: DeletePostInput!) { deletePost(input: $i) { id } }";
            let input = json!({ "id": format!("p{number}"), "_version": 1 });
            server.data(query, json!({ "i": input })).await;
        }
    }
}

/// A filter of comparisons that the API has.
fn random_filter(chance: &mut Chance, depth: usize) -> Json {
    if depth > 0 {
        let count = chance.below(3);
        match chance.below(5) {
            0 => return json!({ "not": random_filter(chance, depth - 1) }),
            1 | 2 => {
                let word = if chance.below(2) == 0 { "and" } else { "or" };
                let parts: Vec<Json> =
                    (0..=count).map(|_| random_filter(chance, depth - 1)).collect();
                return json!({ word: parts });
            }
            _ => {}
        }
    }
    random_comparison(chance)
}

fn random_comparison(chance: &mut Chance) -> Json {
    match chance.below(12) {
        0 => return json!({ "_deleted": { "ne": true } }),
        1 => return json!({ "tags": { "contains": chance.of(&values("title")) } }),
        2 => return json!({ "earlier": { "notContains": chance.of(&values("status")) } }),
        3 => return json!({ "tags": { "size": { "ge": chance.below(3) } } }),
        4 => return json!({ "title": { "size": { "between": [1, 3] } } }),
        _ => {}
    }
    let field = SCALARS[chance.below(SCALARS.len())];
    let operators: &[&str] = match field {
        "open" => &["eq", "ne", "attributeExists"],
        "status" => &["eq", "ne"],
        "rating" | "score" | "stamp" => {
            &["eq", "ne", "lt", "le", "gt", "ge", "between", "attributeExists", "attributeType"]
        }
        _ => &[
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "between",
            "beginsWith",
            "contains",
            "notContains",
            "attributeExists",
            "attributeType",
        ],
    };
    let operator = operators[chance.below(operators.len())];
    let operand = match operator {
        "between" => json!([chance.of(&values(field)), chance.of(&values(field))]),
        "attributeExists" => json!(chance.below(2) == 0),
        "attributeType" => chance.of(&[json!("string"), json!("number"), json!("_null")]),
        "beginsWith" | "contains" | "notContains" => {
            let text = chance.of(&values(field));
            let text = text.as_str().expect("text").chars().take(2);
            json!(text.collect::<String>())
        }
        _ => chance.of(&values(field)),
    };
    json!({ field: { operator: operand } })
}

/// Whether a row passes a filter, as simply as it can be said.
fn holds(filter: &Json, row: &Json) -> bool {
    let all = |parts: &Json| parts.as_array().expect("parts").iter().all(|part| holds(part, row));
    let any = |parts: &Json| parts.as_array().expect("parts").iter().any(|part| holds(part, row));
    filter.as_object().expect("a filter").iter().all(|(name, json)| match name.as_str() {
        "and" => all(json),
        "or" => any(json),
        "not" => !holds(json, row),
        name => {
            let mut operators = json.as_object().expect("operators").iter();
            operators.all(|(operator, operand)| compares(&row[name], operator, operand))
        }
    })
}

fn compares(value: &Json, operator: &str, operand: &Json) -> bool {
    use std::cmp::Ordering;
    let order = |other: &Json| match (value, other) {
        (Json::String(a), Json::String(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
        (Json::Bool(a), Json::Bool(b)) => Some(a.cmp(b)),
        (Json::Null, Json::Null) => Some(Ordering::Equal),
        _ => value.as_f64()?.partial_cmp(&other.as_f64()?),
    };
    let ordered = |other: &Json, accepted: fn(Ordering) -> bool| {
        !value.is_null() && order(other).is_some_and(accepted)
    };
    let contains = || match (value, operand) {
        (Json::String(text), Json::String(part)) => text.contains(part.as_str()),
        (Json::Array(elements), part) => elements.contains(part),
        _ => false,
    };
    match operator {
        "eq" => order(operand) == Some(Ordering::Equal),
        "ne" => order(operand) != Some(Ordering::Equal),
        "lt" => ordered(operand, Ordering::is_lt),
        "le" => ordered(operand, Ordering::is_le),
        "gt" => ordered(operand, Ordering::is_gt),
        "ge" => ordered(operand, Ordering::is_ge),
        "between" => ordered(&operand[0], Ordering::is_ge) && ordered(&operand[1], Ordering::is_le),
        "beginsWith" => match (value.as_str(), operand.as_str()) {
            (Some(text), Some(start)) => text.starts_with(start),
            _ => false,
        },
        "contains" => contains(),
        "notContains" => !contains(),
        "attributeExists" => value.is_null() != *operand,
        "attributeType" => match operand.as_str() {
            Some("_null") => value.is_null(),
            Some("number") => value.is_number(),
            _ => value.is_string(),
        },
        "size" => {
            let size = value.as_array().map(Vec::len);
            let size = size.or_else(|| value.as_str().map(|text| text.chars().count()));
            let mut operators = operand.as_object().expect("operators").iter();
            operators.all(|(operator, operand)| compares(&json!(size), operator, operand))
        }
        _ => unreachable!("{operator}"),
    }
}

/// All rows of a field that takes a filter, over pages of some length.
async fn rows(server: &Server, field: &str, filter: &Json, limit: usize) -> Vec<Json> {
    let (name, arguments) = field
        .split_once('(')
        .map_or((field, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
    let query = format!(
        "query q($filter: ModelPostFilterInput, $limit: Int, $token: String) {{
            found: {name}({arguments} filter: $filter, limit: $limit, nextToken: $token) {{
                items {{ {FIELDS} }} nextToken }} }}"
    );
    let (mut rows, mut token) = (Vec::new(), json!(null));
    loop {
        let variables = json!({ "filter": filter, "limit": limit, "token": token });
        let page = server.data(&query, variables).await["found"].take();
        rows.extend(page["items"].as_array().expect("items").iter().cloned());
        token = page["nextToken"].clone();
        if token.is_null() {
            return rows;
        }
    }
}

fn ids(rows: &[Json]) -> Vec<&str> {
    let mut ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    ids.sort_unstable();
    ids
}

/// Whatever a filter says, a list, an index, and a sync query, which may read through an index,
/// answer the rows that a plain walk through all of them would choose.
#[tokio::test]
async fn a_filter_chooses_what_it_says_at_every_door() {
    let (server, mut chance) = (Server::of(RICH), Chance(11));
    fill(&server, &mut chance, 60).await;
    let all = rows(&server, "listPosts", &json!(null), 1000).await;
    assert_eq!(all.len(), 60);
    for _ in 0..60 {
        let filter = random_filter(&mut chance, 3);
        let limit = 7 + chance.below(60);
        let narrow = json!({ "and": [{ "blogId": { "eq": "x" } }, filter] });
        for (field, filter) in [
            ("listPosts", &filter),
            ("syncPosts", &filter),
            ("syncPosts", &narrow),
            ("listPosts", &narrow),
        ] {
            let expected: Vec<Json> =
                all.iter().filter(|row| holds(filter, row)).cloned().collect();
            let found = rows(&server, field, filter, limit).await;
            assert_eq!(ids(&found), ids(&expected), "{field} {filter}");
        }
        let indexed = "postsByBlog(blogId: \"x\",)";
        let found = rows(&server, indexed, &filter, limit).await;
        let expected: Vec<Json> = all.iter().filter(|row| holds(&narrow, row)).cloned().collect();
        assert_eq!(ids(&found), ids(&expected), "{indexed} {filter}");
    }
}

/// A selective sync reads what it wants and not the table: one page of so many holds it all,
/// though the limit counts what is read (contract 2.4).
#[tokio::test]
async fn a_selective_sync_reads_no_more_than_it_wants() {
    let server = Server::of(RICH);
    for number in 0..300 {
        let blog = if number % 100 == 50 { "x" } else { "y" };
        let input = json!({
            "id": format!("p{number}"), "title": "t", "blogId": blog, "rating": number,
            "status": if blog == "x" { "DRAFT" } else { "ARCHIVED" }, "day": "2026-01-01",
        });
        server.data(CREATE, json!({ "input": input })).await;
    }
    let query = "query q($filter: ModelPostFilterInput, $limit: Int, $last: AWSTimestamp) {
        syncPosts(filter: $filter, limit: $limit, lastSync: $last) { items { id } nextToken } }";
    let check = async |filter: Json, limit: usize, expected: &[&str]| {
        let variables = json!({ "filter": { "and": filter }, "limit": limit, "last": 0 });
        let data = server.data(query, variables).await;
        let found = ids(data["syncPosts"]["items"].as_array().expect("items"));
        let is_whole = data["syncPosts"]["nextToken"].is_null();
        assert_eq!((found.as_slice(), is_whole), (expected, true), "{filter}: {data}");
    };
    let blog = || json!({ "blogId": { "eq": "x" } });
    check(json!([blog()]), 3, &["p150", "p250", "p50"]).await;
    check(json!([blog(), { "rating": { "gt": 50 } }]), 2, &["p150", "p250"]).await;
    check(json!([blog(), { "rating": { "between": [100, 200] } }]), 1, &["p150"]).await;
    check(json!([{ "rating": { "le": 50 } }, blog()]), 1, &["p50"]).await;
    check(json!([{ "status": { "eq": "DRAFT" } }, { "rating": { "lt": 60 } }]), 3, &["p50"]).await;
    check(json!([{ "id": { "eq": "p7" } }]), 1, &["p7"]).await;
    check(json!([blog(), { "id": { "eq": "p7" } }]), 1, &[]).await;
}

#[tokio::test]
async fn a_condition_may_ask_for_sizes_and_tombstones() {
    let server = Server::of(RICH);
    let input = json!({ "id": "p", "title": "Ada", "tags": ["hot"] });
    server.data(CREATE, json!({ "input": input })).await;
    let query = "mutation m($input: UpdatePostInput!, $condition: ModelPostConditionInput) {
        updatePost(input: $input, condition: $condition) { _version } }";
    let update = async |version: u64, condition: Json| {
        let input = json!({ "id": "p", "stamp": version, "_version": version });
        let answer = server.ask(query, json!({ "input": input, "condition": condition })).await;
        answer["errors"][0]["errorType"].clone()
    };
    let failed = json!("ConditionalCheckFailedException");
    assert_eq!(update(1, json!({ "title": { "size": { "gt": 3 } } })).await, failed);
    assert_eq!(update(1, json!({ "_deleted": { "eq": true } })).await, failed);
    assert_eq!(update(1, json!({ "tags": { "attributeType": "string" } })).await, failed);
    let good = json!({
        "title": { "size": { "between": [3, 4] } },
        "tags": { "size": { "eq": 1 }, "attributeType": "list" },
        "_deleted": { "ne": true },
    });
    assert_eq!(update(1, good).await, json!(null));
    let delete = "mutation m($i: DeletePostInput!) { deletePost(input: $i) { id } }";
    server.data(delete, json!({ "i": { "id": "p", "_version": 2 } })).await;
    assert_eq!(update(3, json!({ "_deleted": { "attributeExists": false } })).await, failed);
    assert_eq!(update(3, json!({ "_deleted": { "eq": true } })).await, json!(null));
}
