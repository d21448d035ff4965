use super::block::{LANES, MOST_MODELS, Sums};
use super::one::{DisagreementParams, MissingPolicy};
use super::panels::PanelDisagreement;
use crate::{Dispersion, Ratio, Threshold};

/// How the sums of one panel become its disagreement, with everything that depends only on the
/// number of scores worked out beforehand.
pub(super) struct Quick {
    models: usize,
    missing: MissingPolicy,
    /// By number of scores; `None` where these are too few.
    by_count: Vec<Option<Bar>>,
}

/// The squared dispersion of `n` scores is `(n*S2 - S1^2) / scale`.
#[derive(Clone, Copy)]
struct Bar {
    scale: u64,
    /// Least numerator with which the threshold is reached.
    least: u64,
}

impl Quick {
    /// `None` for a measure or a panel that sums cannot serve.
    pub(super) fn new<D: Dispersion>(
        models: usize,
        params: &DisagreementParams<D>,
    ) -> Option<Self> {
        if models > MOST_MODELS {
            return None;
        }
        let fewest = params.dispersion.min_scores().max(1);
        let bar = |count: usize| {
            if count < fewest {
                return Some(None);
            }
            let scale = params.dispersion.scatter_scale(count as u64)?;
            let least = least(params.threshold, scale)?;
            Some(Some(Bar { scale, least }))
        };
        Some(Self {
            models,
            missing: params.missing,
            by_count: (0..=models).map(bar).collect::<Option<_>>()?,
        })
    }

    /// Scenarios without a missing score.
    pub(super) fn whole(&self, sums: &Sums, lanes: usize, into: &mut Vec<PanelDisagreement>) {
        let n = self.models;
        let Some(bar) = self.by_count[n] else {
            into.extend((0..lanes).map(|_| PanelDisagreement::unknown(n, 0)));
            return;
        };
        let (mut best, mut widest) = ([0_u32; LANES], [0_u16; LANES]);
        for (value, (sums, squares)) in (0_u16..).zip(&sums.values) {
            #[expect(clippy::cast_possible_truncation, reason = "at most 257 models")]
            let count = n as u32;
            for lane in 0..LANES {
                let scatter = count * squares[lane] - sums[lane] * sums[lane];
                let wider = scatter > best[lane];
                best[lane] = if wider { scatter } else { best[lane] };
                widest[lane] = if wider { value } else { widest[lane] };
            }
        }
        let found = best.iter().zip(&widest).take(lanes);
        into.extend(found.map(|(&best, &widest)| {
            let best = u64::from(best);
            PanelDisagreement::square(best, bar.scale, (n, 0), widest, best >= bar.least)
        }));
    }

    /// One scenario of a block with gaps.
    pub(super) fn lane(&self, sums: &Sums, lane: usize) -> PanelDisagreement {
        let complete = usize::from(sums.complete[lane]);
        let missing = self.models - complete;
        let n = match self.missing {
            MissingPolicy::DropScore => usize::from(sums.some[lane]),
            MissingPolicy::DropModel | MissingPolicy::RequireAll => complete,
        };
        let unknown = PanelDisagreement::unknown(n, missing);
        if self.missing == MissingPolicy::RequireAll && missing > 0 {
            return unknown;
        }
        let mut widest: Option<(u16, Ratio, Bar)> = None;
        let parts = sums.values.iter().zip(&sums.counts);
        for (value, ((sums, squares), counts)) in (0_u16..).zip(parts) {
            let Some(bar) = self.by_count[usize::from(counts[lane])] else {
                return unknown;
            };
            let scatter = u32::from(counts[lane]) * squares[lane] - sums[lane] * sums[lane];
            let square = Ratio::new(u64::from(scatter), bar.scale).expect("checked when made");
            if widest.is_none_or(|(_, best, _)| square > best) {
                widest = Some((value, square, bar));
            }
        }
        widest.map_or(unknown, |(value, square, bar)| {
            let (upper, lower) = (square.numerator(), square.denominator());
            PanelDisagreement::square(upper, lower, (n, missing), value, upper >= bar.least)
        })
    }
}

/// The least 32-bit numerator over `scale` whose root reaches the threshold, by halving: reaching it
/// is monotone, rounding included. Above all of them where none does; `None` for a scale of 0.
fn least(threshold: Threshold, scale: u64) -> Option<u64> {
    let (mut low, mut high) = (0_u64, 1 << 32);
    while low < high {
        let middle = u64::midpoint(low, high);
        let square = Ratio::new(middle, scale)?;
        if threshold.is_reached(square.to_f64().sqrt(), Some(square)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}
