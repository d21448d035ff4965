//! `specstress why`

use std::fmt::Write as _;

use specstress_pipeline::{CallPolicy, Change, StageState, StageSurvey, Survey};

use crate::cli::WhyArgs;
use crate::output;
use crate::session::{Session, drive};

pub(crate) fn run(args: &WhyArgs) -> anyhow::Result<()> {
    let session = Session::read(&args.study, None)?;
    let run = session.open(CallPolicy::Count, None)?;
    let mut study = session.study(&run.recorder(), |_| {})?;
    if let Some(item) = &args.item {
        study = study.only(item);
    }
    let survey = drive(&run, study.survey(&run))??;
    output::give(&args.json, &survey, || text(&survey, args.item.as_deref()))
}

fn text(survey: &Survey, item: Option<&str>) -> String {
    let mut text = match item {
        Some(item) => format!("calls about {item}\n"),
        None => String::new(),
    };
    let _ = writeln!(
        text,
        "{:<17} {:>9} {:>9}  because",
        "stage", "stored", "calls"
    );
    for stage in &survey.stages {
        let found: u64 = stage.found.values().sum();
        let stored = if stage.state == StageState::Kept {
            "-".to_owned()
        } else {
            found.to_string()
        };
        let calls = if stage.state == StageState::Later {
            "?".to_owned()
        } else {
            stage.calls().to_string()
        };
        let _ = writeln!(
            text,
            "{:<17} {stored:>9} {calls:>9}  {}",
            stage.stage.as_str().replace('_', " "),
            because(stage)
        );
        for change in &stage.changes {
            let _ = writeln!(text, "{:39}{}", "", told(change));
        }
        if stage.missing.len() > 1 {
            for missing in &stage.missing {
                let _ = writeln!(
                    text,
                    "{:39}{} calls of {}",
                    "", missing.calls, missing.model
                );
            }
        }
    }
    let calls: u64 = survey.stages.iter().map(StageSurvey::calls).sum();
    let later = survey
        .stages
        .iter()
        .any(|stage| stage.state == StageState::Later);
    let _ = writeln!(
        text,
        "\n{calls} calls would be made{}",
        if later {
            ", and after them those of the stages marked ?, which depend on the answers; `specstress plan` estimates them"
        } else {
            ""
        }
    );
    text
}

fn because(stage: &StageSurvey) -> String {
    match stage.state {
        StageState::Kept => "unchanged: left as it is".to_owned(),
        StageState::Stored if stage.found.is_empty() => "made again; it asks nobody".to_owned(),
        StageState::Stored => "made again from stored replies".to_owned(),
        StageState::Incomplete if stage.changes.is_empty() && stage.found.is_empty() => {
            "not asked yet".to_owned()
        }
        StageState::Incomplete if stage.changes.is_empty() => {
            "some replies are not stored, or what it is asked about has changed".to_owned()
        }
        StageState::Incomplete => "changed since the last run:".to_owned(),
        StageState::Later => {
            let needs: Vec<&str> = stage
                .stage
                .needs()
                .iter()
                .map(|need| need.as_str())
                .collect();
            format!("needs {}", needs.join(", "))
        }
    }
}

fn told(change: &Change) -> String {
    let short = |text: &Option<String>| match text {
        None => "nothing".to_owned(),
        Some(text) if text.chars().count() > 60 => {
            let head: String = text.chars().take(57).collect();
            format!("{head}...")
        }
        Some(text) => text.clone(),
    };
    format!(
        "{}: {} -> {}",
        change.what,
        short(&change.before),
        short(&change.now)
    )
}
