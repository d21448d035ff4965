use std::collections::BTreeMap;

use ndarray::Array2;

use crate::rates::wilson_ends;
use crate::special::student_half_width;
use crate::{Confidence, Interval, StatsError};

/// A mean whose items come in clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ClusteredMean {
    /// The mean; `None` without items.
    pub mean: Option<f64>,
    /// Its standard error; `None` for fewer than two clusters.
    pub standard_error: Option<f64>,
    /// Interval by Student's t with one degree of freedom less than clusters.
    pub interval: Option<Interval>,
    /// Items used.
    pub n: usize,
    /// Items that lack a number.
    pub dropped: usize,
    /// Clusters with at least one item.
    pub clusters: usize,
}

/// A share whose items come in clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ClusteredProportion {
    /// Items with the property.
    pub successes: u64,
    /// Items used, the denominator.
    pub n: u64,
    /// `successes / n` in `[0, 1]`; `None` without items.
    pub rate: Option<f64>,
    /// Its standard error; `None` for fewer than two clusters.
    pub standard_error: Option<f64>,
    /// Wilson interval of `effective_n` independent items.
    pub interval: Option<Interval>,
    /// How many independent items the clustered ones are worth; `None` for fewer than two clusters.
    pub effective_n: Option<f64>,
    /// Items of which it is not known.
    pub dropped: u64,
    /// Clusters with at least one item.
    pub clusters: u64,
}

/// The mean of items in clusters, with an interval that respects them (linearisation; Cochran 1977,
/// section 11.7).
///
/// ```text
/// se = sqrt( C/(C-1) sum_c ( sum_{i in c} (x_i - mean) )^2 ) / n
/// mean +/- t_{C-1} se
/// ```
///
/// `clusters[i]` names the cluster of item `i`: the three framings of a scenario, the answers to one
/// question. Without names each item is its own. `None` is missing, dropped and counted. Errors on
/// different lengths and numbers that are not finite. Cost O(n log n).
///
/// ```
/// use specstress_stats::{Confidence, clustered_mean};
///
/// let values = [1.0, 1.0, 0.0, 0.0].map(Some);
/// let found = clustered_mean(&values, Some(&[1, 1, 2, 2]), Confidence::default())?;
/// // Worth two items, not four.
/// assert_eq!((found.mean, found.standard_error, found.clusters), (Some(0.5), Some(0.5), 2));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn clustered_mean(
    values: &[Option<f64>],
    clusters: Option<&[u64]>,
    confidence: Confidence,
) -> Result<ClusteredMean, StatsError> {
    let found = Linearised::new(values, clusters)?;
    let interval = found.mean.zip(found.standard_error).map(|(mean, error)| {
        let half = student_half_width(confidence, found.clusters - 1) * error;
        Interval {
            low: mean - half,
            high: mean + half,
        }
    });
    Ok(ClusteredMean {
        mean: found.mean,
        standard_error: found.standard_error,
        interval,
        n: found.n,
        dropped: values.len() - found.n,
        clusters: found.clusters,
    })
}

/// The share of items in clusters with a property, with an interval that respects them: Wilson's
/// with an effective number of items (Kish 1965; Dean & Pagano 2015).
///
/// ```text
/// effective = n / max(1, n se^2 / (p (1 - p))) * (z / t_{C-1})^2,   se as for clustered_mean
/// ```
///
/// Where the share is 0 or 1 the standard error says nothing, and a cluster counts as one item. With
/// each item its own cluster this is [`proportion`](crate::proportion()). `events[i]` of `None` is
/// dropped and counted. Errors on different lengths. Cost O(n log n).
///
/// ```
/// use specstress_stats::{Confidence, clustered_proportion};
///
/// let flags: Vec<_> = (0..300).map(|i| Some(i / 3 % 4 == 0)).collect();
/// let triples: Vec<u64> = (0..300).map(|i| i / 3).collect();
/// let found = clustered_proportion(&flags, Some(&triples), Confidence::default())?;
/// // Siblings always agree here, so 300 questions are worth 100 at most.
/// assert!(found.effective_n < Some(100.0));
/// assert_eq!((found.rate, found.clusters), (Some(0.25), 100));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn clustered_proportion(
    events: &[Option<bool>],
    clusters: Option<&[u64]>,
    confidence: Confidence,
) -> Result<ClusteredProportion, StatsError> {
    let values: Vec<Option<f64>> = events
        .iter()
        .map(|event| event.map(|event| f64::from(u8::from(event))))
        .collect();
    let found = Linearised::new(&values, clusters)?;
    let successes = events.iter().filter(|event| **event == Some(true)).count();
    let (n, independent) = (found.n as f64, found.clusters as f64);
    let effective = match (found.mean, found.standard_error) {
        (Some(_), _) if found.clusters == found.n => Some(n),
        (Some(p), Some(error)) => {
            let spread = p * (1.0 - p);
            let worth = if spread > 0.0 {
                n / (n * error * error / spread).max(1.0)
            } else {
                independent
            };
            let wider = confidence.z() / student_half_width(confidence, found.clusters - 1);
            Some(worth * wider * wider)
        }
        _ => None,
    };
    Ok(ClusteredProportion {
        successes: successes as u64,
        n: found.n as u64,
        rate: found.mean,
        standard_error: found.standard_error,
        interval: found
            .mean
            .zip(effective)
            .map(|(p, effective)| wilson_ends(p, effective, confidence)),
        effective_n: effective,
        dropped: (events.len() - found.n) as u64,
        clusters: found.clusters as u64,
    })
}

/// A mean and the standard error that clusters leave it.
struct Linearised {
    mean: Option<f64>,
    standard_error: Option<f64>,
    n: usize,
    clusters: usize,
}

impl Linearised {
    fn new(values: &[Option<f64>], clusters: Option<&[u64]>) -> Result<Self, StatsError> {
        let sums = cluster_sums(values.len(), clusters, 2, |row, sums| {
            if let Some(value) = values[row] {
                sums[0] += 1.0;
                sums[1] += StatsError::finite(row, 0, value)?;
            }
            Ok(())
        })?;
        let n = values.iter().flatten().count();
        let size = n as f64;
        let mean = (n > 0).then(|| sums.column(1).sum() / size);
        let known = sums.rows().into_iter().filter(|sums| sums[0] > 0.0);
        let clusters = known.clone().count();
        let standard_error = mean.filter(|_| clusters > 1).map(|mean| {
            let beyond = known.map(|sums| (sums[1] - mean * sums[0]).powi(2));
            let count = clusters as f64;
            (count / (count - 1.0) * beyond.sum::<f64>()).sqrt() / size
        });
        Ok(Self {
            mean,
            standard_error,
            n,
            clusters,
        })
    }
}

/// Sums of items by cluster, clusters by rising name; without names one item is one cluster.
pub(crate) fn cluster_sums(
    items: usize,
    clusters: Option<&[u64]>,
    width: usize,
    mut add_item: impl FnMut(usize, &mut [f64]) -> Result<(), StatsError>,
) -> Result<Array2<f64>, StatsError> {
    let row_of: Vec<usize> = match clusters {
        None => (0..items).collect(),
        Some(names) => {
            StatsError::same_length(items, names.len())?;
            let mut rows: BTreeMap<u64, usize> = names.iter().map(|&name| (name, 0)).collect();
            for (row, at) in rows.values_mut().enumerate() {
                *at = row;
            }
            names.iter().map(|name| rows[name]).collect()
        }
    };
    let rows = row_of.iter().max().map_or(0, |last| last + 1);
    let mut flat = vec![0.0; rows * width];
    for (item, row) in row_of.into_iter().enumerate() {
        add_item(item, &mut flat[row * width..(row + 1) * width])?;
    }
    Ok(Array2::from_shape_vec((rows, width), flat).expect("rows x width numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proportion;

    #[test]
    fn lone_items_are_a_plain_proportion() {
        let events: Vec<_> = (0..40).map(|i| Some(i % 5 == 0)).collect();
        let level = Confidence::default();
        let found = clustered_proportion(&events, None, level).unwrap();
        let plain = proportion(8, 40, level).unwrap();
        let (found, plain) = (found.interval.unwrap(), plain.interval.unwrap());
        assert!((found.low - plain.low).abs() < 1e-12);
        assert!((found.high - plain.high).abs() < 1e-12);
    }

    #[test]
    fn what_one_cluster_cannot_say_is_none() {
        let level = Confidence::default();
        let one = clustered_proportion(&[Some(true); 3], Some(&[7; 3]), level).unwrap();
        assert_eq!((one.rate, one.interval), (Some(1.0), None));
        let mean = clustered_mean(&[Some(2.0), None], Some(&[7, 8]), level).unwrap();
        assert_eq!((mean.mean, mean.interval), (Some(2.0), None));
        assert_eq!((mean.n, mean.dropped, mean.clusters), (1, 1, 1));
        let none = clustered_proportion(&[None], None, level).unwrap();
        assert_eq!((none.rate, none.interval, none.dropped), (None, None, 1));
    }

    #[test]
    fn a_share_of_zero_rests_on_clusters() {
        let names: Vec<u64> = (0..90).map(|i| i / 3).collect();
        let level = Confidence::default();
        let found = clustered_proportion(&[Some(false); 90], Some(&names), level).unwrap();
        assert!(found.effective_n.unwrap() < 30.0);
        let plain = proportion(0, 90, level).unwrap().interval.unwrap();
        assert!(found.interval.unwrap().high > 2.0 * plain.high);
    }

    #[test]
    fn unusable_input_is_named() {
        let level = Confidence::default();
        assert!(clustered_mean(&[Some(1.0)], Some(&[]), level).is_err());
        assert!(matches!(
            clustered_mean(&[None, Some(f64::NAN)], None, level),
            Err(StatsError::NotFinite { row: 1, .. })
        ));
    }
}
