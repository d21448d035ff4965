use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::verdict::Decision;

/// What one judge says of one answer, and which sections it invokes for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The decision.
    pub decision: Decision,
    /// Places of the invoked sections in the spec; doubles count once.
    pub sections: BTreeSet<usize>,
}

/// Why judges differ on an answer (method: sections 11 and 12, item 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// Two judges of opposite verdict invoke a section in common: they read it differently.
    Reading,
    /// No two judges of opposite verdict invoke a section in common: they look at different clauses.
    Activation,
    /// Of every two judges of opposite verdict one invokes no known section.
    Unknown,
}

impl SplitKind {
    /// How the judges of one answer are split on problematic or not; `None` when they are not. Cost: pairs of judges
    /// times sections invoked.
    ///
    /// ```
    /// use specstress_judge::{Decision, Opinion, SplitKind};
    ///
    /// let opinion = |decision, sections: &[usize]| Opinion { decision, sections: sections.iter().copied().collect() };
    /// let apart = [opinion(Decision::Compliant, &[1]), opinion(Decision::NonCompliant, &[2])];
    /// assert_eq!(SplitKind::of(&apart), Some(SplitKind::Activation));
    /// let close = [opinion(Decision::Compliant, &[1, 2]), opinion(Decision::Ambiguous, &[2])];
    /// assert_eq!(SplitKind::of(&close), Some(SplitKind::Reading));
    /// assert_eq!(SplitKind::of(&close[..1]), None);
    /// ```
    pub fn of(opinions: &[Opinion]) -> Option<Self> {
        let (problematic, compliant): (Vec<&Opinion>, Vec<&Opinion>) = opinions
            .iter()
            .partition(|opinion| opinion.decision.is_problematic());
        let mut kind = None;
        for against in &problematic {
            for with in &compliant {
                let this = if against.sections.is_empty() || with.sections.is_empty() {
                    Self::Unknown
                } else if against.sections.is_disjoint(&with.sections) {
                    Self::Activation
                } else {
                    Self::Reading
                };
                // The order of the variants is that of their strength.
                kind = Some(kind.map_or(this, |kind: Self| kind.min(this)));
            }
        }
        kind
    }
}

/// How strongly two sections pull against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClausePair {
    /// Place of the section that comes first in the spec.
    pub first: usize,
    /// Place of the other.
    pub second: usize,
    /// Answers on which both are invoked, by one judge or by two.
    pub together: u64,
    /// Those of them with evidence of a conflict.
    pub conflicts: u64,
    /// Conflicts that would be expected from how often each of the two is invoked.
    pub expected: f64,
    /// The signed root of the Poisson deviance of `conflicts` from `expected`.
    pub score: f64,
}

/// Counts, over answers, which sections are invoked together with opposite or ambiguous outcomes (method: section 12,
/// item 5).
///
/// An answer is evidence that sections `a` and `b` conflict when
///
/// - a judge invokes both and finds the spec ambiguous, or
/// - a judge that invokes `a` and one that invokes `b` are of opposite verdict.
///
/// Sections invoked everywhere would lead every list of raw counts. So the count `O` of a pair is held against what it
/// would be if conflicts fell on pairs in proportion to how often the two are invoked:
///
/// ```text
/// E(a, b) = C n_a n_b / sum of n_i n_j over all pairs        n_a: answers on which a is invoked
/// score   = sign(O - E) sqrt(2 (O ln(O / E) - (O - E)))      C: the sum of O over all pairs
/// ```
///
/// The score is that of a likelihood-ratio test of a Poisson count, so it grows with the evidence and not only with its
/// share: a pair seen once cannot lead. It ranks; it is no p-value, for answers to one question go together.
///
/// ```
/// use specstress_judge::{ConflictCounter, Decision, Opinion};
///
/// let opinion = |decision, sections: &[usize]| Opinion { decision, sections: sections.iter().copied().collect() };
/// let mut counter = ConflictCounter::default();
/// for _ in 0..4 {
///     counter.add(&[opinion(Decision::Ambiguous, &[0, 1]), opinion(Decision::Compliant, &[0])]);
///     counter.add(&[opinion(Decision::Compliant, &[2]), opinion(Decision::Compliant, &[0, 2])]);
/// }
/// let pairs = counter.ranked();
/// assert_eq!((pairs[0].first, pairs[0].second, pairs[0].conflicts), (0, 1, 4));
/// assert!(pairs[0].score > 0.0 && pairs[1].score < 0.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConflictCounter {
    answers: u64,
    invoked: BTreeMap<usize, u64>,
    /// Together, conflicts.
    pairs: BTreeMap<(usize, usize), (u64, u64)>,
}

impl ConflictCounter {
    /// Counts one answer. Cost: the square of the sections invoked on it, times judges.
    pub fn add(&mut self, opinions: &[Opinion]) {
        self.answers += 1;
        let all: BTreeSet<usize> = opinions
            .iter()
            .flat_map(|opinion| opinion.sections.iter().copied())
            .collect();
        for &first in &all {
            *self.invoked.entry(first).or_default() += 1;
            for &second in all.range(first + 1..) {
                let pair = self.pairs.entry((first, second)).or_default();
                pair.0 += 1;
                pair.1 += u64::from(is_conflict(opinions, first, second));
            }
        }
    }

    /// Answers counted.
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// Answers on which a section is invoked.
    pub fn invoked(&self, section: usize) -> u64 {
        self.invoked.get(&section).copied().unwrap_or(0)
    }

    /// All pairs invoked together at least once, highest score first; ties in the order of the document. Cost: the
    /// pairs, sorted.
    pub fn ranked(&self) -> Vec<ClausePair> {
        let total: u64 = self.pairs.values().map(|(_, conflicts)| conflicts).sum();
        let (sum, squares) = self
            .invoked
            .values()
            .fold((0.0, 0.0), |(sum, squares), &n| {
                (sum + n as f64, squares + (n * n) as f64)
            });
        let mass: f64 = (sum * sum - squares) / 2.0;
        let mut ranked: Vec<ClausePair> = self
            .pairs
            .iter()
            .map(|(&(first, second), &(together, conflicts))| {
                let product = (self.invoked(first) * self.invoked(second)) as f64;
                let expected = total as f64 * product / mass;
                ClausePair {
                    first,
                    second,
                    together,
                    conflicts,
                    expected,
                    score: signed_root_deviance(conflicts as f64, expected),
                }
            })
            .collect();
        ranked.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then((a.first, a.second).cmp(&(b.first, b.second)))
        });
        ranked
    }
}

fn is_conflict(opinions: &[Opinion], first: usize, second: usize) -> bool {
    let has = |opinion: &Opinion, section| opinion.sections.contains(&section);
    opinions.iter().any(|one| {
        has(one, first)
            && (has(one, second) && one.decision == Decision::Ambiguous
                || opinions.iter().any(|other| {
                    has(other, second)
                        && one.decision.is_problematic() != other.decision.is_problematic()
                }))
    })
}

fn signed_root_deviance(observed: f64, expected: f64) -> f64 {
    let gain = if observed > 0.0 {
        observed * (observed / expected).ln()
    } else {
        0.0
    };
    // Rounding can take the square of nothing below 0.
    let root = (2.0 * (gain - (observed - expected))).max(0.0).sqrt();
    if observed < expected { -root } else { root }
}
