use ndarray::{Array2, ArrayView2};

use crate::StatsError;

/// When the iteration stops, and how much prior weight each cell of a confusion table has.
///
/// ```
/// let params = specstress_stats::DawidSkeneParams::default().smoothing(0.5)?.iterations(200);
/// # let _ = params;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DawidSkeneParams {
    iterations: usize,
    smoothing: f64,
}

impl Default for DawidSkeneParams {
    /// At most 1,000 iterations; smoothing 0.01, which keeps every probability above 0 and
    /// moves none noticeably.
    fn default() -> Self {
        Self {
            iterations: 1000,
            smoothing: 0.01,
        }
    }
}

impl DawidSkeneParams {
    /// Sets the most iterations.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Sets the pseudo-count of each cell, above 0.
    pub fn smoothing(mut self, smoothing: f64) -> Result<Self, StatsError> {
        if !smoothing.is_finite() || smoothing <= 0.0 {
            return Err(StatsError::Parameter {
                name: "smoothing",
                value: smoothing,
                allowed: "a finite number above 0",
            });
        }
        self.smoothing = smoothing;
        Ok(self)
    }
}

/// What one judge makes of each true label.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JudgeAccuracy {
    /// `confusion[t][g]`: probability that the judge gives label `g` where `t` is true; labels
    /// by rising number. Rows sum to 1.
    pub confusion: Vec<Vec<f64>>,
    /// Probability that the judge gives the true label.
    pub accuracy: f64,
    /// Subjects the judge labelled.
    pub n: usize,
}

/// Judges' accuracy and subjects' labels, estimated together.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DawidSkene {
    /// Labels in use, rising; the order of every list by label here.
    pub labels: Vec<u32>,
    /// Estimated share of each label.
    pub prevalence: Vec<f64>,
    /// One entry per judge, in column order.
    pub judges: Vec<JudgeAccuracy>,
    /// Probability of each label per subject; `None` for a subject nobody labelled.
    pub posterior: Vec<Option<Vec<f64>>>,
    /// Log-likelihood of the labels given, at the last step.
    pub log_likelihood: f64,
    /// Iterations made.
    pub iterations: usize,
    /// Whether they stopped because nothing changed any more.
    pub converged: bool,
    /// Subjects with at least one label.
    pub n: usize,
    /// Subjects without one.
    pub dropped: usize,
}

impl DawidSkene {
    /// The most probable label of a subject, the lowest among equals.
    pub fn label(&self, subject: usize) -> Option<u32> {
        let posterior = self.posterior.get(subject)?.as_ref()?;
        let mut best = 0;
        for (at, p) in posterior.iter().enumerate() {
            if *p > posterior[best] {
                best = at;
            }
        }
        self.labels.get(best).copied()
    }
}

/// Judges' accuracy without gold labels (Dawid & Skene 1979), by expectation-maximisation.
///
/// ```text
/// P(labels of s) = sum_t prevalence_t  prod_j confusion_j[t][label_sj]
/// ```
///
/// `votes` is subjects x judges; `None` is missing and left out of the product. Judges are
/// taken to err independently given the truth; where they copy each other
/// ([`judge_errors`](crate::judge_errors())) their accuracy is overstated. Needs three judges
/// to tell good from bad. Starts from the share of votes per subject, so a true label is the
/// one most judges give. Stops when no probability moves by more than 1e-10. The estimates are
/// those of a penalised likelihood, see [`DawidSkeneParams`].
///
/// Errors on fewer than two judges and when nobody labelled anything. Cost O(iterations x
/// votes x labels).
///
/// ```
/// use specstress_stats::ndarray::Array2;
/// use specstress_stats::{DawidSkeneParams, dawid_skene};
///
/// // Judge 2 is wrong on every fifth subject.
/// let votes = Array2::from_shape_fn((50, 3), |(s, j)| {
///     Some(u32::from((s % 2 == 0) != (j == 2 && s % 5 == 0)))
/// });
/// let found = dawid_skene(votes.view(), &DawidSkeneParams::default())?;
/// assert!(found.judges[0].accuracy > 0.99);
/// assert!((found.judges[2].accuracy - 0.8).abs() < 0.01);
/// assert_eq!(found.label(0), Some(1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn dawid_skene(
    votes: ArrayView2<'_, Option<u32>>,
    params: &DawidSkeneParams,
) -> Result<DawidSkene, StatsError> {
    let (subjects, judges) = votes.dim();
    if judges < 2 {
        return Err(StatsError::TooFewRaters { raters: judges });
    }
    let mut labels: Vec<u32> = votes.iter().flatten().copied().collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.is_empty() {
        return Err(StatsError::EmptyArray {
            rows: 0,
            columns: judges,
        });
    }
    let index = |label: u32| labels.binary_search(&label).expect("collected above");
    let given: Vec<Vec<(usize, usize)>> = votes
        .rows()
        .into_iter()
        .map(|row| {
            let present = row.iter().enumerate();
            present
                .filter_map(|(j, label)| Some((j, index((*label)?))))
                .collect()
        })
        .collect();

    let mut model = Model::new(judges, labels.len(), params.smoothing);
    let mut posterior = Array2::zeros((subjects, labels.len()));
    for (subject, votes) in given.iter().enumerate() {
        for &(_, label) in votes {
            posterior[[subject, label]] += 1.0 / votes.len() as f64;
        }
    }
    let (mut iterations, mut converged, mut log_likelihood) = (0, false, 0.0);
    while iterations < params.iterations.max(1) && !converged {
        model.maximise(&given, &posterior);
        let moved;
        (moved, log_likelihood) = model.expect(&given, &mut posterior);
        iterations += 1;
        converged = moved <= 1e-10;
    }
    let n = given.iter().filter(|votes| !votes.is_empty()).count();
    Ok(DawidSkene {
        judges: (0..judges)
            .map(|judge| model.judge(judge, &given))
            .collect(),
        posterior: given
            .iter()
            .enumerate()
            .map(|(s, votes)| (!votes.is_empty()).then(|| posterior.row(s).to_vec()))
            .collect(),
        prevalence: model.prevalence,
        labels,
        log_likelihood,
        iterations,
        converged,
        n,
        dropped: subjects - n,
    })
}

struct Model {
    labels: usize,
    smoothing: f64,
    prevalence: Vec<f64>,
    /// `confusion[[judge * labels + truth, given]]`.
    confusion: Array2<f64>,
}

impl Model {
    fn new(judges: usize, labels: usize, smoothing: f64) -> Self {
        Self {
            labels,
            smoothing,
            prevalence: vec![0.0; labels],
            confusion: Array2::zeros((judges * labels, labels)),
        }
    }

    fn maximise(&mut self, given: &[Vec<(usize, usize)>], posterior: &Array2<f64>) {
        self.prevalence.fill(self.smoothing);
        self.confusion.fill(self.smoothing);
        for (votes, posterior) in given.iter().zip(posterior.rows()) {
            for (truth, &p) in posterior.iter().enumerate() {
                if !votes.is_empty() {
                    self.prevalence[truth] += p;
                }
                for &(judge, label) in votes {
                    self.confusion[[judge * self.labels + truth, label]] += p;
                }
            }
        }
        let all: f64 = self.prevalence.iter().sum();
        self.prevalence.iter_mut().for_each(|p| *p /= all);
        for mut row in self.confusion.rows_mut() {
            let all = row.sum();
            row /= all;
        }
    }

    /// The largest change of a probability, and the log-likelihood.
    fn expect(&self, given: &[Vec<(usize, usize)>], posterior: &mut Array2<f64>) -> (f64, f64) {
        let logs = self.confusion.mapv(f64::ln);
        let (mut moved, mut log_likelihood) = (0.0_f64, 0.0);
        let mut fresh = vec![0.0; self.labels];
        for (votes, mut posterior) in given.iter().zip(posterior.rows_mut()) {
            if votes.is_empty() {
                continue;
            }
            for (truth, log) in fresh.iter_mut().enumerate() {
                let votes = votes
                    .iter()
                    .map(|&(j, label)| logs[[j * self.labels + truth, label]]);
                *log = self.prevalence[truth].ln() + votes.sum::<f64>();
            }
            let top = fresh.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let all: f64 = fresh.iter().map(|log| (log - top).exp()).sum();
            log_likelihood += top + all.ln();
            for (old, log) in posterior.iter_mut().zip(&fresh) {
                let p = (log - top).exp() / all;
                moved = moved.max((p - *old).abs());
                *old = p;
            }
        }
        (moved, log_likelihood)
    }

    fn judge(&self, judge: usize, given: &[Vec<(usize, usize)>]) -> JudgeAccuracy {
        let rows = judge * self.labels..(judge + 1) * self.labels;
        let confusion: Vec<Vec<f64>> = rows.map(|row| self.confusion.row(row).to_vec()).collect();
        let right = confusion
            .iter()
            .enumerate()
            .map(|(t, row)| self.prevalence[t] * row[t]);
        JudgeAccuracy {
            accuracy: right.sum(),
            confusion,
            n: given.iter().flatten().filter(|(j, _)| *j == judge).count(),
        }
    }
}
