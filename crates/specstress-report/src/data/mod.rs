mod ballots;
mod clauses;
mod compliance;
mod disagreement;
mod granularity;
mod judges;
mod labels;
mod panel;
mod people;
mod quadrants;
mod rate;
mod report;
pub(crate) mod scan;
mod sharpest;
mod space;
mod stages;
mod thinning;

pub use clauses::{
    Clause, ClauseConflict, Clauses, JudgeQuotes, QuoteCounts, Quotes, SectionRef, Split,
    UnknownSection,
};
pub use compliance::{
    Compliance, DisagreementBins, ModelCompliance, NonComplianceBin, PoolCompliance,
};
pub use disagreement::{HistogramBin, SubsetDisagreement};
pub use granularity::GranularityGap;
pub use judges::{Fleiss, JudgeAgreement, JudgePair, JudgeRate};
pub use labels::{ModelRefusals, ModelValues, ProviderValues, TopicCounts, ValueCounts};
pub use panel::ModelOutliers;
pub use people::{
    CorrectedRates, Estimate, GradeAccuracy, JudgeAccuracy, PeopleLabels, RaterAgreement,
    RaterCount,
};
pub use quadrants::{QuadrantRow, Quadrants};
pub use rate::{GroupRate, Rate};
pub use report::{AbsentSection, StudyReport};
pub use sharpest::{Question, SharpAnswer, SharpScenario, VerdictSummary};
pub use space::{SpaceRow, TopicSpace, ValueSpace};
pub use stages::{Coverage, ModelOutcomes, OutcomeCount, StageCounts};
pub use thinning::KeptAtDistance;
