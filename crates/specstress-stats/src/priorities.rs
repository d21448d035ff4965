use crate::{Confidence, Proportion, RiskRatio, StatsError, proportion, risk_ratio};

/// Categories that one model's answers express, one entry per scenario.
///
/// `None` is a missing answer. A category named twice in one answer counts once.
pub type Expressed<'a> = [Option<&'a [usize]>];

/// How often one model expresses each category.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ValuePriorities {
    /// By category, in index order.
    pub shares: Vec<Proportion>,
    /// Answers at hand.
    pub n: u64,
    /// Answers that are missing.
    pub dropped: u64,
}

/// How two groups of models differ in what they express.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PriorityContrasts {
    /// Share in the group over share in the rest, by category.
    pub ratios: Vec<RiskRatio>,
    /// Answers of all models at hand.
    pub n: u64,
    /// Answers that are missing.
    pub dropped: u64,
}

/// How often the answers of one model express each category (paper, page 25, figure 10).
///
/// ```text
/// share_c = #{ answers that express c } / #{ answers }
/// ```
///
/// A category counts once per answer; an answer may express several, so shares do not sum to 1.
/// Missing answers are dropped and counted. Errors on a category out of range. Cost O(mentions log mentions per answer).
///
/// ```
/// use specstress_stats::{Confidence, value_priorities};
///
/// let answers: [Option<&[usize]>; 3] = [Some(&[0, 0, 1]), Some(&[1]), None];
/// let found = value_priorities(3, &answers, Confidence::default())?;
/// let counts: Vec<_> = found.shares.iter().map(|share| share.successes).collect();
/// assert_eq!((counts, found.n, found.dropped), (vec![1, 2, 0], 2, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn value_priorities(
    categories: usize,
    answers: &Expressed<'_>,
    confidence: Confidence,
) -> Result<ValuePriorities, StatsError> {
    let (counts, n) = counts(categories, answers)?;
    let shares = counts.into_iter();
    Ok(ValuePriorities {
        shares: shares
            .map(|count| proportion(count, n, confidence))
            .collect::<Result<_, _>>()?,
        n,
        dropped: answers.len() as u64 - n,
    })
}

fn counts(categories: usize, answers: &Expressed<'_>) -> Result<(Vec<u64>, u64), StatsError> {
    let mut counts = vec![0; categories];
    let mut n = 0;
    for (item, answer) in answers.iter().enumerate() {
        let Some(answer) = answer else { continue };
        n += 1;
        for category in once(item, answer, categories)? {
            counts[category] += 1;
        }
    }
    Ok((counts, n))
}

/// The categories of one answer, checked, each once.
fn once(item: usize, answer: &[usize], categories: usize) -> Result<Vec<usize>, StatsError> {
    for &category in answer {
        StatsError::in_range(item, "category", category, categories)?;
    }
    let mut answer = answer.to_vec();
    answer.sort_unstable();
    answer.dedup();
    Ok(answer)
}

/// How much more often one group of models expresses each category than another.
///
/// Answers of all models of a group (a provider) are pooled: `ratio` is the share in `group` over
/// the share in `rest`, with its interval, by category. Missing answers are dropped and counted. The interval takes answers as independent;
/// answers of several models to one question are not quite. Errors as [`value_priorities`].
///
/// ```
/// use specstress_stats::{Confidence, priority_contrasts};
///
/// let one: [Option<&[usize]>; 2] = [Some(&[0]), Some(&[0])];
/// let other: [Option<&[usize]>; 2] = [Some(&[0]), Some(&[])];
/// let found = priority_contrasts(1, &[&one], &[&other], Confidence::default())?;
/// assert_eq!(found.ratios[0].ratio, Some(2.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn priority_contrasts(
    categories: usize,
    group: &[&Expressed<'_>],
    rest: &[&Expressed<'_>],
    confidence: Confidence,
) -> Result<PriorityContrasts, StatsError> {
    let pooled = |models: &[&Expressed<'_>]| {
        let mut all = (vec![0; categories], 0);
        for model in models {
            let (part, n) = counts(categories, model)?;
            for (all, part) in all.0.iter_mut().zip(part) {
                *all += part;
            }
            all.1 += n;
        }
        Ok::<(Vec<u64>, u64), StatsError>(all)
    };
    let ((above, n), (below, m)) = (pooled(group)?, pooled(rest)?);
    let pairs = above.into_iter().zip(below);
    let given: usize = group.iter().chain(rest).map(|model| model.len()).sum();
    Ok(PriorityContrasts {
        ratios: pairs
            .map(|(a, b)| risk_ratio((a, n), (b, m), confidence))
            .collect::<Result<_, _>>()?,
        n: n + m,
        dropped: given as u64 - n - m,
    })
}

/// How the categories of one model's answers go with those of another's.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CoOccurrence {
    /// `conditional[y][x]`: share of scenarios with `y` in the second model's answer among those
    /// with `x` in the first's; `None` where the first never expresses `x`.
    pub conditional: Vec<Vec<Option<f64>>>,
    /// `lift[y][x]`: that share over the share of `y` in all scenarios; 1 for independence. `None`
    /// also where the second model never expresses `y`.
    pub lift: Vec<Vec<Option<f64>>>,
    /// Scenarios with `x` in the first model's answer, by `x`.
    pub given: Vec<u64>,
    /// Scenarios both models answered.
    pub n: usize,
    /// Scenarios one of them did not.
    pub dropped: usize,
}

/// Co-occurrence of value categories between two models (paper, page 26, figure 11), with lift.
///
/// ```text
/// conditional[y][x] = P(y in second | x in first),   lift[y][x] = conditional[y][x] / P(y in second)
/// ```
///
/// A frequent `y` is frequent whatever `x` is, which the conditional shows and the lift takes out.
/// Pass the same model twice for its own matrix, with 1 on the diagonal. Errors on different
/// lengths and categories out of range. Cost O(scenarios x mentions^2 + categories^2).
///
/// ```
/// use specstress_stats::co_occurrence;
///
/// let first: [Option<&[usize]>; 4] = [Some(&[0]), Some(&[0]), Some(&[1]), Some(&[])];
/// let second: [Option<&[usize]>; 4] = [Some(&[1]), Some(&[0]), Some(&[0]), None];
/// let found = co_occurrence(2, &first, &second)?;
/// assert_eq!(found.conditional[1][0], Some(0.5));
/// assert_eq!(found.lift[1][0], Some(1.5));
/// assert_eq!((found.n, found.dropped), (3, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn co_occurrence(
    categories: usize,
    first: &Expressed<'_>,
    second: &Expressed<'_>,
) -> Result<CoOccurrence, StatsError> {
    StatsError::same_length(first.len(), second.len())?;
    let mut both = vec![vec![0_u64; categories]; categories];
    let (mut given, mut after) = (vec![0_u64; categories], vec![0_u64; categories]);
    let mut n = 0_usize;
    for (item, answers) in first.iter().zip(second).enumerate() {
        let (Some(x), Some(y)) = answers else {
            continue;
        };
        n += 1;
        let (xs, ys) = (once(item, x, categories)?, once(item, y, categories)?);
        for &x in &xs {
            given[x] += 1;
        }
        for y in ys {
            after[y] += 1;
            for &x in &xs {
                both[y][x] += 1;
            }
        }
    }
    let table = |cell: &dyn Fn(usize, usize) -> Option<f64>| -> Vec<Vec<Option<f64>>> {
        let row = |y| (0..categories).map(|x| cell(y, x)).collect();
        (0..categories).map(row).collect()
    };
    let conditional =
        |y: usize, x: usize| (given[x] > 0).then(|| both[y][x] as f64 / given[x] as f64);
    let lift = |y: usize, x: usize| {
        let share = (after[y] > 0).then(|| after[y] as f64 / n as f64)?;
        Some(conditional(y, x)? / share)
    };
    Ok(CoOccurrence {
        conditional: table(&conditional),
        lift: table(&lift),
        given,
        n,
        dropped: first.len() - n,
    })
}
