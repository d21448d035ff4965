//! A run as rows of the published layouts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use serde::Deserialize;
use specstress_dataset::published::{EvaluationRow, PublishedRow, model_order};
use specstress_dataset::rows::{
    PositionRow, ResponseRow, ScenarioRow, SelectionRow, SpectrumRow, VerdictRow,
};
use specstress_dataset::{DatasetError, Rows, Table, TableDir};
use specstress_judge::Decision;
use specstress_pipeline::{Manifest, RunDir};
use specstress_stats::ndarray::Array2;
use specstress_stats::{Bins, DisagreementParams, disagreement};

use crate::commands::report::manifest;
use crate::info::study_info;

/// Pairs of one value of `chunk_index`.
const CHUNK: u32 = 1000;

/// The name of the group of judged answers without a disagreement.
pub(crate) const UNBINNED: &str = "unbinned";

/// The tables of a run, joined. Only first samples are taken: the layouts have one answer per model.
pub(crate) struct RunRows {
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
    tables: TableDir,
    /// Panel keys in the order the layout reads them back.
    pub(crate) models: Arc<[String]>,
    /// Keys of the judged models.
    judged: Vec<String>,
}

#[derive(Deserialize)]
struct Placed {
    scenario_id: String,
    model: String,
    sample: u32,
    value1_position: Option<u8>,
    value2_position: Option<u8>,
}

#[derive(Deserialize)]
struct Response {
    scenario_id: String,
    model: String,
    sample: u32,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Spectrum {
    triple_id: String,
    strategies1: Vec<String>,
    strategies2: Vec<String>,
}

#[derive(Deserialize)]
struct Verdict {
    scenario_id: String,
    model: String,
    sample: u32,
    judge: String,
    decision: Option<Decision>,
}

#[derive(Deserialize)]
struct Selected {
    selection: String,
    rank: u32,
    scenario_id: String,
}

type Joined = anyhow::Result<(String, PublishedRow)>;

impl RunRows {
    pub(crate) fn open(run: &Path) -> anyhow::Result<Self> {
        let manifest = manifest(run)?;
        let keys: Vec<&str> = manifest
            .panel
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        let models: Vec<String> = model_order(&keys).into_iter().map(str::to_owned).collect();
        Ok(Self {
            path: run.to_owned(),
            tables: RunDir::tables_of(run),
            models: models.into(),
            judged: study_info(&manifest, &[], 0).judged_models,
            manifest,
        })
    }

    /// The subsets of the study.
    pub(crate) fn subsets(&self) -> Vec<(String, Vec<String>)> {
        let subsets = self.manifest.settings.subsets.iter();
        subsets
            .map(|subset| (subset.name.clone(), subset.models.clone()))
            .collect()
    }

    /// All questions in the order of the run, with their ids; positions and answers are missing where none was asked
    /// for. `texts` reads answers and spectra too.
    pub(crate) fn rows(&self, texts: bool) -> anyhow::Result<impl Iterator<Item = Joined> + '_> {
        let mut positions = Groups::<Placed>::new(self.read::<PositionRow, _>(true)?);
        let mut responses = Groups::<Response>::new(self.read::<ResponseRow, _>(texts)?);
        let mut spectra = Groups::<Spectrum>::new(self.read::<SpectrumRow, _>(texts)?);
        let mut spectrum: Option<Spectrum> = None;
        let mut scenarios = self.read::<ScenarioRow, ScenarioRow>(true)?;
        let mut ended = false;
        Ok(std::iter::from_fn(move || {
            loop {
                if ended {
                    return None;
                }
                let Some(scenario) = scenarios.next() else {
                    ended = true;
                    let left = [positions.rest(), responses.rest(), spectra.rest()];
                    return left.contains(&true).then(|| Err(strangers()));
                };
                let joined = scenario.map_err(anyhow::Error::from).and_then(|scenario| {
                    let Some(id) = scenario.scenario_id.clone() else {
                        return Ok(None);
                    };
                    if let Some(next) = spectra.take(&scenario.triple_id)?.into_iter().next() {
                        spectrum = Some(next);
                    }
                    let mut row = self.row(&scenario);
                    for position in positions.take(&id)? {
                        if let Some(at) = self.place(&position.model, position.sample) {
                            row.positions[at] =
                                (position.value1_position, position.value2_position);
                        }
                    }
                    for response in responses.take(&id)? {
                        if let Some(at) = self.place(&response.model, response.sample) {
                            row.responses[at] = response.text;
                        }
                    }
                    let own = spectrum
                        .as_ref()
                        .filter(|own| own.triple_id == scenario.triple_id);
                    let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
                    row.value1_spectrum = own.and_then(|own| list(&own.strategies1));
                    row.value2_spectrum = own.and_then(|own| list(&own.strategies2));
                    Ok(Some((id, row)))
                });
                ended = joined.is_err();
                if let Some(joined) = joined.transpose() {
                    return Some(joined);
                }
            }
        }))
    }

    /// The judged answers, in the order of the questions, of the judges and judged models in theirs. The bin is that
    /// of the population standard deviation over the judged models, decided in integers.
    pub(crate) fn evaluations(
        &self,
        texts: bool,
    ) -> anyhow::Result<impl Iterator<Item = anyhow::Result<EvaluationRow>> + '_> {
        let mut verdicts = Groups::<Verdict>::new(self.read::<VerdictRow, _>(true)?);
        let judges: Arc<[String]> = self.manifest.judges.clone().into();
        let bins = Bins::default();
        let mut rows = self.rows(texts)?;
        let mut ready = Vec::new().into_iter();
        let mut ended = false;
        Ok(std::iter::from_fn(move || {
            loop {
                if let Some(row) = ready.next() {
                    return Some(Ok(row));
                }
                if ended {
                    return None;
                }
                let Some(joined) = rows.next() else {
                    ended = true;
                    return verdicts.rest().then(|| Err(strangers()));
                };
                let next = joined.and_then(|(id, row)| {
                    let found = verdicts.take(&id)?;
                    self.judged_rows(&row, &found, &judges, &bins)
                });
                match next {
                    Ok(rows) => ready = rows.into_iter(),
                    Err(error) => {
                        ended = true;
                        return Some(Err(error));
                    }
                }
            }
        }))
    }

    fn judged_rows(
        &self,
        row: &PublishedRow,
        verdicts: &[Verdict],
        judges: &Arc<[String]>,
        bins: &Bins,
    ) -> anyhow::Result<Vec<EvaluationRow>> {
        if verdicts.is_empty() {
            return Ok(Vec::new());
        }
        let scores = Array2::from_shape_fn((self.judged.len(), 2), |(model, value)| {
            let (first, second) = row.position(&self.judged[model])?;
            [first, second][value]
        });
        let found = disagreement(scores.view(), None, &DisagreementParams::default())?;
        let bin = bins.of(&found);
        let mut rows = Vec::new();
        for model in &self.judged {
            let own = || {
                let first = verdicts.iter().filter(|verdict| verdict.sample == 0);
                first.filter(|verdict| verdict.model == *model)
            };
            if own().next().is_none() {
                continue;
            }
            let decision = |judge: &String| {
                let of = own().find(|verdict| verdict.judge == *judge);
                of.and_then(|verdict| verdict.decision)
            };
            rows.push(EvaluationRow {
                model: Some(model.clone()),
                bin_name: bin.and_then(|bin| bins.name(bin)),
                std_range: bin.and_then(|bin| range(bins, bin)),
                max_pop_std_openai: found.max,
                chunk_idx: row.chunk_index,
                entry_idx: row.entry_idx,
                query_key: row.nudge_direction.map(|nudge| nudge.as_str().to_owned()),
                value1: row.value1.clone(),
                value2: row.value2.clone(),
                prompt: row.query.clone(),
                response: row.response(model).map(str::to_owned),
                judges: judges.clone(),
                decisions: judges.iter().map(decision).collect(),
                unreadable: 0,
            });
        }
        Ok(rows)
    }

    /// What a selection kept, as pairs of rank, from 0, and id.
    pub(crate) fn selection(&self, name: &str) -> anyhow::Result<Vec<(u32, String)>> {
        let mut kept = Vec::new();
        for row in self.read::<SelectionRow, Selected>(true)? {
            let row = row?;
            if row.selection == name {
                kept.push((row.rank, row.scenario_id));
            }
        }
        kept.sort();
        Ok(kept)
    }

    fn row(&self, scenario: &ScenarioRow) -> PublishedRow {
        PublishedRow {
            rank: None,
            query_generator: Some(scenario.generator.clone()),
            value1: Some(scenario.value1.clone()),
            value2: Some(scenario.value2.clone()),
            nudge_direction: Some(scenario.nudge),
            query: scenario.query.clone(),
            models: self.models.clone(),
            positions: vec![(None, None); self.models.len()],
            responses: vec![None; self.models.len()],
            chunk_index: Some((scenario.pair / CHUNK).into()),
            entry_idx: Some((scenario.pair % CHUNK).into()),
            value1_spectrum: None,
            value2_spectrum: None,
        }
    }

    fn place(&self, model: &str, sample: u32) -> Option<usize> {
        let places = self.models.iter().position(|key| key == model);
        places.filter(|_| sample == 0)
    }

    /// The rows of a table, none where it is not wanted or its stage was not run.
    fn read<T: Table, R: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        wanted: bool,
    ) -> Result<Rows<R>, DatasetError> {
        if wanted && self.tables.exists::<T>() {
            self.tables.rows_projected::<T, R>()
        } else {
            Ok(Box::new(std::iter::empty()))
        }
    }
}

/// The range of a bin in words.
fn range(bins: &Bins, bin: usize) -> Option<String> {
    let (low, high) = bins.edges(bin)?;
    let end = if bin + 1 == bins.count() { "]" } else { ")" };
    Some(format!("[{low:?}, {high:?}{end}"))
}

fn strangers() -> anyhow::Error {
    anyhow!(
        "the tables of the run do not belong together: some rows are of questions it does not have; run the study again"
    )
}

/// A row of a question, or of a pair.
trait Keyed {
    fn key(&self) -> &str;
}

macro_rules! keyed {
    ($($row:ident $field:ident)+) => {
        $(impl Keyed for $row {
            fn key(&self) -> &str {
                &self.$field
            }
        })+
    };
}
keyed! { Placed scenario_id Response scenario_id Verdict scenario_id Spectrum triple_id }

/// A table in the order of the questions, with some rows for some of them.
struct Groups<R> {
    rows: std::iter::Peekable<Rows<R>>,
}

impl<R: Keyed> Groups<R> {
    fn new(rows: Rows<R>) -> Self {
        Self {
            rows: rows.peekable(),
        }
    }

    /// The rows of a question, if they are the next.
    fn take(&mut self, id: &str) -> Result<Vec<R>, DatasetError> {
        let mut group = Vec::new();
        let own = |row: &Result<R, DatasetError>| row.as_ref().map_or(true, |row| row.key() == id);
        while let Some(row) = self.rows.next_if(own) {
            group.push(row?);
        }
        Ok(group)
    }

    fn rest(&mut self) -> bool {
        self.rows.peek().is_some()
    }
}
