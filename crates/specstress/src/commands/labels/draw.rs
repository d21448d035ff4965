//! `specstress sample --for-labels`

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Serialize;
use specstress_dataset::rows::{LabelSampleRow, PeopleLabelRow, ScenarioRow, SpectrumRow};
use specstress_dataset::{CsvSink, Sink, TableDir};
use specstress_judge::Spec;
use specstress_pipeline::{LabelSample, Manifest, RunDir, draw_label_sample};

use super::form::{self, FormItem};
use super::import;
use super::responses;
use super::sheet::{SheetRow, cell, spectrum};
use crate::cli::SampleArgs;
use crate::commands::report::manifest;
use crate::exit::UsageExt;
use crate::grid::{Grid, count};
use crate::{out_file, output};

pub(crate) fn run(args: &SampleArgs) -> anyhow::Result<()> {
    let manifest = manifest(&args.run)?;
    let spec = args
        .spec
        .as_deref()
        .map(|file| spec(file, &manifest))
        .transpose()?;
    // Held, so that no run changes the answers meanwhile.
    let run = RunDir::open(&args.run)?;
    let tables = run.tables();
    let imported = tables.exists::<PeopleLabelRow>() && tables.count::<PeopleLabelRow>()? > 0;
    if imported && !args.discard_labels {
        return Err(anyhow!(
            "{} has labels of an earlier sheet, which another draw would leave without their weights; \
             add --discard-labels to draw again all the same",
            args.run.display()
        ))
        .usage();
    }
    let seed = args.seed.unwrap_or(manifest.settings.seed);
    let sample = draw_label_sample(&tables, &manifest.settings, args.for_labels, seed)?;
    let items = items(&tables, &sample.rows)?;

    let out = args.out.clone().unwrap_or_else(|| args.run.join("labels"));
    std::fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let (csv, html) = (out.join("sheet.csv"), out.join("sheet.html"));
    if import::is_filled(&csv) {
        return Err(anyhow!(
            "{} is filled in; move it away, or give another folder with --out",
            csv.display()
        ))
        .usage();
    }
    write_csv(&csv, &items)?;
    let title = manifest.inputs.get("spec_title").map(String::as_str);
    let page = form::page(&items, title, spec.as_ref().map(|spec| spec.text.as_str()))?;
    out_file::write(&html, &page)?;
    store(&tables, &sample)?;

    let drawn = Drawn {
        answers: sample.rows.len(),
        population: sample.strata.iter().map(|s| s.population).sum(),
        divided_by: sample.divided_by,
        strata: sample
            .strata
            .iter()
            .map(|stratum| Stratum {
                name: &stratum.name,
                population: stratum.population,
                drawn: stratum.drawn,
            })
            .collect(),
        csv: csv.display().to_string(),
        html: html.display().to_string(),
    };
    output::give(&args.json, &drawn, || text(&drawn, args.for_labels))
}

#[derive(Debug, Serialize)]
struct Drawn<'a> {
    answers: usize,
    population: u64,
    divided_by: &'a [&'a str],
    strata: Vec<Stratum<'a>>,
    csv: String,
    html: String,
}

#[derive(Debug, Serialize)]
struct Stratum<'a> {
    name: &'a str,
    population: u64,
    drawn: u64,
}

fn text(drawn: &Drawn<'_>, asked: usize) -> String {
    let mut grid = Grid::new(&["stratum", "answers", "drawn"]);
    for stratum in &drawn.strata {
        grid.row([
            stratum.name.to_owned(),
            count(stratum.population),
            count(stratum.drawn),
        ]);
    }
    let by = if drawn.divided_by.is_empty() {
        "undivided".to_owned()
    } else {
        format!("divided by {}", drawn.divided_by.join(", "))
    };
    let short = if drawn.answers < asked {
        "; there are no more"
    } else {
        ""
    };
    format!(
        "{} of {} answers drawn, {by}{short}\n\n{}\nWrote {}\nWrote {}\n\
         Let people fill in either, then: specstress labels import SHEET.csv RUN\n",
        count(drawn.answers),
        count(drawn.population),
        grid.text(),
        drawn.csv,
        drawn.html
    )
}

fn spec(file: &Path, manifest: &Manifest) -> anyhow::Result<Spec> {
    let spec = Spec::read(file).usage()?;
    if manifest.inputs.get("spec") != Some(&spec.hash()) {
        return Err(anyhow!(
            "{} is not the spec that the run was judged by; give that one, or leave --spec out",
            file.display()
        ))
        .usage();
    }
    Ok(spec)
}

/// What is shown of each answer, in the order of the sheet.
fn items(tables: &TableDir, rows: &[LabelSampleRow]) -> anyhow::Result<Vec<FormItem>> {
    let wanted: HashSet<&str> = rows.iter().map(|row| row.scenario_id.as_str()).collect();
    let mut questions: HashMap<String, ScenarioRow> = HashMap::new();
    for row in tables.rows::<ScenarioRow>()? {
        let row = row?;
        if let Some(id) = &row.scenario_id
            && wanted.contains(id.as_str())
        {
            questions.insert(id.clone(), row);
        }
    }
    let drawn = rows
        .iter()
        .filter_map(|row| questions.get(&row.scenario_id));
    let triples: HashSet<&str> = drawn.map(|question| question.triple_id.as_str()).collect();
    let mut spectra: HashMap<String, SpectrumRow> = HashMap::new();
    if tables.exists::<SpectrumRow>() {
        for row in tables.rows::<SpectrumRow>()? {
            let row = row?;
            if triples.contains(row.triple_id.as_str()) {
                spectra.insert(row.triple_id.clone(), row);
            }
        }
    }
    let mut texts: Vec<Option<String>> = vec![None; rows.len()];
    for (at, response) in responses(tables, rows)? {
        texts[at] = response.text;
    }
    rows.iter()
        .zip(texts)
        .map(|(row, answer)| {
            let lost = || {
                anyhow!(
                    "the question of item {} is gone; run the study again",
                    row.item
                )
            };
            let question = questions.get(&row.scenario_id).ok_or_else(lost)?;
            let spectrum = spectra.get(&question.triple_id);
            let strategies = |of: fn(&SpectrumRow) -> &Vec<String>| {
                spectrum.map_or_else(Vec::new, |spectrum| of(spectrum).clone())
            };
            Ok(FormItem {
                item: row.item.clone(),
                question: question.query.clone().ok_or_else(lost)?,
                answer: answer.ok_or_else(lost)?,
                value1: question.value1.clone(),
                spectrum1: strategies(|row| &row.strategies1),
                value2: question.value2.clone(),
                spectrum2: strategies(|row| &row.strategies2),
            })
        })
        .collect()
}

fn write_csv(path: &Path, items: &[FormItem]) -> anyhow::Result<()> {
    let mut sink: Box<CsvSink<SheetRow>> = Box::new(CsvSink::create(path)?);
    for item in items {
        sink.write(&[SheetRow {
            item: item.item.clone(),
            question: cell(&item.question),
            answer: cell(&item.answer),
            value1: cell(&item.value1),
            spectrum1: spectrum(&item.spectrum1),
            value2: cell(&item.value2),
            spectrum2: spectrum(&item.spectrum2),
            decision: None,
            value1_position: None,
            value2_position: None,
            refusal_kind: None,
            notes: None,
            rater: None,
        }])?;
    }
    sink.finish()?;
    Ok(())
}

/// Keeps the draw; labels of an earlier one go.
fn store(tables: &TableDir, sample: &LabelSample) -> anyhow::Result<()> {
    if tables.exists::<PeopleLabelRow>() {
        // First, so that no label is ever beside a draw it does not belong to.
        tables.writer::<PeopleLabelRow>()?.finish()?;
    }
    let mut writer = tables.writer::<LabelSampleRow>()?;
    for row in &sample.rows {
        writer.push(row.clone())?;
    }
    writer.finish()?;
    Ok(())
}
