//! `specstress judge`

use anyhow::anyhow;
use serde::Serialize;
use specstress_pipeline::{CallPolicy, RunDir};
use specstress_report::SpecComparison;

use crate::cli::JudgeArgs;
use crate::commands::report::manifest;
use crate::commands::run::calls_of;
use crate::exit::UsageExt;
use crate::output;
use crate::progress::Progress;
use crate::session::{Session, drive};

/// The folder of all such verdicts in the run directory; below it one per spec, named by its hash.
const FOLDER: &str = "specs";

#[derive(Debug, Serialize)]
struct Judged<'a> {
    run: String,
    /// Where the tables of these verdicts are.
    tables: String,
    simulated: bool,
    spec_before: Option<&'a String>,
    spec_after: String,
    calls_made: u64,
    #[serde(flatten)]
    comparison: &'a SpecComparison,
}

pub(crate) fn run(args: &JudgeArgs) -> anyhow::Result<()> {
    let before = manifest(&args.run)?;
    let session = Session::judging(args)?;
    let hash = session.inputs.spec.hash();
    if before.inputs.get("spec") == Some(&hash) {
        return Err(anyhow!(
            "{} is the spec that {} was judged against; give another one, or another version",
            args.spec.display(),
            args.run.display()
        ))
        .usage();
    }
    let stored = || -> anyhow::Result<u64> {
        Ok(calls_of(&args.run)?.iter().map(|model| model.calls).sum())
    };
    let calls = stored()?;
    let run = session.open(CallPolicy::Make, Some(&format!("{FOLDER}/{}", &hash[..16])))?;
    let study = session.study(&run.recorder(), |settings| {
        // The answers are the run's, and so is what was judged of them.
        settings.clone_from(&before.settings);
    })?;
    let progress = Progress::new(run.desk(), session.inputs.models.providers());
    let after = drive(&run, study.judge_again(&run, &progress))??;
    let comparison = SpecComparison::compute(&RunDir::tables_of(run.path()), &run.tables())?;
    let judged = Judged {
        run: args.run.display().to_string(),
        tables: run.tables().root().display().to_string(),
        simulated: after.simulated,
        spec_before: before.inputs.get("spec"),
        spec_after: hash,
        calls_made: stored()?.saturating_sub(calls),
        comparison: &comparison,
    };
    output::give(&args.json, &judged, || {
        let simulated = if judged.simulated {
            "Simulated panel: no real model was asked. Names are fictional.\n"
        } else {
            ""
        };
        format!(
            "{simulated}{}\n{} new calls, all to judges\nTables  {}\n",
            comparison.text(args.quotes),
            judged.calls_made,
            judged.tables
        )
    })
}
