//! Statistics for panels of raters: how far a panel disagrees on one item, who stands
//! alone, how often raters agree, and how sure a rate is. Arrays in, plain results out;
//! nothing here knows where the scores come from.
//!
//! Every result carries its estimate, the number of observations it rests on and the number
//! it left out. A quantity that does not exist (no scores, a zero denominator) is `None`,
//! never `NaN`; missing scores are `None` on the way in, and the rule that handles them is
//! an argument ([`MissingPolicy`]) or stated on the function.
//!
//! "The paper" is Zhang et al. 2025, *Stress-Testing Model Specs Reveals Character Differences
//! among Language Models*, arXiv 2510.07686 v2; pages are its pages.
//!
//! ```
//! use specstress_stats::ndarray::array;
//! use specstress_stats::{DisagreementParams, disagreement, disagreement_batch};
//!
//! // Four models, two values each, on the 0 to 6 scale of the paper.
//! let scores = array![[0_u8, 6], [4, 2], [1, 5], [5, 2]];
//! let d = disagreement(scores.view(), None, &DisagreementParams::default())?;
//! assert!(d.high);
//! assert_eq!((d.n, d.missing), (4, 0));
//! assert!((d.max.expect("four scores") - 4.25_f64.sqrt()).abs() < 1e-12);
//!
//! // Only models 1 and 3, for many scenarios at once: scenarios x models x values.
//! let many = array![[[0_u8, 6], [4, 2], [1, 5], [5, 2]], [[3, 3], [3, 3], [3, 3], [3, 3]]];
//! let pairs = disagreement_batch(many.view(), Some(&[1, 3]), &DisagreementParams::default())?;
//! assert_eq!(pairs[0].max, Some(0.5));
//! assert_eq!(pairs[1].max, Some(0.0));
//! # Ok::<(), specstress_stats::StatsError>(())
//! ```
//!
//! # Traits
//!
//! - [`Dispersion`]: the spread of the scores of one panel on one value. Implement it to
//!   measure disagreement another way; [`PopulationStd`], [`SampleStd`], [`Range`],
//!   [`MeanPairwiseDistance`] and [`Entropy`] ship here.
//! - [`Score`] (sealed): what an array may hold: `u8`, `u16`, `f64` or an `Option` of these.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `bootstrap` | seeded resampling: clustered intervals, permutation p-values, held-out splits |
//! | `rayon` | the batches and draws run on all cores; the results stay the same, bit for bit |
//! | `serde` | `serde::Serialize` on every result but the packed [`PanelDisagreements`] |

#![expect(
    clippy::needless_pass_by_value,
    reason = "array views are passed by value, as slices are"
)]
#![expect(
    clippy::float_cmp,
    reason = "equal scores, exact bars and golden values are compared bit for bit on purpose"
)]

mod agreement;
mod bins;
mod clustered;
mod compare;
mod correlation;
mod disagreement;
mod dispersion;
mod error;
mod judges;
mod noise;
mod noncompliance;
mod normal;
mod nudge;
mod outlier;
mod panel;
mod parallel;
mod priorities;
mod quantile;
mod ranking;
mod rates;
mod ratio;
#[cfg(feature = "bootstrap")]
mod resample;
mod sample_size;
mod score;
mod special;
mod threshold;
mod wins;

pub use ndarray;

pub use agreement::{
    AgreementEstimate, AgreementMatrix, AgreementWeights, CategoryKappa, Coefficient, FleissKappa,
    MeasurementLevel, PairAgreement, agreement, agreement_matrix, category_kappa, fleiss_kappa,
    fleiss_kappa_counts,
};
#[cfg(feature = "bootstrap")]
pub use agreement::{AgreementInterval, agreement_bootstrap};
pub use bins::{BinRate, Bins, Enrichment, enrichment};
pub use clustered::{
    ClusterMoments, ClusterSum, ClusteredMean, ClusteredProportion, clustered_mean,
    clustered_proportion,
};
pub use compare::{
    Adjusted, Adjustment, McNemar, Wilcoxon, adjust_p_values, mcnemar, wilcoxon_signed_rank,
};
#[cfg(feature = "bootstrap")]
pub use compare::{PairedPermutation, Permutations, paired_permutation};
pub use correlation::{Correlation, pearson, spearman};
pub use disagreement::{
    Disagreement, DisagreementParams, MissingPolicy, PanelDisagreement, PanelDisagreements,
    disagreement, disagreement_batch, disagreement_panels,
};
pub use dispersion::{Dispersion, Entropy, MeanPairwiseDistance, PopulationStd, Range, SampleStd};
pub use error::StatsError;
pub use judges::{
    CorrectedRate, DawidSkene, DawidSkeneParams, ErrorPair, JudgeAccuracy, JudgeCalibration,
    JudgeErrors, calibrate, dawid_skene, judge_errors,
};
pub use noise::{NoiseFloor, VarianceComponents, noise_floor, variance_components};
#[cfg(feature = "bootstrap")]
pub use noise::{NoiseParams, NoiseReport, ScenarioNoise, disagreement_noise};
pub use noncompliance::{
    MajorityVote, ModelVotes, NonCompliance, ScenarioVotes, frequent_noncompliance,
};
pub use normal::normal_quantile;
pub use nudge::{NudgeEffects, NudgePair, nudge_effects};
pub use outlier::{
    DirectedCount, ModelOutlier, ModelOutlierCount, OutlierCounts, OutlierParams, OutlierReading,
    Outliers, Standing, outlier_counts, outliers, standings,
};
pub use priorities::{
    CoOccurrence, Expressed, PriorityContrasts, ValuePriorities, co_occurrence, priority_contrasts,
    value_priorities,
};
pub use ranking::{
    BradleyTerry, NudgedComparison, RankAgreement, RankedItem, RankingParams, Shrinkage,
    StandardErrors, Term, Ties, Toward, Transitivity, bradley_terry, rank_agreement, transitivity,
};
#[cfg(feature = "bootstrap")]
pub use ranking::{HeldOut, held_out};
pub use rates::{
    Confidence, Interval, MissingBounds, Proportion, RiskRatio, Trend, binomial_standard_error,
    clopper_pearson_interval, cochran_armitage, missing_bounds, proportion, risk_ratio,
    wilson_interval,
};
pub use ratio::Ratio;
#[cfg(feature = "bootstrap")]
pub use resample::{Bootstrap, BootstrapInterval, cluster_bootstrap, stratified_bootstrap};
pub use sample_size::{TestPlan, samples_for_net_disagreement, scenarios_for_risk_ratio};
pub use score::Score;
pub use special::normal_cdf;
pub use threshold::Threshold;
pub use wins::{CategoryWins, Comparison, Preference, WinRates, win_rates};
