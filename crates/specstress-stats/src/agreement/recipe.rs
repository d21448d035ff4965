use ndarray::{ArrayView1, ArrayView2};

use super::coefficient::{AgreementEstimate, Coefficient, MeasurementLevel};
use super::fleiss;
use crate::StatsError;

/// A coefficient as a function of sums over subjects, so that resampling subjects or whole
/// clusters only adds up a few numbers. The first sum counts the usable subjects.
pub(crate) struct Recipe {
    coefficient: Coefficient,
    labels: Vec<u32>,
    raters: usize,
    /// Disagreement of label `i` with label `j` at `i * labels + j`; empty where not needed.
    distance: Vec<f64>,
}

/// Observed and expected agreement and the coefficient.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) estimate: Option<f64>,
    pub(crate) observed: Option<f64>,
    pub(crate) expected: Option<f64>,
}

impl Recipe {
    pub(crate) fn new(
        ratings: ArrayView2<'_, Option<u32>>,
        scale: Option<&[u32]>,
        coefficient: Coefficient,
    ) -> Result<Self, StatsError> {
        let raters = ratings.ncols();
        if raters < 2 {
            return Err(StatsError::TooFewRaters { raters });
        }
        if matches!(coefficient, Coefficient::Cohen(_)) && raters != 2 {
            return Err(StatsError::RaterCount { raters, needed: 2 });
        }
        let mut labels = match scale {
            Some(scale) => scale.to_vec(),
            None => ratings.iter().flatten().copied().collect(),
        };
        labels.sort_unstable();
        labels.dedup();
        let range = match (labels.first(), labels.last()) {
            (Some(first), Some(last)) => f64::from(last - first),
            _ => 0.0,
        };
        let table = |distance: &dyn Fn(u32, u32) -> f64| {
            let pairs = labels
                .iter()
                .flat_map(|&a| labels.iter().map(move |&b| (a, b)));
            pairs.map(|(a, b)| distance(a, b)).collect()
        };
        let distance = match coefficient {
            Coefficient::Cohen(weights) | Coefficient::Gwet(weights) => {
                table(&|a, b| weights.distance(a, b, range))
            }
            Coefficient::Krippendorff(MeasurementLevel::Nominal) => {
                table(&|a, b| f64::from(u8::from(a != b)))
            }
            Coefficient::Krippendorff(MeasurementLevel::Interval) => {
                table(&|a, b| f64::from(a.abs_diff(b)).powi(2))
            }
            // The ordinal distance depends on the margins, so on the sums.
            _ => Vec::new(),
        };
        Ok(Self {
            coefficient,
            labels,
            raters,
            distance,
        })
    }

    /// How many sums there are.
    pub(crate) fn width(&self) -> usize {
        let labels = self.labels.len();
        match self.coefficient {
            Coefficient::Percent => 2,
            Coefficient::Cohen(_) | Coefficient::Krippendorff(_) => 1 + labels * labels,
            Coefficient::Fleiss => 2 + labels,
            Coefficient::FleissCategory(_) => 3,
            Coefficient::Gwet(_) => 3 + labels,
        }
    }

    /// Adds one subject to the sums.
    pub(crate) fn add(
        &self,
        row: usize,
        ratings: ArrayView1<'_, Option<u32>>,
        sums: &mut [f64],
    ) -> Result<(), StatsError> {
        let labels = self.labels.len();
        let mut counts = vec![0.0_f64; labels];
        let mut given = Vec::with_capacity(self.raters);
        for (column, label) in ratings.iter().enumerate() {
            let Some(label) = *label else { continue };
            let at = self
                .labels
                .binary_search(&label)
                .map_err(|_| StatsError::UnknownLabel { row, column, label })?;
            counts[at] += 1.0;
            given.push(at);
        }
        let all = given.len() as f64;
        match self.coefficient {
            Coefficient::Percent => {
                if given.len() > 1 {
                    let agreeing: f64 = counts.iter().map(|count| count * (count - 1.0)).sum();
                    sums[0] += 1.0;
                    sums[1] += agreeing / (all * (all - 1.0));
                }
            }
            Coefficient::Cohen(_) => {
                if let [a, b] = given[..] {
                    sums[0] += 1.0;
                    sums[1 + a * labels + b] += 1.0;
                }
            }
            Coefficient::Fleiss => {
                if given.len() == self.raters {
                    sums[0] += 1.0;
                    sums[1] += counts.iter().map(|count| count * count).sum::<f64>();
                    for (sum, count) in sums[2..].iter_mut().zip(&counts) {
                        *sum += count;
                    }
                }
            }
            Coefficient::FleissCategory(label) => {
                if given.len() == self.raters {
                    let count = self
                        .labels
                        .binary_search(&label)
                        .map_or(0.0, |at| counts[at]);
                    sums[0] += 1.0;
                    sums[1] += count * (all - count);
                    sums[2] += count;
                }
            }
            Coefficient::Krippendorff(_) => {
                if given.len() > 1 {
                    sums[0] += 1.0;
                    for (a, &first) in counts.iter().enumerate().filter(|(_, c)| **c > 0.0) {
                        for (b, &second) in counts.iter().enumerate() {
                            let others = second - f64::from(u8::from(a == b));
                            sums[1 + a * labels + b] += first * others / (all - 1.0);
                        }
                    }
                }
            }
            Coefficient::Gwet(_) => self.add_gwet(&counts, all, sums),
        }
        Ok(())
    }

    /// Sums: pairable subjects, their agreement, rated subjects, share of each label.
    fn add_gwet(&self, counts: &[f64], all: f64, sums: &mut [f64]) {
        let labels = counts.len();
        if all > 1.0 {
            let mut disagreeing = 0.0;
            for (a, first) in counts.iter().enumerate() {
                for (b, second) in counts.iter().enumerate() {
                    disagreeing += self.distance[a * labels + b] * first * second;
                }
            }
            sums[0] += 1.0;
            sums[1] += 1.0 - disagreeing / (all * (all - 1.0));
        }
        if all > 0.0 {
            sums[2] += 1.0;
            for (sum, count) in sums[3..].iter_mut().zip(counts) {
                *sum += count / all;
            }
        }
    }

    /// The coefficient of the sums of any collection of subjects.
    pub(crate) fn parts(&self, sums: &[f64]) -> Parts {
        let subjects = sums[0];
        if subjects <= 0.0 {
            return Parts::default();
        }
        match self.coefficient {
            Coefficient::Percent => {
                let observed = Some(sums[1] / subjects);
                Parts {
                    estimate: observed,
                    observed,
                    expected: None,
                }
            }
            Coefficient::Cohen(_) => self.cohen(&sums[1..], subjects),
            Coefficient::Fleiss => fleiss::parts(self.raters as f64, subjects, sums[1], &sums[2..]),
            Coefficient::FleissCategory(_) => {
                let n = self.raters as f64;
                let p = sums[2] / (subjects * n);
                let observed = 1.0 - 2.0 * sums[1] / (subjects * n * (n - 1.0));
                let expected = 1.0 - 2.0 * p * (1.0 - p);
                beyond_chance(observed, expected, p <= 0.0 || p >= 1.0)
            }
            Coefficient::Krippendorff(level) => self.krippendorff(&sums[1..], level),
            Coefficient::Gwet(_) => {
                let q = self.labels.len() as f64;
                let observed = sums[1] / subjects;
                if self.labels.len() < 2 {
                    return Parts {
                        estimate: None,
                        observed: Some(observed),
                        expected: None,
                    };
                }
                let weights = q * q - self.distance.iter().sum::<f64>();
                let shares = sums[3..].iter().map(|sum| sum / sums[2]);
                let spread: f64 = shares.map(|p| p * (1.0 - p)).sum();
                beyond_chance(observed, weights * spread / (q * (q - 1.0)), false)
            }
        }
    }

    fn cohen(&self, table: &[f64], subjects: f64) -> Parts {
        let labels = self.labels.len();
        let rows: Vec<f64> = table
            .chunks_exact(labels)
            .map(|row| row.iter().sum())
            .collect();
        let columns: Vec<f64> = (0..labels)
            .map(|b| table.iter().skip(b).step_by(labels).sum())
            .collect();
        let (mut observed, mut expected) = (0.0, 0.0);
        for a in 0..labels {
            for b in 0..labels {
                let d = self.distance[a * labels + b];
                observed += d * table[a * labels + b];
                expected += d * rows[a] * columns[b];
            }
        }
        let (observed, expected) = (observed / subjects, expected / (subjects * subjects));
        Parts {
            estimate: (expected > 0.0).then(|| 1.0 - observed / expected),
            observed: Some(1.0 - observed),
            expected: Some(1.0 - expected),
        }
    }

    fn krippendorff(&self, table: &[f64], level: MeasurementLevel) -> Parts {
        let labels = self.labels.len();
        let margins: Vec<f64> = table
            .chunks_exact(labels)
            .map(|row| row.iter().sum())
            .collect();
        let all: f64 = margins.iter().sum();
        let (mut observed, mut expected) = (0.0, 0.0);
        for a in 0..labels {
            let mut between = margins[a] / 2.0;
            for b in a + 1..labels {
                between += margins[b];
                let d = if level == MeasurementLevel::Ordinal {
                    (between - margins[b] / 2.0).powi(2)
                } else {
                    self.distance[a * labels + b]
                };
                observed += 2.0 * d * table[a * labels + b];
                expected += 2.0 * d * margins[a] * margins[b];
            }
        }
        let (observed, expected) = (observed / all, expected / (all * (all - 1.0)));
        Parts {
            estimate: (expected > 0.0).then(|| 1.0 - observed / expected),
            observed: Some(observed),
            expected: Some(expected),
        }
    }

    /// The estimate over all `rows` subjects.
    pub(crate) fn estimate(&self, sums: &[f64], rows: usize) -> AgreementEstimate {
        let parts = self.parts(sums);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows"
        )]
        let n = sums[0] as usize;
        AgreementEstimate {
            estimate: parts.estimate,
            observed: parts.observed,
            expected: parts.expected,
            n,
            dropped: rows - n,
            raters: self.raters,
            labels: self.labels.clone(),
        }
    }
}

/// `(o - e) / (1 - e)`, where it is defined.
pub(super) fn beyond_chance(observed: f64, expected: f64, undefined: bool) -> Parts {
    Parts {
        estimate: (!undefined && expected < 1.0).then(|| (observed - expected) / (1.0 - expected)),
        observed: Some(observed),
        expected: Some(expected),
    }
}
