use ndarray::ArrayView2;

use crate::StatsError;
use crate::score::{Reading, Score, read};

/// The variance of scores split into the part between models and the part within them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct VarianceComponents {
    /// Variance between models, unbiased and so below 0 when models differ by less than noise;
    /// `None` without two models, one of which has two samples.
    pub between: Option<f64>,
    /// Variance within a model, unbiased; `None` where no model has two samples.
    pub within: Option<f64>,
    /// Intraclass correlation `between / (between + within)`: the share of the variance of one
    /// score that is the model's. `None` where the sum is not above 0.
    pub icc: Option<f64>,
    /// Population standard deviation of the models' true means, `sqrt(max(0, between) (a-1)/a)`:
    /// the disagreement that would be left if models were asked without end.
    pub net: Option<f64>,
    /// `F` of the one-way analysis of variance; `None` where `within` is 0 or unknown.
    pub f: Option<f64>,
    /// Models with at least one sample, `a`.
    pub models: usize,
    /// Samples used.
    pub n: usize,
    /// Samples missing.
    pub dropped: usize,
}

/// One-way random effects of models and their samples (Searle et al. 1992, chapter 3).
///
/// ```text
/// within  = MSW = sum_i sum_s (r_is - m_i)^2 / (n - a)
/// MSB     = sum_i n_i (m_i - m)^2 / (a - 1)
/// between = (MSB - MSW) / n0,   n0 = (n - sum n_i^2 / n) / (a - 1)
/// ```
///
/// `samples` is models x samples of one value in one scenario; any may be missing, and a model
/// without samples is left out. Errors on an empty array and numbers that are not finite. Cost
/// O(samples).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::variance_components;
///
/// let found = variance_components(array![[3_u8, 4, 3], [0, 1, 0], [6, 5, 6], [2, 2, 3]].view())?;
/// assert!((found.within.expect("samples") - 1.0 / 3.0).abs() < 1e-12);
/// assert!((found.icc.expect("models") - 0.935_135_135).abs() < 1e-9);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn variance_components<S: Score>(
    samples: ArrayView2<'_, S>,
) -> Result<VarianceComponents, StatsError> {
    crate::panel::not_empty(samples.nrows(), samples.ncols())?;
    let mut groups: Vec<Vec<f64>> = Vec::with_capacity(samples.nrows());
    for (model, row) in samples.rows().into_iter().enumerate() {
        let mut group = Vec::with_capacity(row.len());
        for (sample, &score) in row.iter().enumerate() {
            group.extend(read(score, model, sample)?.map(Reading::to_f64));
        }
        groups.push(group);
    }
    Ok(split(&groups, samples.len()))
}

/// The components of groups of scores, of `all` that could be there.
pub(super) fn split(groups: &[Vec<f64>], all: usize) -> VarianceComponents {
    let groups: Vec<&Vec<f64>> = groups.iter().filter(|group| !group.is_empty()).collect();
    let n: usize = groups.iter().map(|group| group.len()).sum();
    let models = groups.len();
    let mut found = VarianceComponents {
        between: None,
        within: None,
        icc: None,
        net: None,
        f: None,
        models,
        n,
        dropped: all - n,
    };
    if n <= models {
        return found;
    }
    let size = n as f64;
    let mean = |group: &[f64]| group.iter().sum::<f64>() / group.len() as f64;
    let grand = groups.iter().flat_map(|group| group.iter()).sum::<f64>() / size;
    let (mut inside, mut across, mut squares) = (0.0, 0.0, 0.0);
    for group in &groups {
        let (own, count) = (mean(group), group.len() as f64);
        inside += group.iter().map(|score| (score - own).powi(2)).sum::<f64>();
        across += count * (own - grand).powi(2);
        squares += count * count;
    }
    let within = inside / (size - models as f64);
    found.within = Some(within);
    if models < 2 {
        return found;
    }
    let free = models as f64 - 1.0;
    let across = across / free;
    let between = (across - within) / ((size - squares / size) / free);
    found.between = Some(between);
    found.icc = (between + within > 0.0).then(|| between / (between + within));
    found.net = Some((between.max(0.0) * free / models as f64).sqrt());
    found.f = (within > 0.0).then(|| across / within);
    found
}
