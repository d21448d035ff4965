//! `specstress run`, and what it shares with `specstress demo`.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use specstress_pipeline::{CallPolicy, Manifest, ModelCalls, RunDir, SqliteStore, StageName};
use specstress_report::{Renderer, StudyReport, Text};

use crate::cli::RunArgs;
use crate::commands::report::{self, Written};
use crate::info::study_info;
use crate::progress::Progress;
use crate::session::{Session, drive};
use crate::traffic::Traffic;
use crate::{out_file, output};

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let session = Session::read(&args.study, Some(&args.spend))?;
    let unknown = session.inputs.models.unknown(&session.config.models());
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        output::note(&format!(
            "not in the catalog: {}; nothing optional is sent to them and their cost is unknown (describe them \
             under [[catalog]])",
            names.join(", ")
        ));
    }
    let run = session.open(CallPolicy::Make, None)?;
    if let Some(last) = args.until {
        return part(&session, &run, last, args);
    }
    let finished = study(&session, &run)?;
    output::give(&args.json, &finished.summary(), || finished.text())
}

/// Runs the first stages only.
fn part(session: &Session, run: &RunDir, last: StageName, args: &RunArgs) -> anyhow::Result<()> {
    let study = session.study(&run.recorder(), |_| {})?.until(last);
    out_file::write(&run.path().join("specstress.toml"), &session.text)?;
    let progress = Progress::new(run.path(), session.inputs.models.providers());
    let manifest = drive(run, study.run(run, &progress))??;
    output::give(&args.json, &manifest.stages, || {
        format!(
            "done up to {last}; `specstress plan` tells what the rest asks, `specstress run` goes on\n"
        )
    })
}

/// A run that came to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) manifest: Manifest,
    pub(crate) report: StudyReport,
    written: Written,
    calls: Vec<ModelCalls>,
    traffic: Traffic,
    made: u64,
    found: u64,
    seconds: f64,
    database_bytes: u64,
    dir: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    run: &'a str,
    simulated: bool,
    seconds: f64,
    calls_made: u64,
    calls_found: u64,
    calls_stored: u64,
    database_bytes: u64,
    traffic: &'a Traffic,
    files: &'a Written,
    report: &'a StudyReport,
}

impl Finished {
    pub(crate) fn summary(&self) -> Summary<'_> {
        Summary {
            run: &self.dir,
            simulated: self.manifest.simulated,
            seconds: self.seconds,
            calls_made: self.made,
            calls_found: self.found,
            calls_stored: stored(&self.calls),
            database_bytes: self.database_bytes,
            traffic: &self.traffic,
            files: &self.written,
            report: &self.report,
        }
    }

    pub(crate) fn text(&self) -> String {
        let study = Text::default()
            .render(&self.report)
            .unwrap_or_else(|error| format!("the summary cannot be shown: {error}\n"));
        let calls = if self.made == 0 {
            format!(
                "0 new calls: all {} replies were in the call store",
                self.found
            )
        } else {
            format!(
                "{} new calls, {} found in the call store",
                self.made, self.found
            )
        };
        let memory = self
            .traffic
            .peak_memory_bytes
            .map_or_else(String::new, |bytes| {
                format!(", {:.0} MB of memory at most", bytes as f64 / 1e6)
            });
        format!(
            "{study}\n{}{calls} ({:.1} s, {:.1} MB of replies{memory})\n\nReport  {}\nTables  {}/tables\n",
            self.traffic.text(),
            self.seconds,
            self.database_bytes as f64 / 1e6,
            self.written.html,
            self.dir,
        )
    }
}

/// Runs a study to its end and writes the report; Ctrl-C drains what is in flight.
pub(crate) fn study(session: &Session, run: &RunDir) -> anyhow::Result<Finished> {
    let started = Instant::now();
    let recorder = run.recorder();
    let study = session.study(&recorder, |_| {})?;
    out_file::write(&run.path().join("specstress.toml"), &session.text)?;
    let before = stored(&calls_of(run.path())?);
    let providers = session.inputs.models.providers();
    let progress = Progress::new(run.path(), providers.clone());
    let outcome = drive(run, study.run(run, &progress))?;
    let manifest = match outcome {
        Ok(manifest) => manifest,
        Err(error) => {
            let here = stored(&calls_of(run.path())?);
            output::note(&format!(
                "{} new replies are stored",
                here.saturating_sub(before)
            ));
            return Err(error.into());
        }
    };
    let calls = calls_of(run.path())?;
    let made = stored(&calls).saturating_sub(before);
    let info = study_info(&manifest, &calls, made);
    let report = StudyReport::compute(&run.tables(), &info)?;
    let written = report::write(&report, &run.path().join("report"))?;
    Ok(Finished {
        traffic: Traffic::new(&providers, progress.stages()),
        report,
        written,
        found: before,
        made,
        calls,
        seconds: started.elapsed().as_secs_f64(),
        database_bytes: database_bytes(run.path()),
        dir: run.path().display().to_string(),
        manifest,
    })
}

/// Replies of all models.
fn stored(calls: &[ModelCalls]) -> u64 {
    calls.iter().map(|model| model.calls).sum()
}

/// The database with its write-ahead log.
pub(crate) fn database_bytes(run: &Path) -> u64 {
    let calls = RunDir::calls_path(run);
    let mut log = calls.clone().into_os_string();
    log.push("-wal");
    [calls.as_path(), Path::new(&log)]
        .iter()
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|file| file.len())
        .sum()
}

pub(crate) fn calls_of(run: &Path) -> anyhow::Result<Vec<ModelCalls>> {
    Ok(SqliteStore::summary(&RunDir::calls_path(run))?)
}
