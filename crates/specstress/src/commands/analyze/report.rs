//! Everything that a source says.

use serde::Serialize;
use specstress_dataset::published::PUBLISHED_SUBSETS;
use specstress_pipeline::RunDir;
use specstress_report::{ModelRefusals, StudyReport, TopicCounts, ValueCounts};

use super::beside::{Beside, is_release};
use super::judged::Compliance;
use super::source::Source;
use super::summary::Summary;
use super::together::Together;
use crate::info::study_info;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// `None` where there are judged answers only.
    #[serde(flatten)]
    pub(super) summary: Option<Summary>,
    /// Questions per split.
    pub(super) sizes: Vec<SplitSize>,
    /// `None` without judged answers.
    pub(super) compliance: Option<Compliance>,
    /// Of a run only: the published layouts do not have them.
    pub(super) labels: Option<Labels>,
    pub(super) paper: Option<Beside>,
}

#[derive(Debug, Serialize)]
pub(super) struct SplitSize {
    pub(super) split: String,
    pub(super) rows: u64,
    /// Rows of the released split; `None` for another panel.
    pub(super) paper: Option<u64>,
}

/// Labels of questions and answers.
#[derive(Debug, Serialize)]
pub(super) struct Labels {
    pub(super) topics: Option<TopicCounts>,
    pub(super) refusals: Option<Vec<ModelRefusals>>,
    pub(super) values: Option<ValueCounts>,
    /// Values that go together between models.
    pub(super) together: Option<Vec<Together>>,
}

impl Report {
    pub(super) fn new(source: &Source, summary: Option<Summary>) -> anyhow::Result<Self> {
        let released = source.models().is_some_and(is_release);
        let paper = |name: &str| {
            let mut published = PUBLISHED_SUBSETS.iter();
            let split = published.find(|split| split.name == name);
            split.filter(|_| released).map(|split| split.rows)
        };
        let sizes = source.sizes()?.into_iter();
        let judged = source.judged()?;
        let compliance = if judged.is_empty() {
            None
        } else {
            Some(judged.measure()?)
        };
        let mut report = Self {
            summary,
            sizes: sizes
                .map(|(split, rows)| SplitSize {
                    paper: paper(&split),
                    split,
                    rows,
                })
                .collect(),
            compliance,
            labels: labels(source)?,
            paper: None,
        };
        report.paper = Beside::new(&report);
        Ok(report)
    }
}

fn labels(source: &Source) -> anyhow::Result<Option<Labels>> {
    let Source::Run(run) = source else {
        return Ok(None);
    };
    let info = study_info(&run.manifest, &[], 0);
    let report = StudyReport::compute(&RunDir::tables_of(&run.path), &info)?;
    Ok(Some(Labels {
        topics: report.topics,
        refusals: report.refusals,
        values: report.values,
        together: Together::of_run(run)?,
    }))
}
