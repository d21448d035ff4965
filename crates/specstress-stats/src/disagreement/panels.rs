use ndarray::{ArrayView3, Axis};

use super::block::{Block, LANES, Sums};
use super::one::{DisagreementParams, Measure, MissingPolicy, Spread};
use crate::panel::{chosen, not_empty};
use crate::parallel::map_indices;
use crate::score::Score;
use crate::{Dispersion, Ratio, StatsError};

/// Scenarios handed to a thread at a time, a multiple of the block.
const CHUNK: usize = 64 * LANES;

/// Disagreement of one panel on one scenario, in 24 bytes.
///
/// Says what [`Disagreement`](crate::Disagreement) says, but for the dispersion of each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelDisagreement {
    // Both parts of the exact square; or the bits of the dispersion and 0.
    upper: u64,
    lower: u64,
    n: u16,
    missing: u16,
    widest: u16,
    held: Held,
    high: bool,
}

/// What the two words of a [`PanelDisagreement`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Square,
    Dispersion,
}

impl PanelDisagreement {
    fn new(spread: Option<(usize, Spread)>, n: usize, missing: usize, high: bool) -> Self {
        let narrow = |count: usize| u16::try_from(count).expect("checked at the entry");
        let (upper, lower, held) = match spread {
            None => (0, 0, Held::Nothing),
            Some((_, spread)) => match spread.square {
                Some(square) => (square.numerator(), square.denominator(), Held::Square),
                None => (spread.dispersion.to_bits(), 0, Held::Dispersion),
            },
        };
        Self {
            upper,
            lower,
            n: narrow(n),
            missing: narrow(missing),
            widest: narrow(spread.map_or(0, |(value, _)| value)),
            held,
            high,
        }
    }

    /// `D(x, M)`; `None` where any value has no dispersion.
    pub fn max(&self) -> Option<f64> {
        match self.held {
            Held::Nothing => None,
            Held::Square => self.max_square().map(|square| square.to_f64().sqrt()),
            Held::Dispersion => Some(f64::from_bits(self.upper)),
        }
    }

    /// `D(x, M)^2` as a ratio of integers, where there is one.
    pub fn max_square(&self) -> Option<Ratio> {
        match self.held {
            Held::Square => Ratio::new(self.upper, self.lower),
            Held::Nothing | Held::Dispersion => None,
        }
    }

    /// The value the maximum belongs to; the lowest index among equals.
    pub fn widest(&self) -> Option<usize> {
        (self.held != Held::Nothing).then_some(usize::from(self.widest))
    }

    /// Models that contributed at least one score.
    pub fn n(&self) -> usize {
        self.n.into()
    }

    /// Models of the panel that lack at least one score.
    pub fn missing(&self) -> usize {
        self.missing.into()
    }

    /// Whether `D(x, M)` reaches the threshold.
    pub fn is_high(&self) -> bool {
        self.high
    }
}

/// [`disagreement`](crate::disagreement()) of many scenarios for several panels in one pass.
///
/// `scores` is scenarios x models x values; `panels` lists the rows of each panel. Returns one
/// list per panel, in the order of `panels`, with one entry per scenario. Integer scores and a
/// measure with [`Dispersion::exact_square_of_sums`] take the fast way: 64 scenarios at a time,
/// no allocation per scenario. Everything else is measured as by
/// [`disagreement_batch`](crate::disagreement_batch()); the answers are the same. With the
/// feature `rayon` chunks of scenarios run on all cores.
///
/// Errors as `disagreement`, for panels above 65,535 models and for more than 65,535 values.
/// Cost O(scenarios x (cells + models of all panels x values)); 24 bytes per scenario and panel.
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{DisagreementParams, disagreement_panels};
///
/// let scores = array![[[0_u8, 6], [4, 2], [1, 5]], [[3, 3], [3, 3], [3, 0]]];
/// let panels: [&[usize]; 2] = [&[0, 1, 2], &[1, 2]];
/// let found = disagreement_panels(scores.view(), &panels, &DisagreementParams::default())?;
/// assert!(found[0][0].is_high() && found[1][0].is_high());
/// assert_eq!(found[1][1].max(), Some(1.5));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn disagreement_panels<S: Score, D: Dispersion + Sync>(
    scores: ArrayView3<'_, S>,
    panels: &[&[usize]],
    params: &DisagreementParams<D>,
) -> Result<Vec<Vec<PanelDisagreement>>, StatsError> {
    let (scenarios, models, values) = scores.dim();
    not_empty(models, values)?;
    for panel in panels {
        chosen(models, Some(panel))?;
        for (name, size) in [
            ("size of the panel", panel.len()),
            ("number of values", values),
        ] {
            if size > usize::from(u16::MAX) {
                return Err(StatsError::Parameter {
                    name,
                    value: size as f64,
                    allowed: "at most 65535",
                });
            }
        }
    }
    let list = |_: &&[usize]| Vec::with_capacity(scenarios);
    let mut found: Vec<Vec<PanelDisagreement>> = panels.iter().map(list).collect();
    if cfg!(feature = "rayon") {
        let chunks = map_indices(scenarios.div_ceil(CHUNK), |chunk| {
            let (from, mut part) = (chunk * CHUNK, vec![Vec::new(); panels.len()]);
            let count = CHUNK.min(scenarios - from);
            let pass = Pass::new(models, values, panels, params);
            pass.run(scores, from, count, &mut part).map(|()| part)
        });
        for chunk in chunks {
            for (all, part) in found.iter_mut().zip(chunk?) {
                all.extend(part);
            }
        }
    } else {
        let pass = Pass::new(models, values, panels, params);
        pass.run(scores, 0, scenarios, &mut found)?;
    }
    Ok(found)
}

/// The buffers of one pass over scenarios.
struct Pass<'a, D> {
    panels: &'a [&'a [usize]],
    params: &'a DisagreementParams<D>,
    block: Block,
    sums: Sums,
    slow: Measure<'a, D>,
}

impl<'a, D: Dispersion> Pass<'a, D> {
    fn new(
        models: usize,
        values: usize,
        panels: &'a [&'a [usize]],
        params: &'a DisagreementParams<D>,
    ) -> Self {
        Self {
            panels,
            params,
            block: Block::new(models, values),
            sums: Sums::new(values),
            slow: Measure::new(params),
        }
    }

    fn run<S: Score>(
        mut self,
        scores: ArrayView3<'_, S>,
        from: usize,
        count: usize,
        into: &mut [Vec<PanelDisagreement>],
    ) -> Result<(), StatsError> {
        for start in (from..from + count).step_by(LANES) {
            let lanes = LANES.min(from + count - start);
            let integers = self.block.fill(scores, start, lanes, self.params.missing);
            for (panel, found) in self.panels.iter().zip(into.iter_mut()) {
                if integers {
                    self.block.sums(panel, &mut self.sums);
                }
                for lane in 0..lanes {
                    let quick = if integers {
                        self.lane(panel.len(), lane)
                    } else {
                        None
                    };
                    found.push(match quick {
                        Some(quick) => quick,
                        None => self.measure(scores, start + lane, panel)?,
                    });
                }
            }
        }
        Ok(())
    }

    /// One scenario from its sums; `None` where the measure needs the scores themselves.
    fn lane(&self, panel: usize, lane: usize) -> Option<PanelDisagreement> {
        let params = self.params;
        let complete = self.sums.complete[lane] as usize;
        let missing = panel - complete;
        let n = match params.missing {
            MissingPolicy::DropScore => self.sums.some[lane] as usize,
            MissingPolicy::DropModel | MissingPolicy::RequireAll => complete,
        };
        let nothing = PanelDisagreement::new(None, n, missing, false);
        if params.missing == MissingPolicy::RequireAll && missing > 0 {
            return Some(nothing);
        }
        let mut widest: Option<(usize, Ratio)> = None;
        for (value, (count, sum, squares)) in self.sums.values.iter().enumerate() {
            let (count, sum) = (count[lane], sum[lane]);
            if (count as usize) < params.dispersion.min_scores().max(1) {
                return Some(nothing);
            }
            let sums = (u64::from(count), u64::from(sum), squares[lane]);
            let square = params
                .dispersion
                .exact_square_of_sums(sums.0, sums.1, sums.2)?;
            if widest.is_none_or(|(_, best)| square > best) {
                widest = Some((value, square));
            }
        }
        let (value, square) = widest?;
        Some(PanelDisagreement {
            upper: square.numerator(),
            lower: square.denominator(),
            held: Held::Square,
            // The dispersion itself only matters to a bar that is no ratio.
            high: if params.threshold.is_exact() {
                params.threshold.is_reached(0.0, Some(square))
            } else {
                params
                    .threshold
                    .is_reached(square.to_f64().sqrt(), Some(square))
            },
            widest: u16::try_from(value).ok()?,
            ..nothing
        })
    }

    fn measure<S: Score>(
        &mut self,
        scores: ArrayView3<'_, S>,
        scenario: usize,
        panel: &[usize],
    ) -> Result<PanelDisagreement, StatsError> {
        let matrix = scores.index_axis(Axis(0), scenario);
        let found = self
            .slow
            .scenario(matrix, panel)
            .map_err(|source| StatsError::Scenario {
                scenario,
                source: Box::new(source),
            })?;
        let spread = found.widest.zip(found.max).map(|(value, dispersion)| {
            let square = found.max_square;
            (value, Spread { dispersion, square })
        });
        Ok(PanelDisagreement::new(
            spread,
            found.n,
            found.missing,
            found.high,
        ))
    }
}
