use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::plan::{Loss, Plan};
use super::{CommandError, Verdict};
use crate::Api;
use crate::cli::{self, PushMode, Settings};
use crate::clock::system_time;
use crate::serve::{ServeError, rules_of, schema_text};
use crate::sqlite::{Push, Pushed, Snapshot, TakenUp, Uptake};

/// Brings a database to the schema after saying what that means. What would lose data is done only
/// when told so, and what cannot be done to the stored records is not done at all. A server that
/// has the database goes by the schema afterwards.
///
/// # Errors
/// [`CommandError`]; nothing is changed then.
pub fn push(told: cli::Push, out: &mut dyn Write) -> Result<Verdict, CommandError> {
    let cli::Push { files, mode } = told;
    let config = files.settings(Settings::default())?.into_config();
    let (name, text) = (config.schema.display().to_string(), schema_text(&config)?);
    let pushed = Pushed { name, text };
    let rules = Arc::new(rules_of(&config, &pushed.name, &pushed.text)?);
    Api::check_rules(&rules).map_err(ServeError::from)?;
    let file = &config.data;
    // Without keeping anybody from writing, as long as nothing is decided.
    let told = Plan::of(&Snapshot::open(file)?, &rules)?;
    tell(&told, file, out)?;
    if !may(&told, mode, out)? {
        return Ok(Verdict::NotFine);
    }
    if mode.dry_run {
        writeln!(out, "Nothing was done, as --dry-run asks")?;
        return Ok(Verdict::Fine);
    }
    let push = Push::begin(file, Arc::clone(&rules), system_time())?;
    // Others may have written since.
    let plan = Plan::of(push.file(), &rules)?;
    if plan != told {
        writeln!(out, "Meanwhile there were writes, and now it means:")?;
        tell(&plan, file, out)?;
        if !may(&plan, mode, out)? {
            return Ok(Verdict::NotFine);
        }
    }
    carry_out(&push, &plan)?;
    report(push.commit(&pushed)?.wait()?, out)
}

fn tell(plan: &Plan, file: &Path, out: &mut dyn Write) -> Result<(), CommandError> {
    if plan.is_empty() {
        writeln!(out, "{} agrees with the schema", file.display())?;
    }
    Ok(write!(out, "{plan}")?)
}

/// Whether a plan may be carried out; says why not.
fn may(plan: &Plan, mode: PushMode, out: &mut dyn Write) -> Result<bool, CommandError> {
    if plan.is_impossible() {
        writeln!(
            out,
            "Not done: what is marked x does not fit the stored records. Export them, edit the \
             lines, and import them into a new file"
        )?;
        return Ok(false);
    }
    if plan.losses().next().is_some() && !mode.allow_data_loss {
        writeln!(
            out,
            "Not done: what is marked LOSES is lost for good. Export it first, then say \
             --allow-data-loss"
        )?;
        return Ok(false);
    }
    Ok(true)
}

fn carry_out(push: &Push, plan: &Plan) -> Result<(), CommandError> {
    // First: what is lost is told by the new names.
    push.rename()?;
    for model in plan.cleared() {
        push.drop_model(model)?;
    }
    for (model, loss) in plan.losses() {
        match loss {
            Loss::Model => push.drop_model(model)?,
            Loss::Field(path) => push.drop_field(model, path)?,
        }
    }
    Ok(())
}

fn report(uptake: Uptake, out: &mut dyn Write) -> Result<Verdict, CommandError> {
    let (said, verdict) = match &uptake {
        Uptake::Nobody => ("Done", Verdict::Fine),
        Uptake::Said(TakenUp { is_served: true, .. }) => {
            ("Done: the running server serves the new schema", Verdict::Fine)
        }
        Uptake::Said(TakenUp { is_served: false, .. }) => (
            "Done in the database, but the running server goes on with the old schema",
            Verdict::NotFine,
        ),
        Uptake::Silent => (
            "Done in the database, but who has it open does not take it up: look at its log, or \
             start it anew",
            Verdict::NotFine,
        ),
    };
    writeln!(out, "{said}")?;
    if let Uptake::Said(TakenUp { note: Some(note), .. }) = uptake {
        writeln!(out, "The server says: {note}")?;
    }
    Ok(verdict)
}
