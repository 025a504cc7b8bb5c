//! Answers from `tests/golden/answers.json`: what came, and what is understood.

use espressync_model::remote::{Answer, Mutation, Operation, RemoteError, Request, SyncRequest};
use espressync_model::{Key, Model, Patch, Predicate, Record, Schema, Timestamp};
use espressync_wire::answer::{Reply, read};

use crate::golden;
use crate::schema::{ORDER, schema};

#[test]
fn answers_are_understood() {
    let schema = schema();
    for case in golden::read("answers").as_array().unwrap() {
        let text = |name: &str| case[name].as_str();
        let body = text("body").map_or_else(|| case["body"].to_string(), ToOwned::to_owned);
        let reply = Reply {
            status: case["status"].as_u64().map_or(200, |status| status.try_into().unwrap()),
            error_type: text("errorType"),
            body: &body,
        };
        let found = match read(&schema, &request(text("request").unwrap()), reply) {
            Ok(answer) => describe_answer(&schema, &answer),
            Err(error) => format!("failed: {}", describe_error(&schema, &error)),
        };
        assert_eq!(found, text("understood").unwrap(), "{}", case["case"]);
    }
}

fn request(name: &str) -> Request {
    let mutation = |id: &str| Mutation {
        model: ORDER,
        key: Key::from(id),
        operation: Operation::Update,
        fields: Patch::default(),
        version: 1,
        condition: Predicate::All,
        once: None,
    };
    let sync = |last_sync| SyncRequest {
        model: ORDER,
        last_sync,
        next_token: None,
        limit: 10,
        filter: Predicate::All,
    };
    match name {
        "mutate one" => Request::Mutate(vec![mutation("o1")]),
        "mutate two" => Request::Mutate(vec![mutation("o1"), mutation("o2")]),
        "mutate none" => Request::Mutate(vec![]),
        "sync all" => Request::Sync(sync(None)),
        "sync changes" => Request::Sync(sync(Some(Timestamp(5)))),
        "get" => Request::Get(ORDER, Key::from("o1")),
        other => panic!("no request is called {other}"),
    }
}

fn describe_answer(schema: &Schema, answer: &Answer) -> String {
    let model = schema.model(ORDER);
    match answer {
        Answer::Mutate(answers) => {
            let answers = answers.iter().map(|answer| match answer {
                Ok(record) => describe_record(model, record),
                Err(error) => describe_error(schema, error),
            });
            answers.collect::<Vec<_>>().join(" | ")
        }
        Answer::Sync(page) => {
            let records: Vec<_> =
                page.records.iter().map(|record| describe_record(model, record)).collect();
            format!(
                "[{}] next {:?} started {} base {} unreadable {:?}",
                records.join(", "),
                page.next_token,
                page.started_at.0,
                page.is_base,
                page.unreadable,
            )
        }
        Answer::Get(record) => {
            record.as_ref().map_or("none".into(), |record| describe_record(model, record))
        }
    }
}

fn describe_record(model: &Model, record: &Record) -> String {
    let deleted = if record.meta.deleted { " deleted" } else { "" };
    format!("{} v{}{deleted}", model.key_of(&record.row).unwrap(), record.meta.version)
}

fn describe_error(schema: &Schema, error: &RemoteError) -> String {
    let stored = error.stored.as_ref().map_or(String::new(), |stored| {
        format!(" (stored {})", describe_record(schema.model(ORDER), stored))
    });
    format!("{:?}: {error}{stored}", error.kind)
}
