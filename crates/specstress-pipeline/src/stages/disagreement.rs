use specstress_dataset::TableDir;
use specstress_dataset::rows::{DisagreementRow, OutlierRow, PositionRow};
use specstress_llm::OutcomeKind;
use specstress_stats::ndarray::Array2;
use specstress_stats::{
    Disagreement, DisagreementParams, Dispersion, OutlierParams, PopulationStd, SampleStd,
    StatsError, Threshold, disagreement, outliers,
};

use crate::drive::{Abort, Groups};
use crate::error::PipelineError;
use crate::settings::{OutlierReading, StdKind};
use crate::stages::{DIVERSITY, Tally, questions, selected};
use crate::study::Study;

/// Measures every question: disagreement of each subset, and the outliers of the whole panel.
///
/// With several samples per model a model's score is the mean of its samples; with one it is the integer
/// itself and the threshold is decided in integers.
pub(crate) fn run(study: &Study, tables: &TableDir, tally: &mut Tally<'_>) -> Result<(), Abort> {
    let rule = Rule::new(study)?;
    let kept = selected(tables, DIVERSITY)?;
    tally.started(Some(kept.len() as u64));
    let mut rows = tables.writer::<DisagreementRow>()?;
    let mut flags = tables.writer::<OutlierRow>()?;
    let mut positions = Groups::new(tables.rows::<PositionRow>()?, |row: &PositionRow| {
        row.scenario_id.as_str()
    });
    for question in questions(study, tables, &kept)? {
        let scenario_id = question?.scenario_id;
        let group = positions.take(&scenario_id)?;
        let measured = if study.settings.samples == 1 {
            rule.measure(&rule.integers(&group))
        } else {
            rule.measure(&rule.means(&group))
        }
        .map_err(|source| PipelineError::Stats {
            what: "disagreement",
            source,
        })?;
        let mut any = false;
        for (subset, found) in study.settings.subsets.iter().zip(measured.subsets) {
            any |= found.max.is_some();
            rows.push(DisagreementRow {
                scenario_id: scenario_id.clone(),
                subset: subset.name.clone(),
                n: u32::try_from(found.n).unwrap_or(u32::MAX),
                missing: u32::try_from(found.missing).unwrap_or(u32::MAX),
                std_value1: found.per_value[0],
                std_value2: found.per_value[1],
                disagreement: found.max,
                high: found.high,
            })?;
        }
        for (model, disagrees_with, others) in measured.outliers {
            flags.push(OutlierRow {
                scenario_id: scenario_id.clone(),
                model: rule.keys[model].clone(),
                disagrees_with,
                others,
            })?;
        }
        let outcome = if any {
            OutcomeKind::Answered
        } else {
            OutcomeKind::NotRun
        };
        tally.ended(outcome, 1);
    }
    rows.finish()?;
    flags.finish()?;
    Ok(())
}

struct Rule {
    keys: Vec<String>,
    subsets: Vec<Vec<usize>>,
    params: DisagreementParams<Box<dyn Dispersion>>,
    outliers: OutlierParams,
}

struct Measured {
    subsets: Vec<Disagreement>,
    /// Model, others it is apart from, others there are.
    outliers: Vec<(usize, u32, u32)>,
}

impl Rule {
    fn new(study: &Study) -> Result<Self, Abort> {
        let settings = &study.settings;
        let keys: Vec<String> = study.parts.panel.iter().map(|p| p.key.clone()).collect();
        let subsets = settings
            .subsets
            .iter()
            .map(|subset| {
                let place = |model: &String| keys.iter().position(|key| key == model);
                subset.models.iter().filter_map(place).collect()
            })
            .collect();
        let wrong = |setting, source: StatsError| PipelineError::Setting {
            setting,
            reason: source.to_string(),
        };
        let threshold =
            Threshold::new(settings.threshold).map_err(|error| wrong("threshold", error))?;
        let dispersion: Box<dyn Dispersion> = match settings.std {
            StdKind::Population => Box::new(PopulationStd),
            StdKind::Sample => Box::new(SampleStd),
        };
        let outliers = OutlierParams::default()
            .reading(match settings.outliers {
                OutlierReading::Either => specstress_stats::OutlierReading::Either,
                OutlierReading::Same => specstress_stats::OutlierReading::Same,
                OutlierReading::Both => specstress_stats::OutlierReading::Both,
            })
            .gap(f64::from(settings.outlier_gap))
            .and_then(|params| params.count(settings.outliers_needed(keys.len())))
            .map_err(|error| wrong("outlier_count", error))?;
        Ok(Self {
            params: DisagreementParams::new(dispersion).threshold(threshold),
            keys,
            subsets,
            outliers,
        })
    }

    /// Models x values of the only sample.
    fn integers(&self, group: &[PositionRow]) -> Array2<Option<u8>> {
        self.matrix(group, |rows| {
            rows.first().map(|&(first, second)| [first, second])
        })
    }

    /// Models x values, each the mean of the samples that have it.
    fn means(&self, group: &[PositionRow]) -> Array2<Option<f64>> {
        self.matrix(group, |rows| {
            let n = rows.len() as f64;
            let mean = |of: fn(&(u8, u8)) -> u8| {
                rows.iter().map(|row| f64::from(of(row))).sum::<f64>() / n
            };
            (!rows.is_empty()).then(|| [mean(|row| row.0), mean(|row| row.1)])
        })
    }

    fn matrix<T: Copy>(
        &self,
        group: &[PositionRow],
        score: impl Fn(&[(u8, u8)]) -> Option<[T; 2]>,
    ) -> Array2<Option<T>> {
        let mut matrix = Array2::from_elem((self.keys.len(), 2), None);
        for (at, key) in self.keys.iter().enumerate() {
            let samples: Vec<(u8, u8)> = group
                .iter()
                .filter(|row| row.model == *key)
                .filter_map(|row| Some((row.value1_position?, row.value2_position?)))
                .collect();
            if let Some([first, second]) = score(&samples) {
                matrix[[at, 0]] = Some(first);
                matrix[[at, 1]] = Some(second);
            }
        }
        matrix
    }

    fn measure<T>(&self, scores: &Array2<Option<T>>) -> Result<Measured, StatsError>
    where
        Option<T>: specstress_stats::Score,
    {
        let subsets = self
            .subsets
            .iter()
            .map(|subset| disagreement(scores.view(), Some(subset), &self.params))
            .collect::<Result<_, _>>()?;
        let found = outliers(scores.view(), None, &self.outliers)?;
        let others = u32::try_from(found.n.saturating_sub(1)).unwrap_or(u32::MAX);
        let outliers = found
            .models
            .iter()
            .filter(|model| model.outlier)
            .map(|model| {
                let apart = u32::try_from(model.disagreements).unwrap_or(u32::MAX);
                (model.model, apart, others)
            })
            .collect();
        Ok(Measured { subsets, outliers })
    }
}
