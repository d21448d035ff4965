//! What is said about votes.

use serde::Serialize;
use specstress_stats::{
    AgreementInterval, ClusteredProportion, CorrectedRate, DawidSkene, DawidSkeneParams,
    JudgeErrors, dawid_skene,
};

use super::measure::{MOST_CONFUSED, Measure};
use super::votes::{Label, Votes};
use crate::cli::AgreeArgs;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) file: String,
    pub(super) level: &'static str,
    pub(super) subjects: usize,
    /// Clusters drawn from, if a column names them.
    pub(super) clusters: Option<usize>,
    pub(super) confidence: f64,
    pub(super) draws: usize,
    pub(super) seed: u64,
    pub(super) labels: Vec<Label>,
    pub(super) raters: Vec<Rater>,
    pub(super) coefficients: Vec<Named>,
    pub(super) pairs: Vec<Pair>,
    /// Fleiss' kappa of each label against the rest.
    pub(super) categories: Vec<Named>,
    pub(super) dawid_skene: Option<Estimated>,
    pub(super) gold: Option<Gold>,
    pub(super) errors: Option<Errors>,
}

#[derive(Debug, Serialize)]
pub(super) struct Rater {
    pub(super) name: String,
    pub(super) votes: u64,
    pub(super) missing: u64,
    /// By label.
    pub(super) shares: Vec<ClusteredProportion>,
}

#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) found: AgreementInterval,
}

/// Two raters.
#[derive(Debug, Serialize)]
pub(super) struct Pair {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) coefficients: Vec<Named>,
}

/// Raters' accuracy without gold labels.
#[derive(Debug, Serialize)]
pub(super) struct Estimated {
    pub(super) prevalence: Vec<f64>,
    pub(super) raters: Vec<EstimatedRater>,
    pub(super) converged: bool,
    pub(super) iterations: usize,
    pub(super) n: usize,
    pub(super) dropped: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct EstimatedRater {
    pub(super) name: String,
    pub(super) accuracy: f64,
    /// `confusion[t][g]`: chance of label `g` where `t` is true.
    pub(super) confusion: Vec<Vec<f64>>,
    pub(super) n: usize,
}

/// Raters against the gold column.
#[derive(Debug, Serialize)]
pub(super) struct Gold {
    pub(super) column: String,
    /// Subjects with a gold label.
    pub(super) n: usize,
    pub(super) raters: Vec<AgainstGold>,
}

#[derive(Debug, Serialize)]
pub(super) struct AgainstGold {
    pub(super) name: String,
    /// Share of gold labels that the rater gave too.
    pub(super) accuracy: ClusteredProportion,
    pub(super) labels: Vec<LabelAgainstGold>,
}

#[derive(Debug, Serialize)]
pub(super) struct LabelAgainstGold {
    pub(super) label: String,
    pub(super) sensitivity: ClusteredProportion,
    pub(super) specificity: ClusteredProportion,
    /// The label's share among subjects without a gold label, corrected for the rater's errors; absent
    /// where there is no such subject.
    pub(super) corrected: Option<CorrectedRate>,
}

#[derive(Debug, Serialize)]
pub(super) struct Errors {
    /// `gold`, or `dawid-skene` where the most probable labels stand in for the truth.
    pub(super) truth: &'static str,
    #[serde(flatten)]
    pub(super) found: JudgeErrors,
}

impl Report {
    pub(super) fn new(votes: &Votes, args: &AgreeArgs) -> anyhow::Result<Self> {
        let measure = Measure::new(votes, args)?;
        let estimate = (votes.raters.len() > 2 && votes.labels.len() <= MOST_CONFUSED)
            .then(|| dawid_skene(votes.ratings.view(), &DawidSkeneParams::default()))
            .transpose()?;
        let pairs = (0..votes.raters.len())
            .flat_map(|a| (a + 1..votes.raters.len()).map(move |b| (a, b)))
            .map(|(a, b)| measure.pair(a, b, args.level))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            file: args.file.display().to_string(),
            level: args.level.name(),
            subjects: votes.ratings.nrows(),
            clusters: votes.clusters.as_ref().map(|(_, count)| *count),
            confidence: args.confidence,
            draws: args.draws,
            seed: args.seed,
            labels: votes.labels.clone(),
            raters: measure.raters()?,
            coefficients: measure.panel(args.level)?,
            pairs,
            categories: measure.categories(args.level)?,
            gold: votes
                .gold
                .as_deref()
                .map(|gold| measure.gold(gold, args))
                .transpose()?,
            errors: measure.errors(estimate.as_ref())?,
            dawid_skene: estimate.map(|found| estimated(votes, found)),
        })
    }
}

fn estimated(votes: &Votes, found: DawidSkene) -> Estimated {
    let judges = votes.raters.iter().zip(found.judges);
    Estimated {
        prevalence: found.prevalence,
        raters: judges
            .map(|(name, judge)| EstimatedRater {
                name: name.clone(),
                accuracy: judge.accuracy,
                confusion: judge.confusion,
                n: judge.n,
            })
            .collect(),
        converged: found.converged,
        iterations: found.iterations,
        n: found.n,
        dropped: found.dropped,
    }
}
