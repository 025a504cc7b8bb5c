use std::io::Write;
use std::sync::Arc;

use super::plan::{Loss, Plan};
use super::{CommandError, Verdict};
use crate::cli::{Push, Settings};
use crate::clock::system_time;
use crate::serve::rules;
use crate::sqlite::{Change, OpenError, Snapshot};

/// Brings a database to the schema after saying what that means. What would lose data is done only
/// when told so, and what cannot be done to the stored records is not done at all.
///
/// # Errors
/// [`CommandError`]; nothing is changed then.
pub fn push(told: Push, out: &mut dyn Write) -> Result<Verdict, CommandError> {
    let Push { files, mode } = told;
    let config = files.settings(Settings::default())?.into_config();
    let (rules, file) = (Arc::new(rules(&config)?), &config.data);
    let snapshot = Snapshot::open(file)?;
    if !mode.dry_run && snapshot.is_in_use()? {
        return Err(OpenError::InUse { file: file.clone() }.into());
    }
    let plan = Plan::of(&snapshot, &rules)?;
    drop(snapshot);
    if plan.is_empty() {
        writeln!(out, "{} agrees with the schema", file.display())?;
    }
    write!(out, "{plan}")?;
    if plan.is_impossible() {
        writeln!(
            out,
            "Not done: what is marked x does not fit the stored records. Export them, edit the \
             lines, and import them into a new file"
        )?;
        return Ok(Verdict::NotFine);
    }
    let losses: Vec<(&str, &Loss)> = plan.losses().collect();
    if !losses.is_empty() && !mode.allow_data_loss {
        writeln!(
            out,
            "Not done: what is marked LOSES is lost for good. Export it first, then say \
             --allow-data-loss"
        )?;
        return Ok(Verdict::NotFine);
    }
    if mode.dry_run {
        writeln!(out, "Nothing was done, as --dry-run asks")?;
        return Ok(Verdict::Fine);
    }
    let change = Change::begin(file, rules, system_time())?;
    for model in plan.cleared() {
        change.drop_model(model)?;
    }
    for (model, loss) in losses {
        match loss {
            Loss::Model => change.drop_model(model)?,
            Loss::Field(field) => change.drop_field(model, field)?,
        }
    }
    change.commit()?;
    writeln!(out, "Done")?;
    Ok(Verdict::Fine)
}
