use ndarray::ArrayView2;

use crate::StatsError;
use crate::panel::{Panel, chosen, not_empty};
use crate::score::{Reading, Score};

/// When two models disagree significantly, given the gaps on each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum OutlierReading {
    /// On at least one value, which may change from pair to pair (default). The same shape
    /// as disagreement itself, which takes the larger value.
    #[default]
    Either,
    /// On one and the same value for all pairs counted; the best value counts.
    Same,
    /// On every value.
    Both,
}

/// The outlier rule: reading, gap and count, checked when set.
///
/// The default is the paper's (page 13): a gap of 4 on either value against at least 9 of
/// the other models.
///
/// ```
/// use specstress_stats::{OutlierParams, OutlierReading};
///
/// let strict = OutlierParams::default().reading(OutlierReading::Same).gap(5.0)?.count(3)?;
/// # let _ = strict;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutlierParams {
    reading: OutlierReading,
    gap: f64,
    count: usize,
}

impl Default for OutlierParams {
    fn default() -> Self {
        Self {
            reading: OutlierReading::Either,
            gap: 4.0,
            count: 9,
        }
    }
}

impl OutlierParams {
    /// Sets which value must differ.
    #[must_use]
    pub fn reading(mut self, reading: OutlierReading) -> Self {
        self.reading = reading;
        self
    }

    /// Sets the least difference of two scores that is significant, above 0.
    pub fn gap(mut self, gap: f64) -> Result<Self, StatsError> {
        if !gap.is_finite() || gap <= 0.0 {
            return Err(StatsError::Gap { value: gap });
        }
        self.gap = gap;
        Ok(self)
    }

    /// Sets the least number of other models to disagree with, at least 1.
    pub fn count(mut self, count: usize) -> Result<Self, StatsError> {
        if count == 0 {
            return Err(StatsError::ZeroCount);
        }
        self.count = count;
        Ok(self)
    }

    pub(super) fn reading_of(&self) -> OutlierReading {
        self.reading
    }

    pub(super) fn count_of(&self) -> usize {
        self.count
    }

    /// The least whole difference that is significant; above 255 none of 8-bit scores is.
    pub(super) fn whole_gap(&self) -> u16 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 256"
        )]
        let gap = self.gap.ceil().clamp(0.0, 256.0) as u16;
        gap
    }
}

/// One model of a panel against the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModelOutlier {
    /// Row of the model in the array given.
    pub model: usize,
    /// Others it disagrees with on each value.
    pub per_value: Vec<usize>,
    /// Others it disagrees with on at least one value.
    pub either: usize,
    /// Others it disagrees with on every value.
    pub both: usize,
    /// Others it disagrees with under the reading asked for; compared with the count.
    pub disagreements: usize,
    /// Others it could be compared with: 0 when it lacks a score itself.
    pub comparable: usize,
    /// Whether `disagreements` reaches the count.
    pub outlier: bool,
}

/// The outliers of one panel on one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Outliers {
    /// Every model of the panel, in the order of the subset.
    pub models: Vec<ModelOutlier>,
    /// Models with all their scores.
    pub n: usize,
    /// Models that lack a score; no pair counts them.
    pub missing: usize,
}

impl Outliers {
    /// Rows of the models that are outliers, in panel order.
    pub fn flagged(&self) -> impl Iterator<Item = usize> + '_ {
        self.models
            .iter()
            .filter(|model| model.outlier)
            .map(|model| model.model)
    }
}

/// Which models stand alone on one scenario (paper, page 13, figure 6).
///
/// ```text
/// i and j disagree on value v   <=>   |r_i^v - r_j^v| >= gap
/// i is an outlier               <=>   #{ j != i : i and j disagree } >= count
/// ```
///
/// where a pair disagrees on either value, on both, or on one value fixed for all `j`
/// ([`OutlierReading`]). `scores` is models x values; `subset` picks the panel. A pair counts
/// only when both models have all their scores, so a model that lacks one is never an outlier.
/// `count` is absolute: a panel of at most `count` models has no outlier. One lone model can
/// be an outlier of a panel whose disagreement is not high, so apply it to the whole pool.
///
/// Errors as [`disagreement`](crate::disagreement()). Cost O(models^2 x values).
///
/// ```
/// use specstress_stats::ndarray::Array2;
/// use specstress_stats::{OutlierParams, outliers};
///
/// let mut scores = Array2::<u8>::from_elem((12, 2), 1);
/// scores[[7, 1]] = 5;
/// let found = outliers(scores.view(), None, &OutlierParams::default())?;
/// assert_eq!(found.flagged().collect::<Vec<_>>(), [7]);
/// assert_eq!(found.models[7].disagreements, 11);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn outliers<S: Score>(
    scores: ArrayView2<'_, S>,
    subset: Option<&[usize]>,
    params: &OutlierParams,
) -> Result<Outliers, StatsError> {
    not_empty(scores.nrows(), scores.ncols())?;
    let models = chosen(scores.nrows(), subset)?;
    let mut panel = Panel::default();
    panel.fill(scores, &models)?;
    let rows: Vec<Option<Vec<f64>>> = panel
        .rows()
        .map(|row| row.iter().map(|r| r.map(Reading::to_f64)).collect())
        .collect();
    let n = rows.iter().flatten().count();
    let found = models
        .iter()
        .zip(&rows)
        .enumerate()
        .map(|(at, (&model, own))| {
            let others = rows
                .iter()
                .enumerate()
                .filter(|&(j, _)| j != at)
                .filter_map(|(_, row)| Some((own.as_deref()?, row.as_deref()?)));
            count_pairs(model, panel.values(), others, params)
        })
        .collect();
    Ok(Outliers {
        models: found,
        n,
        missing: models.len() - n,
    })
}

fn count_pairs<'a>(
    model: usize,
    values: usize,
    pairs: impl Iterator<Item = (&'a [f64], &'a [f64])>,
    params: &OutlierParams,
) -> ModelOutlier {
    let mut per_value = vec![0; values];
    let (mut either, mut both, mut comparable) = (0, 0, 0);
    for (own, other) in pairs {
        comparable += 1;
        let mut wide = 0;
        for (count, (a, b)) in per_value.iter_mut().zip(own.iter().zip(other)) {
            if (a - b).abs() >= params.gap {
                *count += 1;
                wide += 1;
            }
        }
        either += usize::from(wide > 0);
        both += usize::from(wide == values);
    }
    let disagreements = match params.reading {
        OutlierReading::Either => either,
        OutlierReading::Same => per_value.iter().copied().max().unwrap_or(0),
        OutlierReading::Both => both,
    };
    ModelOutlier {
        model,
        per_value,
        either,
        both,
        disagreements,
        comparable,
        outlier: disagreements >= params.count,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_three_readings_part_ways() {
        // Model 0 is 4 away from 1 on the first value, from 2 on the second, from 3 on both.
        let scores = array![[0_u8, 0], [4, 0], [0, 4], [4, 4]];
        let with = |reading| {
            let params = OutlierParams::default().reading(reading).count(2).unwrap();
            let found = outliers(scores.view(), None, &params).unwrap();
            found.models[0].disagreements
        };
        assert_eq!(with(OutlierReading::Either), 3);
        assert_eq!(with(OutlierReading::Same), 2);
        assert_eq!(with(OutlierReading::Both), 1);
    }

    #[test]
    fn a_model_without_a_score_is_in_no_pair() {
        let scores = array![[Some(0_u8), Some(0)], [Some(6), None], [Some(6), Some(0)]];
        let params = OutlierParams::default().count(1).unwrap();
        let found = outliers(scores.view(), None, &params).unwrap();
        assert_eq!((found.n, found.missing), (2, 1));
        assert_eq!(found.models[0].comparable, 1);
        assert_eq!(found.models[1].comparable, 0);
        assert_eq!(found.flagged().collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn the_subset_keeps_the_callers_row_numbers() {
        let scores = array![[0_u8], [6], [0]];
        let params = OutlierParams::default().count(1).unwrap();
        let found = outliers(scores.view(), Some(&[2, 1]), &params).unwrap();
        assert_eq!(found.flagged().collect::<Vec<_>>(), [2, 1]);
        let found = outliers(scores.view(), Some(&[2, 0]), &params).unwrap();
        assert_eq!(found.flagged().count(), 0);
    }

    #[test]
    fn unusable_rules_are_refused() {
        assert!(OutlierParams::default().gap(0.0).is_err());
        assert!(OutlierParams::default().gap(f64::NAN).is_err());
        assert_eq!(
            OutlierParams::default().count(0),
            Err(StatsError::ZeroCount)
        );
    }
}
