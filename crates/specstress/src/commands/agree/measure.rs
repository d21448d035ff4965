//! How votes are measured.

use specstress_stats::ndarray::{Array2, Axis};
use specstress_stats::{
    AgreementWeights, Bootstrap, ClusteredProportion, Coefficient, Confidence, DawidSkene,
    MeasurementLevel, agreement_bootstrap, calibrate, clustered_proportion, judge_errors,
};

use super::report::{AgainstGold, Errors, Gold, LabelAgainstGold, Named, Pair, Rater};
use super::votes::{Label, Votes};
use crate::cli::{AgreeArgs, LevelArg};

/// Confusion tables of more labels than this would rest on a handful of votes each.
pub(super) const MOST_CONFUSED: usize = 10;

/// Everything that one table of votes is measured with.
pub(super) struct Measure<'a> {
    votes: &'a Votes,
    codes: Vec<u32>,
    bootstrap: Bootstrap,
    confidence: Confidence,
}

/// Coefficients of all raters together.
fn panel_coefficients(level: LevelArg) -> Vec<(String, Coefficient)> {
    let alpha = |level| Coefficient::Krippendorff(level);
    let mut list = vec![
        ("percent agreement".to_owned(), Coefficient::Percent),
        ("Fleiss' kappa".to_owned(), Coefficient::Fleiss),
    ];
    let (level, weights) = match level {
        LevelArg::Nominal | LevelArg::Binary => (MeasurementLevel::Nominal, &[][..]),
        LevelArg::Ordinal => (
            MeasurementLevel::Ordinal,
            &[AgreementWeights::Linear, AgreementWeights::Quadratic][..],
        ),
        LevelArg::Interval => (
            MeasurementLevel::Interval,
            &[AgreementWeights::Quadratic][..],
        ),
    };
    let named = match level {
        MeasurementLevel::Ordinal => " (ordinal)",
        MeasurementLevel::Interval => " (interval)",
        _ => " (nominal)",
    };
    list.push((format!("Krippendorff's alpha{named}"), alpha(level)));
    list.push((
        "Gwet's AC1".to_owned(),
        Coefficient::Gwet(AgreementWeights::Identity),
    ));
    for weights in weights {
        list.push((
            format!("Gwet's AC2 ({})", weight_name(*weights)),
            Coefficient::Gwet(*weights),
        ));
    }
    list
}

/// Coefficients of two raters.
fn pair_coefficients(level: LevelArg) -> Vec<(String, Coefficient)> {
    let mut list = vec![
        ("percent agreement".to_owned(), Coefficient::Percent),
        (
            "Cohen's kappa".to_owned(),
            Coefficient::Cohen(AgreementWeights::Identity),
        ),
    ];
    let weights: &[AgreementWeights] = match level {
        LevelArg::Nominal | LevelArg::Binary => &[],
        LevelArg::Ordinal => &[AgreementWeights::Linear, AgreementWeights::Quadratic],
        LevelArg::Interval => &[AgreementWeights::Quadratic],
    };
    for weights in weights {
        list.push((
            format!("Cohen's kappa ({})", weight_name(*weights)),
            Coefficient::Cohen(*weights),
        ));
    }
    list
}

fn weight_name(weights: AgreementWeights) -> &'static str {
    match weights {
        AgreementWeights::Linear => "linear",
        AgreementWeights::Quadratic => "quadratic",
        _ => "plain",
    }
}

impl<'a> Measure<'a> {
    pub(super) fn new(votes: &'a Votes, args: &AgreeArgs) -> anyhow::Result<Self> {
        let confidence = Confidence::new(args.confidence)?;
        Ok(Self {
            votes,
            codes: votes.codes(),
            bootstrap: Bootstrap::new(args.draws, args.seed)?.confidence(confidence),
            confidence,
        })
    }

    pub(super) fn panel(&self, level: LevelArg) -> anyhow::Result<Vec<Named>> {
        self.coefficients(&self.votes.ratings, &panel_coefficients(level))
    }

    fn share(&self, events: &[Option<bool>]) -> anyhow::Result<ClusteredProportion> {
        Ok(clustered_proportion(
            events,
            self.votes.cluster_names(),
            self.confidence,
        )?)
    }

    fn coefficients(
        &self,
        ratings: &Array2<Option<u32>>,
        list: &[(String, Coefficient)],
    ) -> anyhow::Result<Vec<Named>> {
        let one = |(name, coefficient): &(String, Coefficient)| {
            let clusters = self.votes.cluster_names();
            let found = agreement_bootstrap(
                ratings.view(),
                Some(&self.codes),
                *coefficient,
                clusters,
                &self.bootstrap,
            )?;
            Ok(Named {
                name: name.clone(),
                found,
            })
        };
        list.iter().map(one).collect()
    }

    pub(super) fn pair(&self, a: usize, b: usize, level: LevelArg) -> anyhow::Result<Pair> {
        let ratings = self.votes.ratings.select(Axis(1), &[a, b]);
        Ok(Pair {
            a: self.votes.raters[a].clone(),
            b: self.votes.raters[b].clone(),
            coefficients: self.coefficients(&ratings, &pair_coefficients(level))?,
        })
    }

    pub(super) fn categories(&self, level: LevelArg) -> anyhow::Result<Vec<Named>> {
        // Of two labels each is as surely told from the other.
        if level == LevelArg::Binary || self.votes.labels.len() <= 2 {
            return Ok(Vec::new());
        }
        let named = |label: &Label| (label.name.clone(), Coefficient::FleissCategory(label.code));
        let list: Vec<_> = self.votes.labels.iter().map(named).collect();
        self.coefficients(&self.votes.ratings, &list)
    }

    pub(super) fn raters(&self) -> anyhow::Result<Vec<Rater>> {
        let columns = self.votes.ratings.columns();
        let raters = self.votes.raters.iter().zip(columns);
        raters
            .map(|(name, column)| {
                let share = |label: &Label| {
                    let given: Vec<_> = column
                        .iter()
                        .map(|vote| vote.map(|vote| vote == label.code))
                        .collect();
                    self.share(&given)
                };
                let votes = column.iter().flatten().count() as u64;
                Ok(Rater {
                    name: name.clone(),
                    votes,
                    missing: column.len() as u64 - votes,
                    shares: self
                        .votes
                        .labels
                        .iter()
                        .map(share)
                        .collect::<anyhow::Result<_>>()?,
                })
            })
            .collect()
    }

    pub(super) fn gold(&self, gold: &[Option<u32>], args: &AgreeArgs) -> anyhow::Result<Gold> {
        let labels: Vec<&Label> = match args.level {
            LevelArg::Binary => self
                .votes
                .labels
                .iter()
                .filter(|label| label.code == 1)
                .collect(),
            _ if self.votes.labels.len() <= MOST_CONFUSED => self.votes.labels.iter().collect(),
            _ => Vec::new(),
        };
        let raters = self.votes.raters.iter().zip(self.votes.ratings.columns());
        let raters = raters.map(|(name, column)| {
            let votes: Vec<Option<u32>> = column.to_vec();
            let right: Vec<_> = votes
                .iter()
                .zip(gold)
                .map(|(vote, gold)| Some((*vote)? == (*gold)?))
                .collect();
            let labels = labels.iter().map(|label| self.label(label, &votes, gold));
            Ok(AgainstGold {
                name: name.clone(),
                accuracy: self.share(&right)?,
                labels: labels.collect::<anyhow::Result<_>>()?,
            })
        });
        Ok(Gold {
            column: args.gold.clone().unwrap_or_default(),
            n: gold.iter().flatten().count(),
            raters: raters.collect::<anyhow::Result<_>>()?,
        })
    }

    fn label(
        &self,
        label: &Label,
        votes: &[Option<u32>],
        gold: &[Option<u32>],
    ) -> anyhow::Result<LabelAgainstGold> {
        let given = |votes: &[Option<u32>]| -> Vec<Option<bool>> {
            votes
                .iter()
                .map(|vote| vote.map(|vote| vote == label.code))
                .collect()
        };
        let (judge, people) = (given(votes), given(gold));
        let among = |truth: bool| -> Vec<Option<bool>> {
            let pairs = judge.iter().zip(&people);
            pairs
                .map(|(judge, people)| people.filter(|&people| people == truth).and(*judge))
                .collect()
        };
        let hits = self.share(&among(true))?;
        let passes: Vec<_> = among(false)
            .into_iter()
            .map(|alarm| alarm.map(|alarm| !alarm))
            .collect();
        let others: Vec<bool> = judge
            .iter()
            .zip(&people)
            .filter(|(_, people)| people.is_none())
            .filter_map(|(judge, _)| *judge)
            .collect();
        let flagged = others.iter().filter(|given| **given).count() as u64;
        let corrected = (!others.is_empty()).then(|| {
            calibrate(&judge, &people, self.confidence)?.corrected_rate(
                flagged,
                others.len() as u64,
                self.confidence,
            )
        });
        Ok(LabelAgainstGold {
            label: label.name.clone(),
            sensitivity: hits,
            specificity: self.share(&passes)?,
            corrected: corrected.transpose()?,
        })
    }

    pub(super) fn errors(&self, estimate: Option<&DawidSkene>) -> anyhow::Result<Option<Errors>> {
        let (truth, labels): (_, Vec<Option<u32>>) = match (&self.votes.gold, estimate) {
            (Some(gold), _) => ("gold", gold.clone()),
            (None, Some(found)) => {
                let subjects = 0..self.votes.ratings.nrows();
                (
                    "dawid-skene",
                    subjects.map(|subject| found.label(subject)).collect(),
                )
            }
            (None, None) => return Ok(None),
        };
        // A vote is right or wrong whatever its label; right is the truth to compare with.
        let right = Array2::from_shape_fn(self.votes.ratings.dim(), |(subject, rater)| {
            Some(self.votes.ratings[[subject, rater]]? == labels[subject]?)
        });
        let known: Vec<_> = labels.iter().map(|label| label.map(|_| true)).collect();
        Ok(Some(Errors {
            truth,
            found: judge_errors(right.view(), &known, self.confidence)?,
        }))
    }
}
