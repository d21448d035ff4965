use super::block::{Block, LANES, MOST_MODELS, Sums};
use super::one::{DisagreementParams, MissingPolicy};
use super::packed::{Cell, Dispersed, PanelDisagreement, PanelDisagreements};
use crate::{Dispersion, Ratio, Threshold};

/// How the sums of one panel become its disagreement, with everything that depends only on the
/// number of scores worked out beforehand.
pub(super) struct Quick<'a> {
    panel: &'a [usize],
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

impl<'a> Quick<'a> {
    /// `None` for a measure or a panel that sums cannot serve.
    pub(super) fn new<D: Dispersion>(
        panel: &'a [usize],
        values: usize,
        params: &DisagreementParams<D>,
    ) -> Option<Self> {
        if panel.len() > MOST_MODELS || values > usize::from(u8::MAX) {
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
            panel,
            missing: params.missing,
            by_count: (0..=panel.len()).map(bar).collect::<Option<_>>()?,
        })
    }

    /// Denominators of the square by number of models.
    pub(super) fn scales(&self) -> Vec<u64> {
        let scale = |bar: &Option<Bar>| bar.map_or(0, |bar| bar.scale);
        self.by_count.iter().map(scale).collect()
    }

    /// Scenarios without a missing score.
    pub(super) fn whole(&self, block: &Block, lanes: usize, into: &mut PanelDisagreements) {
        let n = narrow(self.panel.len());
        let Some(bar) = self.by_count[self.panel.len()] else {
            into.extend((0..lanes).map(|_| Cell::unknown(n, 0)));
            return;
        };
        let (mut best, mut widest) = ([0_u32; LANES], [0_u8; LANES]);
        block.widest(self.panel, &mut best, &mut widest);
        let found = best.iter().zip(&widest).take(lanes);
        into.extend(found.map(|(&best, &widest)| {
            Cell::square(best, n, 0, widest, u64::from(best) >= bar.least)
        }));
    }

    /// One scenario of a block with gaps.
    pub(super) fn lane(&self, sums: &Sums, lane: usize, into: &mut PanelDisagreements) {
        let complete = usize::from(sums.complete[lane]);
        let missing = self.panel.len() - complete;
        let n = match self.missing {
            MissingPolicy::DropScore => usize::from(sums.some[lane]),
            MissingPolicy::DropModel | MissingPolicy::RequireAll => complete,
        };
        let spoiled = self.missing == MissingPolicy::RequireAll && missing > 0;
        let Some((value, square, bar)) = (!spoiled).then(|| self.lane_square(sums, lane)).flatten()
        else {
            into.extend(std::iter::once(Cell::unknown(narrow(n), narrow(missing))));
            return;
        };
        let high = square.numerator() >= bar.least;
        if self.missing == MissingPolicy::DropScore && missing > 0 {
            // The values may rest on different numbers of scores, which a cell cannot say.
            into.push(PanelDisagreement {
                dispersion: Dispersed::Square(square),
                widest: value.into(),
                n: narrow(n).into(),
                missing: narrow(missing).into(),
                high,
            });
            return;
        }
        let upper = u32::try_from(square.numerator()).expect("a 32-bit scatter");
        let cell = Cell::square(upper, narrow(n), narrow(missing), value, high);
        into.extend(std::iter::once(cell));
    }

    fn lane_square(&self, sums: &Sums, lane: usize) -> Option<(u8, Ratio, Bar)> {
        let mut widest: Option<(u8, Ratio, Bar)> = None;
        let parts = sums.values.iter().zip(&sums.counts);
        for (value, ((sums, squares), counts)) in (0_u8..=u8::MAX).zip(parts) {
            let bar = self.by_count[usize::from(counts[lane])]?;
            let scatter = u32::from(counts[lane]) * squares[lane] - sums[lane] * sums[lane];
            let square = Ratio::new(scatter.into(), bar.scale).expect("checked when made");
            if widest.is_none_or(|(_, best, _)| square > best) {
                widest = Some((value, square, bar));
            }
        }
        widest
    }
}

fn narrow(models: usize) -> u8 {
    u8::try_from(models).expect("checked when made")
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
