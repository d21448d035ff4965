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
    Ok(moments(values, clusters)?.mean(confidence))
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
    Ok(moments(&values, clusters)?.proportion(confidence))
}

fn moments(values: &[Option<f64>], clusters: Option<&[u64]>) -> Result<ClusterMoments, StatsError> {
    let sums = cluster_sums(values.len(), clusters, 2, |row, sums| {
        if let Some(value) = values[row] {
            sums[0] += 1.0;
            sums[1] += StatsError::finite(row, 0, value)?;
        }
        Ok(())
    })?;
    let mut found = ClusterMoments::default();
    found.add(sums.rows().into_iter().map(|sums| ClusterSum {
        n: sums[0],
        total: sums[1],
    }));
    found.dropped = (values.len() - values.iter().flatten().count()) as u64;
    Ok(found)
}

/// The items of one cluster, added up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClusterSum {
    /// Items, a whole number.
    pub n: f64,
    /// The sum of their numbers.
    pub total: f64,
}

/// What [`clustered_mean`] and [`clustered_proportion`] need to know of all clusters, in a fixed size: for items that
/// do not fit into memory, added up in parts of whole clusters.
///
/// ```text
/// sum_c (t_c - mean n_c)^2 = sum_c r_c^2 - 2 d sum_c n_c r_c + d^2 sum_c n_c^2
/// r_c = t_c - m n_c,   d = mean - m,   m the mean of the first part
/// ```
///
/// so that with one part nothing is rounded that the functions do not round, and with more no large numbers are
/// subtracted. Cost O(clusters) to add, O(1) in memory.
///
/// ```
/// use specstress_stats::{ClusterMoments, ClusterSum, Confidence, clustered_mean};
///
/// let mut moments = ClusterMoments::default();
/// moments.add([ClusterSum { n: 2.0, total: 2.0 }].into_iter());
/// moments.add([ClusterSum { n: 2.0, total: 0.0 }].into_iter());
/// let values = [1.0, 1.0, 0.0, 0.0].map(Some);
/// let whole = clustered_mean(&values, Some(&[1, 1, 2, 2]), Confidence::default())?;
/// assert_eq!(moments.mean(Confidence::default()), whole);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterMoments {
    n: f64,
    total: f64,
    clusters: u64,
    dropped: u64,
    pivot: Option<f64>,
    /// Sums over clusters of `r^2`, `n r` and `n^2`.
    squares: f64,
    crosses: f64,
    sizes: f64,
}

impl ClusterMoments {
    /// Adds clusters none of whose items are in another part. Empty ones do not count.
    pub fn add(&mut self, clusters: impl Iterator<Item = ClusterSum> + Clone) {
        let known = clusters.filter(|sum| sum.n > 0.0);
        let (mut n, mut total) = (0.0, 0.0);
        for sum in known.clone() {
            n += sum.n;
            total += sum.total;
            self.clusters += 1;
        }
        if n == 0.0 {
            return;
        }
        let pivot = *self.pivot.get_or_insert(total / n);
        for sum in known {
            let beyond = sum.total - pivot * sum.n;
            self.squares += beyond.powi(2);
            self.crosses += sum.n * beyond;
            self.sizes += sum.n * sum.n;
        }
        self.n += n;
        self.total += total;
    }

    /// Counts items without a number.
    pub fn add_dropped(&mut self, items: u64) {
        self.dropped += items;
    }

    /// The mean of all items, as [`clustered_mean`] gives it.
    pub fn mean(&self, confidence: Confidence) -> ClusteredMean {
        let (mean, standard_error) = self.estimate();
        let interval = mean.zip(standard_error).map(|(mean, error)| {
            let half = student_half_width(confidence, whole(self.clusters) - 1) * error;
            Interval {
                low: mean - half,
                high: mean + half,
            }
        });
        ClusteredMean {
            mean,
            standard_error,
            interval,
            n: whole(self.items()),
            dropped: whole(self.dropped),
            clusters: whole(self.clusters),
        }
    }

    /// The share of items with a property, as [`clustered_proportion`] gives it, where the total of a cluster is the
    /// number of its items that have it.
    pub fn proportion(&self, confidence: Confidence) -> ClusteredProportion {
        let (mean, standard_error) = self.estimate();
        let effective = match (mean, standard_error) {
            (Some(_), _) if self.clusters == self.items() => Some(self.n),
            (Some(p), Some(error)) => {
                let spread = p * (1.0 - p);
                let worth = if spread > 0.0 {
                    self.n / (self.n * error * error / spread).max(1.0)
                } else {
                    self.clusters as f64
                };
                let wider =
                    confidence.z() / student_half_width(confidence, whole(self.clusters) - 1);
                Some(worth * wider * wider)
            }
            _ => None,
        };
        ClusteredProportion {
            successes: counted(self.total),
            n: self.items(),
            rate: mean,
            standard_error,
            interval: mean
                .zip(effective)
                .map(|(p, effective)| wilson_ends(p, effective, confidence)),
            effective_n: effective,
            dropped: self.dropped,
            clusters: self.clusters,
        }
    }

    /// The mean and the standard error that clusters leave it.
    fn estimate(&self) -> (Option<f64>, Option<f64>) {
        let mean = (self.n > 0.0).then(|| self.total / self.n);
        let standard_error = mean.zip(self.pivot).filter(|_| self.clusters > 1);
        let standard_error = standard_error.map(|(mean, pivot)| {
            let moved = mean - pivot;
            let beyond = self.squares - 2.0 * moved * self.crosses + moved * moved * self.sizes;
            let count = self.clusters as f64;
            // Rounding may leave a little less than nothing.
            (count / (count - 1.0) * beyond.max(0.0)).sqrt() / self.n
        });
        (mean, standard_error)
    }

    fn items(&self) -> u64 {
        counted(self.n)
    }
}

/// A sum of whole numbers, exact below 2^53.
fn counted(sum: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are whole and not negative"
    )]
    let count = sum as u64;
    count
}

fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
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
    fn parts_add_up_to_the_whole() {
        // Clusters of one to five items, with gaps; a cluster of none but gaps.
        let mut values = Vec::new();
        let mut names = Vec::new();
        for cluster in 0..200_u64 {
            for item in 0..=cluster % 5 {
                let gap = cluster == 7 || (cluster + item) % 9 == 0;
                values.push((!gap).then(|| ((cluster * 7 + item * 3) % 11) as f64 / 3.0));
                names.push(cluster);
            }
        }
        let level = Confidence::default();
        let wanted = clustered_mean(&values, Some(&names), level).unwrap();
        for parts in [1, 2, 7] {
            let mut found = ClusterMoments::default();
            for part in 0..parts {
                let mut sums = vec![ClusterSum::default(); 200];
                for (name, value) in names.iter().zip(&values) {
                    if name % parts == part {
                        let sum = &mut sums[usize::try_from(*name).unwrap()];
                        sum.n += f64::from(u8::from(value.is_some()));
                        sum.total += value.unwrap_or(0.0);
                        found.add_dropped(u64::from(value.is_none()));
                    }
                }
                found.add(sums.into_iter());
            }
            let found = found.mean(level);
            if parts == 1 {
                assert_eq!(found, wanted, "not a bit apart");
            }
            let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-12;
            assert!(close(found.mean, wanted.mean), "{parts} parts");
            assert!(close(found.standard_error, wanted.standard_error));
            assert_eq!((found.n, found.dropped), (wanted.n, wanted.dropped));
            assert_eq!(found.clusters, wanted.clusters);
        }
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
