use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use espressync_resolver::Rules;

use super::CommandError;
use super::scan::{Scan, scan};
use crate::sqlite::{Described, DescribedModel, Moved, Snapshot, describe, stored_as};

/// What a new schema means for a file: step by step, and what of it is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    models: BTreeMap<String, Vec<Step>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    text: String,
    weight: Weight,
}

/// What a step does to the records.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Weight {
    /// Nothing.
    Harmless,
    /// There are none, and the model goes.
    Clears,
    /// It takes something that they hold.
    Loses(Loss),
    /// It cannot be done to them.
    Impossible,
}

/// What goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loss {
    /// All records of the model.
    Model,
    /// A field of them, or a member of an embedded type, by the names that lead there.
    Field(Vec<String>),
}

impl Plan {
    /// Compares a file with a schema: what it remembers of its last one, and every record.
    pub(super) fn of(file: &Snapshot, rules: &Rules) -> Result<Self, CommandError> {
        let new = describe(rules);
        let old = file.described()?;
        let old: Option<Described> = old.and_then(|text| serde_json::from_str(&text).ok());
        let renames = file.renames(rules)?;
        let stored = file.models()?;
        let stored: Vec<String> =
            stored.iter().map(|table| renames.new_name(table).to_owned()).collect();
        let mut plan = Self::default();
        let names: BTreeSet<&String> = stored.iter().chain(new.keys()).collect();
        for name in names {
            let table = renames.old_name(name);
            let is_stored = stored.contains(name);
            let scan = if is_stored { scan(file, rules, table)? } else { Scan::default() };
            let before = old.as_ref().and_then(|old| old.get(table));
            let mut steps = renamed_model(table, name, renames.clashes());
            steps.extend(match new.get(name) {
                None => vec![lost_model(&scan)],
                Some(_) if !is_stored => vec![Step::harmless("+ new model".to_owned())],
                Some(after) => model_steps(rules, name, (before, after), &scan),
            });
            if !steps.is_empty() {
                plan.models.insert(name.clone(), steps);
            }
        }
        Ok(plan)
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// What is lost, by model.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&str, &Loss)> {
        self.models.iter().flat_map(|(name, steps)| {
            steps.iter().filter_map(move |step| match &step.weight {
                Weight::Loses(loss) => Some((name.as_str(), loss)),
                Weight::Harmless | Weight::Clears | Weight::Impossible => None,
            })
        })
    }

    /// The models that go and have no records.
    pub(super) fn cleared(&self) -> impl Iterator<Item = &str> {
        let models = self.models.iter();
        let cleared =
            models.filter(|(_, steps)| steps.iter().any(|step| step.weight == Weight::Clears));
        cleared.map(|(name, _)| name.as_str())
    }

    /// Whether some of it cannot be done.
    pub(super) fn is_impossible(&self) -> bool {
        self.models.values().flatten().any(|step| step.weight == Weight::Impossible)
    }
}

impl Step {
    fn harmless(text: String) -> Self {
        Self { text, weight: Weight::Harmless }
    }
}

fn lost_model(scan: &Scan) -> Step {
    match scan.rows {
        0 => Step { text: "- model, which has no records".to_owned(), weight: Weight::Clears },
        rows => Step {
            text: format!("- model: LOSES its {}", records(rows)),
            weight: Weight::Loses(Loss::Model),
        },
    }
}

/// What becomes of a model's table.
fn renamed_model(table: &str, name: &str, clashes: &[(String, String)]) -> Vec<Step> {
    let clashes = clashes.iter().filter(|(_, new)| new == name).map(|(old, new)| Step {
        text: format!("x rename {old} to {new}: there are records of both"),
        weight: Weight::Impossible,
    });
    let renamed = (table != name).then(|| Step::harmless(format!("~ rename {table} to {name}")));
    renamed.into_iter().chain(clashes).collect()
}

fn model_steps(
    rules: &Rules,
    name: &str,
    (before, after): (Option<&DescribedModel>, &DescribedModel),
    scan: &Scan,
) -> Vec<Step> {
    let mut renamed: BTreeMap<_, _> = scan.moves.iter().map(|(it, count)| (it, *count)).collect();
    let (before, told) = before.map(|before| with_new_names(rules, name, before)).unzip();
    for pair in told.iter().flatten() {
        renamed.entry(pair).or_default();
    }
    let mut steps: Vec<Step> = renamed
        .into_iter()
        .map(|((old, new), count)| {
            let (old, new, count) = (old.join("."), new.join("."), records(count));
            Step::harmless(format!("~ rename {name}.{old} to {name}.{new}, in {count}"))
        })
        .collect();
    if let Some(before) = &before {
        steps.extend(field_steps(before, after, scan));
        steps.extend(index_steps(before, after));
        if before.key != after.key {
            let text = format!("~ key: {} -> {}", before.key.join(", "), after.key.join(", "));
            steps.push(Step::harmless(text));
        }
    }
    for (path, count) in &scan.lost {
        let (name, count) = (path.join("."), records(*count));
        steps.push(Step {
            text: format!("- field {name}: LOSES the values of {count}"),
            weight: Weight::Loses(Loss::Field(path.clone())),
        });
    }
    for (name, count) in &scan.missing {
        let of = after.fields.get(name).map_or("", String::as_str);
        let count = records(*count);
        let text = format!(
            "! field {name}: {of} is required, and {count} without it cannot be read until a \
             write fills it in"
        );
        steps.push(Step::harmless(text));
    }
    for (name, unfit) in &scan.unfit {
        let of = after.fields.get(name).map_or("", String::as_str);
        let (count, example) = (records(unfit.count), &unfit.example);
        steps.push(Step {
            text: format!("x field {name}: the values of {count} are no {of} ({example})"),
            weight: Weight::Impossible,
        });
    }
    for (what, unfit) in [("cannot be read", &scan.broken), ("by another key", &scan.moved)] {
        if unfit.count > 0 {
            let (count, example) = (records(unfit.count), &unfit.example);
            let text = format!("x {what}: {count} ({example})");
            steps.push(Step { text, weight: Weight::Impossible });
        }
    }
    steps
}

/// A model of the schema before by the names that its fields have now, and those that differ.
fn with_new_names(
    rules: &Rules,
    name: &str,
    before: &DescribedModel,
) -> (DescribedModel, Vec<Moved>) {
    let mut models = rules.schema().models();
    let model = models.find(|(id, _)| stored_as(rules, *id) == name).map(|(_, model)| model);
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for field in model.iter().flat_map(|model| &model.fields) {
        let is_free =
            |old: &&String| before.fields.contains_key(*old) && !told.contains_key(old.as_str());
        let old = field.formerly.iter().find(is_free);
        if let Some(old) = old.filter(|_| !before.fields.contains_key(&field.name)) {
            told.insert(old, &field.name);
        }
    }
    let new =
        |old: &String| told.get(old.as_str()).map_or_else(|| old.clone(), ToString::to_string);
    let all = |names: &Vec<String>| names.iter().map(new).collect();
    let indexes = before.indexes.iter();
    let renamed = DescribedModel {
        fields: before.fields.iter().map(|(name, of)| (new(name), of.clone())).collect(),
        key: all(&before.key),
        indexes: indexes.map(|(name, fields)| (name.clone(), all(fields))).collect(),
    };
    let told = told.iter().map(|(old, new)| (vec![old.to_string()], vec![new.to_string()]));
    (renamed, told.collect())
}

fn field_steps(before: &DescribedModel, after: &DescribedModel, scan: &Scan) -> Vec<Step> {
    let gained = after.fields.iter().filter_map(|(name, of)| match before.fields.get(name) {
        None => Some(format!("+ field {name}: {of}")),
        Some(was) if was != of => Some(format!("~ field {name}: {was} -> {of}")),
        Some(_) => None,
    });
    let empty = before
        .fields
        .keys()
        .filter(|name| !after.fields.contains_key(*name))
        .filter(|name| !scan.lost.contains_key(std::slice::from_ref(*name)));
    let lost = empty.map(|name| format!("- field {name}, which no record fills"));
    gained.chain(lost).map(Step::harmless).collect()
}

fn index_steps(before: &DescribedModel, after: &DescribedModel) -> Vec<Step> {
    let has = |model: &DescribedModel, name: &str, fields: &[String]| {
        model.indexes.get(name).is_some_and(|known| known == fields)
    };
    let show = |sign: &str, name: &str, fields: &[String]| {
        Step::harmless(format!("{sign} index {name} ({})", fields.join(", ")))
    };
    let gained = after.indexes.iter().filter(|(name, fields)| !has(before, name, fields));
    let lost = before.indexes.iter().filter(|(name, fields)| !has(after, name, fields));
    let gained = gained.map(|(name, fields)| show("+", name, fields));
    gained.chain(lost.map(|(name, fields)| show("-", name, fields))).collect()
}

/// A count in words.
pub(super) fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, steps) in &self.models {
            writeln!(out, "{name}")?;
            for step in steps {
                writeln!(out, "  {}", step.text)?;
            }
        }
        Ok(())
    }
}
