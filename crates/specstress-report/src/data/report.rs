use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;

use crate::data::ballots::Ballots;
use crate::data::clauses::{Clauses, clauses};
use crate::data::compliance::{Compliance, compliance};
use crate::data::disagreement::{SubsetDisagreement, spread};
use crate::data::judges::{JudgeAgreement, judge_agreement};
use crate::data::labels::{ModelRefusals, TopicCounts, ValueCounts, refusals, topics, values};
use crate::data::panel::{ModelOutliers, panel_counts};
use crate::data::people::{PeopleLabels, people};
use crate::data::sharpest::{SharpScenario, Sharpest};
use crate::data::stages::{Coverage, ModelOutcomes, StageCounts, planned};
use crate::error::ReportError;
use crate::info::StudyInfo;

/// What a report over a simulated panel says before anything else.
const SIMULATED: &str = "Simulated panel: no real model was asked. Names are fictional.";

/// Every table and figure of a study, as data.
///
/// A section is `None` when a stage it needs was not run; [`StudyReport::absent`] then says which. A section
/// over tables without rows is there, with denominators of 0 and unknown shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyReport {
    /// Version of this layout; rises when a field changes its meaning or goes away.
    pub version: u32,
    /// What a reader must know first; set exactly when the panel is simulated.
    pub notice: Option<String>,
    /// Who took part, and under which settings.
    pub info: StudyInfo,
    /// Sections that are `None`, and why.
    pub absent: Vec<AbsentSection>,
    /// How the items of every stage ended, in the order of the stages.
    pub stages: Vec<StageCounts>,
    /// Pairs drawn and questions kept.
    pub coverage: Option<Coverage>,
    /// How each model's answers ended, in panel order.
    pub answers: Option<Vec<ModelOutcomes>>,
    /// Disagreement, one entry per subset of models.
    pub disagreement: Option<Vec<SubsetDisagreement>>,
    /// How often each model stands alone, most often first.
    pub outliers: Option<Vec<ModelOutliers>>,
    /// How far each model goes along with what it is asked, in panel order.
    pub refusals: Option<Vec<ModelRefusals>>,
    /// Which values each model and each provider expresses.
    pub values: Option<ValueCounts>,
    /// Compliance with the spec.
    pub compliance: Option<Compliance>,
    /// What the judges cite, and which clauses pull against each other.
    pub clauses: Option<Clauses>,
    /// How far the judges agree; `None` too where they were stopped early.
    pub judges: Option<JudgeAgreement>,
    /// Judges, classifier and labeler against people, and corrected rates; `None` where no labels were imported.
    #[serde(default)]
    pub people: Option<PeopleLabels>,
    /// What the questions are about.
    pub topics: Option<TopicCounts>,
    /// The ten scenarios of highest disagreement on the first subset, sharpest first; ties by scenario id.
    pub sharpest: Option<Vec<SharpScenario>>,
}

/// A section that the report does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentSection {
    /// The section: a field of [`StudyReport`], or a part of one.
    pub section: String,
    /// Why it is not there, and what would make it appear.
    pub reason: String,
}

impl StudyReport {
    /// The layout this build writes.
    pub const VERSION: u32 = 1;

    /// Computes everything from the tables of a run.
    ///
    /// Each table is read once, row by row (scenarios and topics twice). Memory holds counts, one byte per verdict with
    /// its place and the sections it cites, and the texts of the ten sharpest scenarios; with the number of scenarios
    /// only the ids of those left after thinning out grow, and what is kept of judged ones. Time is linear in the rows.
    ///
    /// # Errors
    ///
    /// [`ReportError::Info`] for a study info that contradicts itself, [`ReportError::Table`] for a table that
    /// cannot be read, [`ReportError::BadValue`] for a position above 6 or a disagreement outside 0 to 4.25. A
    /// table that does not exist is no error.
    ///
    /// ```
    /// use specstress_dataset::TableDir;
    /// use specstress_report::{StudyInfo, StudyReport};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let tables = TableDir::new(folder.path());
    /// let report = StudyReport::compute(&tables, &StudyInfo::default())?;
    /// // Nothing was run yet, and the report says so.
    /// assert!(report.disagreement.is_none());
    /// assert_eq!(report.absent[0].section, "coverage");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compute(tables: &TableDir, info: &StudyInfo) -> Result<Self, ReportError> {
        info.check()?;
        // Verdicts first: they tell for which scenarios disagreement is kept. Disagreement next: it tells
        // which texts are kept.
        let mut ballots = Ballots::read(tables, info)?;
        let mut planned = planned(tables)?;
        let spread = spread(tables, info, &mut ballots, |name| planned.selection(name))?;
        let (disagreement, candidates) = match spread {
            Some(spread) => (Some(spread.subsets), Some(spread.sharpest)),
            None => (None, None),
        };
        let ran = candidates.is_some();
        let mut sharpest = Sharpest::new(candidates.unwrap_or_default(), info);
        let panel = panel_counts(tables, info, &mut sharpest)?;
        let mut stages = std::mem::take(&mut planned.stages);
        stages.extend(panel.stages);
        stages.extend(ballots.stage.clone());
        let topics = topics(tables, &mut stages)?;
        let refusals = refusals(tables, info, &mut stages)?;
        let values = values(tables, info, &mut stages)?;

        let mut report = Self {
            version: Self::VERSION,
            notice: info.simulated.then(|| SIMULATED.to_owned()),
            info: info.clone(),
            absent: Vec::new(),
            stages,
            coverage: planned.coverage,
            answers: panel.answers,
            compliance: compliance(info, &ballots, disagreement.as_deref())?,
            clauses: clauses(tables, &ballots)?,
            // Those who are all asked are those who differ.
            judges: if info.early_stop {
                None
            } else {
                judge_agreement(&ballots)?
            },
            people: people(tables, &ballots)?,
            disagreement,
            outliers: panel.outliers,
            refusals,
            values,
            topics,
            sharpest: ran.then(|| sharpest.finish(info, &ballots)),
        };
        report.note_absent(planned.selections.is_some());
        Ok(report)
    }

    fn note_absent(&mut self, selected: bool) {
        let sections = [
            ("coverage", self.coverage.is_some(), "scenarios"),
            ("answers", self.answers.is_some(), "responses"),
            ("disagreement", self.disagreement.is_some(), "disagreement"),
            ("selections", selected, "selections"),
            ("outliers", self.outliers.is_some(), "outliers"),
            ("refusals", self.refusals.is_some(), "refusals"),
            ("values", self.values.is_some(), "expressed_values"),
            ("compliance", self.compliance.is_some(), "verdicts"),
            ("clauses", self.clauses.is_some(), "citations"),
            ("judges", self.judges.is_some(), "verdicts"),
            ("topics", self.topics.is_some(), "topics"),
            ("sharpest", self.sharpest.is_some(), "disagreement"),
        ];
        self.absent = sections
            .into_iter()
            .filter(|(_, there, _)| !there)
            .map(|(section, _, table)| AbsentSection {
                section: section.to_owned(),
                reason: format!("the stage that writes table {table} was not run"),
            })
            .collect();
        if self.info.early_stop {
            for absent in self
                .absent
                .iter_mut()
                .filter(|absent| absent.section == "judges")
            {
                "judges were stopped early, so that all of them voted only where they differ; \
                 turn early_stop off to measure agreement"
                    .clone_into(&mut absent.reason);
            }
        }
        if let Some(compliance) = &self.compliance
            && compliance.by_disagreement.is_none()
        {
            self.absent.push(AbsentSection {
                section: "compliance by disagreement".to_owned(),
                reason: if self.disagreement.is_none() {
                    "the stage that writes table disagreement was not run".to_owned()
                } else {
                    "no subset holds exactly the judged models; add one to the study".to_owned()
                },
            });
        }
    }

    /// Why a section is absent; `None` for one that is there.
    pub fn why_absent(&self, section: &str) -> Option<&str> {
        self.absent
            .iter()
            .find(|absent| absent.section == section)
            .map(|absent| absent.reason.as_str())
    }
}
