use std::sync::Arc;

use serde_json::Value as Json;

/// Where in an answer something stands. Cheap to lengthen: most are never printed.
#[derive(Debug, Clone)]
pub(super) struct Path(Arc<Node>);

#[derive(Debug)]
struct Node {
    parent: Option<Path>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn root(key: &str) -> Self {
        Self(Arc::new(Node { parent: None, step: Step::Key(key.to_owned()) }))
    }

    pub(super) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        Self(Arc::new(Node { parent: Some(self.clone()), step }))
    }

    /// The path as GraphQL writes it.
    pub(super) fn to_json(&self) -> Json {
        Json::Array(self.steps())
    }

    fn steps(&self) -> Vec<Json> {
        let mut steps = self.0.parent.as_ref().map(Self::steps).unwrap_or_default();
        steps.push(match &self.0.step {
            Step::Key(key) => Json::from(key.as_str()),
            Step::Index(index) => Json::from(*index),
        });
        steps
    }
}
