//! `specstress plan`

use std::fmt::Write as _;
use std::path::Path;

use indicatif::{HumanCount, HumanDuration};
use serde::{Deserialize, Serialize};
use specstress_pipeline::{
    CallPolicy, CallTotals, Forecast, ForecastRow, Manifest, RunDir, SqliteStore, StageName, Survey,
};

use crate::cli::PlanArgs;
use crate::progress::Progress;
use crate::session::{Session, drive};
use crate::{out_file, output};

/// The folder of the pilot in the run directory.
const PILOT: &str = "pilot";

/// What was planned, and what had been spent by then; `specstress cost` reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) forecast: Forecast,
    /// The store's totals when the plan was made.
    pub(crate) before: Vec<CallTotals>,
}

impl Plan {
    pub(crate) fn path(run: &Path) -> std::path::PathBuf {
        run.join("plan.json")
    }
}

pub(crate) fn run(args: &PlanArgs) -> anyhow::Result<()> {
    let session = Session::read(&args.study, Some(&args.spend))?;
    if let Some(pairs) = args.pilot {
        let run = session.open(CallPolicy::Make, Some(PILOT))?;
        let study = session.study(&run.recorder(), |settings| {
            settings.pairs = pairs;
            settings.shard = None;
        })?;
        output::note(&format!("pilot of {pairs} pairs"));
        drive(
            &run,
            study.run(
                &run,
                &Progress::new(run.desk(), session.inputs.models.providers()),
            ),
        )??;
    }
    let pilot = pilot_survey(&session)?;
    let run = session.open(CallPolicy::Count, None)?;
    let study = session.study(&run.recorder(), |_| {})?;
    let survey = drive(&run, study.survey(&run))??;
    let before = SqliteStore::totals(&RunDir::calls_path(run.path()))?;
    let forecast = Forecast::new(&study, &survey, pilot.as_ref(), &before, &session);
    let plan = Plan { forecast, before };
    let json = serde_json::to_string_pretty(&plan)? + "\n";
    out_file::write(&Plan::path(run.path()), &json)?;
    output::give(&args.json, &plan, || {
        text(&session, &plan.forecast, run.path())
    })
}

/// The pilot read again from its stored replies, when there is a finished one of this study.
fn pilot_survey(session: &Session) -> anyhow::Result<Option<Survey>> {
    let desk = session.config.dir.join(PILOT);
    let Some(manifest) = Manifest::read(&RunDir::manifest_path(&desk))? else {
        return Ok(None);
    };
    if manifest.stages.len() != StageName::ALL.len() {
        return Ok(None);
    }
    let run = session.open(CallPolicy::Count, Some(PILOT))?;
    let study = session
        .study(&run.recorder(), |settings| {
            settings.pairs = manifest.settings.pairs;
            settings.shard = None;
        })?
        .read_again();
    let survey = drive(&run, study.survey(&run))??;
    // With other prompts or models than the pilot's it tells little.
    let whole = survey.stages.iter().all(|stage| stage.calls() == 0);
    if !whole {
        output::note(
            "the pilot was made with other inputs and is left aside; --pilot makes a new one",
        );
    }
    Ok(whole.then_some(survey))
}

fn text(session: &Session, forecast: &Forecast, run: &Path) -> String {
    let mut text = format!("{}: {}\n", run.display(), session.config.study.title);
    if forecast.rows.is_empty() {
        text += "every reply is stored: a run would make no call\n";
        return text;
    }
    let _ = writeln!(
        text,
        "{:<16} {:<28} {:>8} {:>10} {:>11} {:>11} {:>9} {:>9} {:>9}",
        "stage",
        "model",
        "stored",
        "calls",
        "tokens in",
        "tokens out",
        "$ live",
        "$ cached",
        "$ batch"
    );
    for row in &forecast.rows {
        let _ = writeln!(text, "{}", line(row));
    }
    let sum = Forecast::sum(&forecast.rows);
    let _ = writeln!(
        text,
        "{:<16} {:<28} {:>8} {:>10} {:>11} {:>11} {:>9.2} {:>9.2} {:>9.2}",
        "all",
        "",
        "",
        format!("{:.0}", sum.calls),
        millions(sum.input_tokens),
        millions(sum.output_tokens),
        sum.usd_live,
        sum.usd_cached,
        sum.usd_batch
    );
    let _ = writeln!(
        text,
        "\nExpected, as the run is set up: {:.0} calls (95%: +-{:.0}), {:.2} US dollars (95%: +-{:.2})",
        sum.calls, sum.calls_margin, sum.usd_expected, sum.usd_margin
    );
    if sum.unpriced > 0 {
        let _ = writeln!(
            text,
            "{} of the rows have no price and count nothing; state prices in [[catalog]]",
            sum.unpriced
        );
    }
    let _ = writeln!(
        text,
        "Time, all live, at the known limits: about {}",
        HumanDuration(std::time::Duration::from_secs_f64(
            forecast.seconds.min(1e9)
        ))
    );
    let _ = writeln!(
        text,
        "Numbers with a ~ are estimated; their shares are {}. Tokens with a * are assumed, not measured.",
        forecast.source
    );
    if forecast.source == "assumed" {
        text += "`specstress plan --pilot 20` measures them on 20 pairs; its calls are not made again.\n";
    }
    let thinned = forecast
        .rows
        .iter()
        .any(|row| row.stage == StageName::Responses && row.calls_error > 0.0);
    if thinned {
        text += "More questions hold more near-duplicates, so fewer are kept than a pilot says; after `specstress run \
                 --until diversity` the number is known.\n";
    }
    if !forecast.kept.is_empty() {
        let kept: Vec<&str> = forecast.kept.iter().map(|stage| stage.as_str()).collect();
        let _ = writeln!(text, "Done and unchanged: {}", kept.join(", "));
    }
    if let Some(budget) = session.config.budget.usd {
        let _ = writeln!(text, "Budget: {budget:.2} US dollars for the whole run");
    }
    text
}

fn line(row: &ForecastRow) -> String {
    let money = |usd: Option<f64>| usd.map_or_else(|| "-".to_owned(), |usd| format!("{usd:.2}"));
    let guess = if row.calls_error > 0.0 { "~" } else { "" };
    let assumed = if row.measured { "" } else { "*" };
    format!(
        "{:<16} {:<28} {:>8} {:>10} {:>11} {:>11} {:>9} {:>9} {:>9}",
        row.stage.as_str().replace('_', " "),
        row.model,
        HumanCount(row.stored).to_string(),
        format!("{guess}{:.0}", row.calls),
        format!("{}{assumed}", millions(row.input_tokens)),
        format!("{}{assumed}", millions(row.output_tokens)),
        money(row.usd_live),
        money(row.usd_cached),
        money(row.usd_batch)
    )
}

/// Tokens as 12.3k or 4.5M.
pub(crate) fn millions(tokens: f64) -> String {
    if tokens >= 1e6 {
        format!("{:.2}M", tokens / 1e6)
    } else if tokens >= 1e3 {
        format!("{:.1}k", tokens / 1e3)
    } else {
        format!("{tokens:.0}")
    }
}
