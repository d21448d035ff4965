//! `specstress analyze`: scores of files in the published layout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Serialize;
use specstress_dataset::published::{PUBLISHED_SUBSETS, PublishedRow, ReadOptions, read_published};
use specstress_scenarios::Nudge;
use specstress_stats::ndarray::Array2;
use specstress_stats::{
    Confidence, DisagreementParams, Dispersion, OutlierParams, OutlierReading, PopulationStd,
    Proportion, SampleStd, Threshold, disagreement, outliers, proportion,
};

use crate::cli::{AnalyzeArgs, OutliersArg, StdArg};
use crate::exit::UsageExt;
use crate::out_file::OutFile;
use crate::output;

pub(crate) fn run(args: &AnalyzeArgs) -> anyhow::Result<()> {
    let extra = args
        .subset
        .iter()
        .map(|text| parse_subset(text))
        .collect::<anyhow::Result<Vec<_>>>()
        .usage()?;
    let mut scorer: Option<Scorer> = None;
    let mut row_file = args.rows.as_deref().map(OutFile::create).transpose()?;
    for file in &args.files {
        let mut rows = read_published(file, &ReadOptions::without_texts()).usage()?;
        let scorer = match &mut scorer {
            Some(scorer) => {
                scorer.same_models(rows.models(), file).usage()?;
                scorer
            }
            none => none.insert(Scorer::new(rows.models(), &extra, args).usage()?),
        };
        for row in &mut rows {
            let row = row.usage()?;
            let row = scorer.score(&row)?;
            if let Some(row_file) = &mut row_file {
                let mut line = serde_json::to_vec(&row).context("cannot write JSON")?;
                line.push(b'\n');
                row_file.write_all(&line)?;
            }
        }
    }
    if let Some(row_file) = row_file {
        row_file.finish()?;
    }
    let summary = scorer.context("no file was given").usage()?.summary(args)?;
    output::give(&args.json, &summary, || summary.text())
}

/// `NAME=a,b,c`
fn parse_subset(text: &str) -> anyhow::Result<(String, Vec<String>)> {
    let wrong = || anyhow!("--subset {text:?} is not of the form NAME=model,model,...");
    let (name, models) = text.split_once('=').ok_or_else(wrong)?;
    let models: Vec<String> = models.split(',').map(|m| m.trim().to_owned()).collect();
    if name.trim().is_empty() || models.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok((name.trim().to_owned(), models))
}

#[derive(Debug, Serialize)]
struct ScoredRow {
    chunk_index: Option<i64>,
    entry_idx: Option<i64>,
    nudge_direction: Option<&'static str>,
    subsets: BTreeMap<String, Score>,
    outliers: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Score {
    disagreement: Option<f64>,
    high: bool,
}

#[derive(Debug)]
struct Subset {
    name: String,
    models: Vec<usize>,
    measured: u64,
    high: u64,
    histogram: Vec<u64>,
}

/// Histogram cells are this wide.
const CELL: f64 = 0.25;

struct Scorer {
    models: Vec<String>,
    subsets: Vec<Subset>,
    params: DisagreementParams<Box<dyn Dispersion>>,
    outlier_params: OutlierParams,
    outliers: Vec<u64>,
    rows: u64,
}

impl Scorer {
    fn new(
        models: &[String],
        extra: &[(String, Vec<String>)],
        args: &AnalyzeArgs,
    ) -> anyhow::Result<Self> {
        let place = |model: &str| models.iter().position(|key| key == model);
        let mut subsets = Vec::new();
        let subset = |name: &str, models: Vec<usize>| Subset {
            name: name.to_owned(),
            models,
            measured: 0,
            high: 0,
            histogram: Vec::new(),
        };
        for published in &PUBLISHED_SUBSETS {
            // A file of another panel has none of them; it is measured as a whole below.
            let places: Option<Vec<usize>> = published.models.iter().map(|m| place(m)).collect();
            if let Some(places) = places {
                subsets.push(subset(published.name, places));
            }
        }
        if !subsets.iter().any(|subset| subset.name == "all_models") {
            subsets.insert(0, subset("all_models", (0..models.len()).collect()));
        }
        for (name, keys) in extra {
            if subsets.iter().any(|subset| subset.name == *name) {
                return Err(anyhow!(
                    "--subset {name}: the name is taken; choose another"
                ));
            }
            let places = keys
                .iter()
                .map(|key| {
                    place(key).ok_or_else(|| {
                        let near = models
                            .iter()
                            .min_by_key(|model| strsim::damerau_levenshtein(key, model))
                            .map_or_else(String::new, |near| format!("; did you mean {near}?"));
                        anyhow!("--subset {name}: the file has no model {key}{near}")
                    })
                })
                .collect::<anyhow::Result<_>>()?;
            subsets.push(subset(name, places));
        }
        let dispersion: Box<dyn Dispersion> = match args.std {
            StdArg::Population => Box::new(PopulationStd),
            StdArg::Sample => Box::new(SampleStd),
        };
        let reading = match args.outliers {
            OutliersArg::Either => OutlierReading::Either,
            OutliersArg::Same => OutlierReading::Same,
            OutliersArg::Both => OutlierReading::Both,
        };
        // Nine of eleven, rounded up for other panels.
        let needed = ((models.len().saturating_sub(1)) * 9).div_ceil(11).max(1);
        Ok(Self {
            outliers: vec![0; models.len()],
            models: models.to_vec(),
            subsets,
            params: DisagreementParams::new(dispersion)
                .threshold(Threshold::new(args.threshold).context("--threshold")?),
            outlier_params: OutlierParams::default().reading(reading).count(needed)?,
            rows: 0,
        })
    }

    fn same_models(&self, models: &[String], file: &Path) -> anyhow::Result<()> {
        if self.models == models {
            return Ok(());
        }
        Err(anyhow!(
            "{} has the models {}, the files before it have {}; analyze them apart",
            file.display(),
            models.join(", "),
            self.models.join(", ")
        ))
    }

    fn score(&mut self, row: &PublishedRow) -> anyhow::Result<ScoredRow> {
        self.rows += 1;
        let scores = Array2::from_shape_fn((self.models.len(), 2), |(model, value)| {
            let (first, second) = row.positions[model];
            if value == 0 { first } else { second }
        });
        let mut subsets = BTreeMap::new();
        for subset in &mut self.subsets {
            let found = disagreement(scores.view(), Some(&subset.models), &self.params)?;
            if let Some(value) = found.max {
                subset.measured += 1;
                subset.high += u64::from(found.high);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a standard deviation of scores from 0 to 6 is small and not negative"
                )]
                let cell = (value / CELL) as usize;
                if subset.histogram.len() <= cell {
                    subset.histogram.resize(cell + 1, 0);
                }
                subset.histogram[cell] += 1;
            }
            subsets.insert(
                subset.name.clone(),
                Score {
                    disagreement: found.max,
                    high: found.high,
                },
            );
        }
        let found = outliers(scores.view(), None, &self.outlier_params)?;
        let flagged: Vec<usize> = found.flagged().collect();
        for &model in &flagged {
            self.outliers[model] += 1;
        }
        Ok(ScoredRow {
            chunk_index: row.chunk_index,
            entry_idx: row.entry_idx,
            nudge_direction: row.nudge_direction.map(Nudge::as_str),
            subsets,
            outliers: flagged.iter().map(|&m| self.models[m].clone()).collect(),
        })
    }

    fn summary(self, args: &AnalyzeArgs) -> anyhow::Result<Summary> {
        let subsets = self
            .subsets
            .into_iter()
            .map(|subset| {
                let models = subset.models.iter().map(|&m| self.models[m].clone());
                anyhow::Ok(SubsetSummary {
                    models: models.collect(),
                    high: proportion(subset.high, subset.measured, Confidence::default())?,
                    unscored: self.rows - subset.measured,
                    histogram: subset
                        .histogram
                        .iter()
                        .enumerate()
                        .map(|(cell, &rows)| Cell {
                            from: cell as f64 * CELL,
                            rows,
                        })
                        .collect(),
                    name: subset.name,
                })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Summary {
            files: args.files.iter().map(|f| f.display().to_string()).collect(),
            rows: self.rows,
            std: match args.std {
                StdArg::Population => "population",
                StdArg::Sample => "sample",
            },
            threshold: args.threshold,
            subsets,
            outliers: self
                .models
                .iter()
                .zip(self.outliers)
                .map(|(model, rows)| OutlierCount {
                    model: model.clone(),
                    rows,
                })
                .collect(),
        })
    }
}

#[derive(Debug, Serialize)]
struct Summary {
    files: Vec<String>,
    rows: u64,
    std: &'static str,
    threshold: f64,
    subsets: Vec<SubsetSummary>,
    outliers: Vec<OutlierCount>,
}

#[derive(Debug, Serialize)]
struct SubsetSummary {
    name: String,
    models: Vec<String>,
    /// Rows at or above the threshold, of those with a disagreement.
    high: Proportion,
    /// Rows without one: fewer than two models have both positions.
    unscored: u64,
    histogram: Vec<Cell>,
}

#[derive(Debug, Serialize)]
struct Cell {
    from: f64,
    rows: u64,
}

#[derive(Debug, Serialize)]
struct OutlierCount {
    model: String,
    rows: u64,
}

impl Summary {
    fn text(&self) -> String {
        let mut text = format!(
            "{} rows, {} standard deviation, high from {}\n\n{:<18} {:>7} {:>9} {:>7}  95% interval\n",
            self.rows, self.std, self.threshold, "subset", "models", "high", "share"
        );
        for subset in &self.subsets {
            let high = &subset.high;
            let share = match (high.rate, &high.interval) {
                (Some(rate), Some(interval)) => format!(
                    "{:>6.1}%  {:.1} to {:.1}%",
                    rate * 100.0,
                    interval.low * 100.0,
                    interval.high * 100.0
                ),
                _ => "no row has a score".to_owned(),
            };
            let _ = writeln!(
                text,
                "{:<18} {:>7} {:>4}/{:<4} {share}",
                subset.name,
                subset.models.len(),
                high.successes,
                high.n
            );
        }
        let _ = writeln!(text, "\n{:<18} outlier in", "model");
        for count in &self.outliers {
            let _ = writeln!(text, "{:<18} {}", count.model, count.rows);
        }
        text
    }
}
