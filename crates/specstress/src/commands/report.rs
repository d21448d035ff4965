//! `specstress report`

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Serialize;
use specstress_pipeline::{Manifest, RunDir};
use specstress_report::{Html, Json, Markdown, Renderer, StudyReport};

use crate::cli::ReportArgs;
use crate::commands::run::calls_of;
use crate::exit::UsageExt;
use crate::info::study_info;
use crate::{out_file, output};

pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let manifest = manifest(&args.run)?;
    let info = study_info(&manifest, &calls_of(&args.run)?, 0);
    let report = StudyReport::compute(&RunDir::tables_of(&args.run), &info)?;
    let out = args.out.clone().unwrap_or_else(|| args.run.join("report"));
    let written = write(&report, &out)?;
    output::give(&args.json, &written, || {
        format!(
            "Wrote {}\nWrote {}\nWrote {}\n",
            written.html, written.markdown, written.json
        )
    })
}

/// The manifest of a run; an error that says what a run directory is when there is none.
pub(crate) fn manifest(run: &Path) -> anyhow::Result<Manifest> {
    Manifest::read(&RunDir::manifest_path(run))?
        .ok_or_else(|| {
            anyhow!(
                "{} is not a run directory: it has no manifest.json; give the directory of a `specstress run`",
                run.display()
            )
        })
        .usage()
}

/// The files of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) html: String,
    pub(crate) markdown: String,
    pub(crate) json: String,
}

/// Writes the report in every form.
pub(crate) fn write(report: &StudyReport, dir: &Path) -> anyhow::Result<Written> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let file = |name: &str, text: String| -> anyhow::Result<String> {
        let path = dir.join(name);
        out_file::write(&path, &text)?;
        Ok(path.display().to_string())
    };
    Ok(Written {
        html: file("report.html", Html::default().render(report)?)?,
        markdown: file("report.md", Markdown::default().render(report)?)?,
        json: file("report.json", Json::default().render(report)?)?,
    })
}
