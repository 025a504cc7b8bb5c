//! What a query would do, in words.

use std::fmt;

use espressync_model::{Direction, Model, ModelId, Query, Sort};

use crate::Store;
use crate::index::Ordered;
use crate::plan::{Access, Choice, choose, end_of_page};
use crate::search::MOST_KEPT;
use crate::seek::How;

/// How a store answers a query now: it chooses anew each time, by what its tables hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The model's name.
    pub model: String,
    /// How the records are found.
    pub source: Source,
    /// How many records are found so, and looked at unless a page ends before.
    pub found: usize,
    /// How many live records the model has.
    pub of: usize,
    /// Whether each is asked whether it matches: the source alone does not say so.
    pub is_filtered: bool,
    /// How they come to be in order.
    pub order: Arrangement,
    /// How many rows the page begins behind and how many it holds.
    pub page: Option<(usize, usize)>,
}

/// How records are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// By the primary key.
    Key,
    /// By an index.
    Index {
        /// Its fields, with ` desc` where it holds the largest first.
        fields: Vec<String>,
        /// How many runs of it.
        runs: usize,
    },
    /// Each in one of several ways.
    Either(Vec<Source>),
    /// By records at the other end of a relation.
    Relation {
        /// Its name.
        name: String,
        /// How many records there match.
        matching: usize,
        /// How the records here are found by them.
        source: Box<Source>,
    },
    /// All records are looked at.
    Scan,
}

/// How records come to be in the order of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrangement {
    /// In the order in which the store first saw them.
    AsSeen,
    /// As the index has them, or the other way round.
    Index {
        /// Whether from its end.
        is_backward: bool,
    },
    /// They are sorted.
    Sorted {
        /// By which fields, with ` desc` for the largest first.
        by: Vec<String>,
        /// How many are kept while the others are looked at, if not all.
        kept: Option<usize>,
    },
}

impl Store {
    /// How a query would be answered now, without answering it.
    #[must_use]
    pub fn explain(&self, id: ModelId, query: &Query) -> Plan {
        let Choice { access, sort, .. } = choose(self, id, query);
        let (model, of) = (self.schema().model(id), self.live_count(id));
        let sorted = match end_of_page(query) {
            _ if sort.is_empty() => Arrangement::AsSeen,
            end => Arrangement::Sorted {
                by: names(model, &sort),
                kept: end.filter(|end| *end <= MOST_KEPT),
            },
        };
        let (source, found, is_filtered, order) = match access {
            Access::Scan => (Source::Scan, of, !is_all(query), sorted),
            Access::Seek(seek) => {
                (Source::of(model, &seek.how), seek.count, !seek.is_exact, sorted)
            }
            Access::Walk { ordered, run, is_backward, is_exact } => (
                Source::index(model, &ordered, 1),
                run.len(),
                !is_exact,
                Arrangement::Index { is_backward },
            ),
        };
        let page = query.page.map(|page| (page.number.saturating_mul(page.limit), page.limit));
        Plan { model: model.name.clone(), source, found, of, is_filtered, order, page }
    }
}

fn is_all(query: &Query) -> bool {
    crate::seek::demands(&query.predicate).is_empty()
}

fn names(model: &Model, keys: &[Sort]) -> Vec<String> {
    let name = |key: &Sort| {
        let name = &model.at(key.field).name;
        match key.direction {
            Direction::Ascending => name.clone(),
            Direction::Descending => format!("{name} desc"),
        }
    };
    keys.iter().map(name).collect()
}

impl Source {
    fn index(model: &Model, ordered: &Ordered, runs: usize) -> Self {
        Self::Index { fields: names(model, &ordered.keys), runs }
    }

    fn of(model: &Model, how: &How) -> Self {
        match how {
            How::Keys(_) => Self::Key,
            How::Runs(ordered, runs) => Self::index(model, ordered, runs.len()),
            How::Either(parts) => {
                Self::Either(parts.iter().map(|part| Self::of(model, &part.how)).collect())
            }
            How::Related(relation, matching, how) => Self::Relation {
                name: model.relation_at(*relation).name.clone(),
                matching: *matching,
                source: Box::new(Self::of(model, how)),
            },
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => out.write_str("the key"),
            Self::Index { fields, runs: 1 } => write!(out, "index ({})", fields.join(", ")),
            Self::Index { fields, runs } => {
                write!(out, "{runs} runs of index ({})", fields.join(", "))
            }
            Self::Either(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    let or = if position == 0 { "" } else { " or " };
                    write!(out, "{or}{part}")?;
                }
                Ok(())
            }
            Self::Relation { name, matching, source } => {
                write!(out, "{source} from the {matching} matching in `{name}`")
            }
            Self::Scan => out.write_str("a scan"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, source, found, of, .. } = self;
        write!(out, "{model} by {source}: {found} of {of} record(s)")?;
        if self.is_filtered {
            out.write_str(", each asked")?;
        }
        match &self.order {
            Arrangement::AsSeen => {}
            Arrangement::Index { is_backward: false } => out.write_str(", in the index's order")?,
            Arrangement::Index { is_backward: true } => {
                out.write_str(", in the index's order backwards")?;
            }
            Arrangement::Sorted { by, kept: None } => write!(out, ", sorted by {}", by.join(", "))?,
            Arrangement::Sorted { by, kept: Some(kept) } => {
                write!(out, ", the first {kept} by {} kept", by.join(", "))?;
            }
        }
        match self.page {
            Some((start, limit)) => write!(out, "; rows {start} to {}", start + limit),
            None => Ok(()),
        }
    }
}
