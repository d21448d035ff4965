use rand::RngExt;

use super::fit::{check, minimise};
use super::likelihood::{Chances, Likelihood, usable};
use super::params::{NudgedComparison, RankingParams};
use crate::parallel::map_indices;
use crate::resample::stream;
use crate::{Preference, StatsError};

/// How well a ranking predicts comparisons it has not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HeldOut {
    /// Mean over splits of the share of decided comparisons whose winner was predicted; `None`
    /// when no split had one.
    pub accuracy: Option<f64>,
    /// Sample standard deviation of that share over splits; `None` for fewer than two.
    pub accuracy_sd: Option<f64>,
    /// Mean over splits of the mean of minus the log of the chance given to what happened, over
    /// all comparisons of the test part, ties included where they are modelled.
    pub log_loss: Option<f64>,
    /// Splits made.
    pub splits: usize,
    /// Test comparisons over all splits.
    pub n: usize,
    /// Test comparisons left out because a value was compared too rarely in training.
    pub dropped: usize,
}

/// Accuracy and log-loss on held-out comparisons, over random 90/10 splits.
///
/// Each split fits [`bradley_terry`](crate::bradley_terry()) to nine tenths, starting from the fit
/// to all of them, and predicts the rest. `least` is how often both values must occur in training
/// (Hua 2026 has 5). A chance of exactly one half is wrong half the time. Ties count for the
/// log-loss only. With `rayon` the splits run on all cores; split `i` has its own stream of the
/// seed. Errors as `bradley_terry`, and on no splits. Cost O(splits x fit).
///
/// ```
/// use specstress_stats::{NudgedComparison, Preference, RankingParams, Toward, held_out};
///
/// let choices: Vec<_> = (0..300).map(|i| NudgedComparison {
///     first: i % 4, second: (i + 1 + i / 4 % 3) % 4, toward: Toward::Neither,
///     preference: Some(if i % 4 < (i + 1 + i / 4 % 3) % 4 { Preference::First } else { Preference::Second }),
/// }).collect();
/// let found = held_out(4, &choices, &RankingParams::default(), 10, 5, 1)?;
/// assert_eq!(found.accuracy, Some(1.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn held_out(
    values: usize,
    comparisons: &[NudgedComparison],
    params: &RankingParams,
    splits: usize,
    least: usize,
    seed: u64,
) -> Result<HeldOut, StatsError> {
    check(values, comparisons, params)?;
    if splits == 0 {
        return Err(StatsError::Parameter {
            name: "number of splits",
            value: 0.0,
            allowed: "at least 1",
        });
    }
    let items = usable(comparisons, params);
    let whole = Likelihood::new(&items, values, params);
    let start = minimise(&whole, vec![0.0; whole.size()], params.iterations, 1e-6).at;
    let parts = map_indices(splits, |split| {
        let mut rng = stream(seed, split);
        let mut order: Vec<usize> = (0..items.len()).collect();
        let test = items.len() / 10;
        for at in 0..test {
            order.swap(at, rng.random_range(at..items.len()));
        }
        // The rest in its own order, so that memory is read forward.
        order[test..].sort_unstable();
        let train: Vec<_> = order[test..].iter().map(|&at| items[at]).collect();
        let mut trained = vec![0_usize; values];
        for item in &train {
            trained[item.first as usize] += 1;
            trained[item.second as usize] += 1;
        }
        let model = Likelihood::new(&train, values, params);
        let at = minimise(&model, start.clone(), params.iterations, 1e-6).at;
        let mut score = Split::default();
        for &index in &order[..test] {
            let item = &items[index];
            if trained[item.first as usize].min(trained[item.second as usize]) < least {
                score.dropped += 1;
                continue;
            }
            let eta = model.eta(&at, item);
            // A tie no training comparison had has no chance under the model; predict with the
            // term of the whole fit instead of an infinite loss.
            let tie = model.tie(&at).or_else(|| whole.tie(&start));
            score.n += 1;
            score.loss -= Chances::new(eta, tie).log(item.outcome);
            let right = match item.outcome {
                Preference::First => Some(eta),
                Preference::Second => Some(-eta),
                Preference::Tie => None,
            };
            if let Some(right) = right {
                score.decided += 1;
                score.right += match right.total_cmp(&0.0) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        score
    });

    let shares: Vec<f64> = parts
        .iter()
        .filter(|part| part.decided > 0)
        .map(|part| part.right / part.decided as f64)
        .collect();
    let losses: Vec<f64> = parts
        .iter()
        .filter(|part| part.n > 0)
        .map(|part| part.loss / part.n as f64)
        .collect();
    let mean = |all: &[f64]| (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64);
    let accuracy = mean(&shares);
    let squares = accuracy.map(|mean| shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>());
    Ok(HeldOut {
        accuracy,
        accuracy_sd: squares
            .filter(|_| shares.len() > 1)
            .map(|squares| (squares / (shares.len() as f64 - 1.0)).sqrt()),
        log_loss: mean(&losses),
        splits,
        n: parts.iter().map(|part| part.n).sum(),
        dropped: parts.iter().map(|part| part.dropped).sum(),
    })
}

/// What one split adds up.
#[derive(Debug, Clone, Copy, Default)]
struct Split {
    right: f64,
    decided: usize,
    loss: f64,
    n: usize,
    dropped: usize,
}
