use ndarray::{ArrayView3, Axis};

use super::block::{Block, LANES, Sums};
use super::one::{DisagreementParams, Measure, MissingPolicy};
use super::quick::Quick;
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
    /// Without a disagreement.
    pub(super) fn unknown(n: usize, missing: usize) -> Self {
        let narrow = |count: usize| u16::try_from(count).expect("checked at the entry");
        Self {
            upper: 0,
            lower: 0,
            n: narrow(n),
            missing: narrow(missing),
            widest: 0,
            held: Held::Nothing,
            high: false,
        }
    }

    /// With the exact square `upper / lower`, of `n` models and `missing` others.
    #[inline]
    pub(super) fn square(
        upper: u64,
        lower: u64,
        (n, missing): (usize, usize),
        widest: u16,
        high: bool,
    ) -> Self {
        Self {
            upper,
            lower,
            widest,
            held: Held::Square,
            high,
            ..Self::unknown(n, missing)
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
/// list per panel, in the order of `panels`, with one entry per scenario. Integer scores up to 255,
/// panels up to 257 models and a measure with [`Dispersion::scatter_scale`] take the fast way: 64
/// scenarios at a time, in integers, without an allocation or a root per scenario. Everything
/// else is measured as by [`disagreement_batch`](crate::disagreement_batch()); the answers are the
/// same. With the feature `rayon` chunks of scenarios run on all cores.
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
    let ways: Vec<Way<'_>> = panels
        .iter()
        .map(|&panel| Way {
            panel,
            quick: Quick::new(panel.len(), params),
        })
        .collect();
    let mut found: Vec<Vec<PanelDisagreement>> = panels
        .iter()
        .map(|_| Vec::with_capacity(scenarios))
        .collect();
    if cfg!(feature = "rayon") {
        let chunks = map_indices(scenarios.div_ceil(CHUNK), |chunk| {
            let from = chunk * CHUNK;
            let count = CHUNK.min(scenarios - from);
            let mut part = vec![Vec::with_capacity(count); panels.len()];
            Pass::new(scores, &ways, params)
                .run(from, count, &mut part)
                .map(|()| part)
        });
        for chunk in chunks {
            for (all, part) in found.iter_mut().zip(chunk?) {
                all.extend(part);
            }
        }
    } else {
        Pass::new(scores, &ways, params).run(0, scenarios, &mut found)?;
    }
    Ok(found)
}

/// A panel and its fast way, where it has one.
struct Way<'a> {
    panel: &'a [usize],
    quick: Option<Quick>,
}

/// The buffers of one pass over scenarios.
struct Pass<'a, S, D> {
    scores: ArrayView3<'a, S>,
    ways: &'a [Way<'a>],
    missing: MissingPolicy,
    block: Block,
    sums: Sums,
    slow: Measure<'a, D>,
}

impl<'a, S: Score, D: Dispersion> Pass<'a, S, D> {
    fn new(
        scores: ArrayView3<'a, S>,
        ways: &'a [Way<'a>],
        params: &'a DisagreementParams<D>,
    ) -> Self {
        let (_, models, values) = scores.dim();
        Self {
            scores,
            ways,
            missing: params.missing,
            block: Block::new(models, values),
            sums: Sums::new(values),
            slow: Measure::new(params),
        }
    }

    fn run(
        mut self,
        from: usize,
        count: usize,
        into: &mut [Vec<PanelDisagreement>],
    ) -> Result<(), StatsError> {
        let ways = self.ways;
        for start in (from..from + count).step_by(LANES) {
            let lanes = LANES.min(from + count - start);
            let narrow = self.block.fill(self.scores, start, lanes, self.missing);
            for (way, found) in ways.iter().zip(into.iter_mut()) {
                match &way.quick {
                    Some(quick) if narrow => {
                        self.block.sums(way.panel, &mut self.sums);
                        if self.block.has_gaps() {
                            found.extend((0..lanes).map(|lane| quick.lane(&self.sums, lane)));
                        } else {
                            quick.whole(&self.sums, lanes, found);
                        }
                    }
                    _ => {
                        for scenario in start..start + lanes {
                            found.push(self.measure(scenario, way.panel)?);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn measure(
        &mut self,
        scenario: usize,
        panel: &[usize],
    ) -> Result<PanelDisagreement, StatsError> {
        let matrix = self.scores.index_axis(Axis(0), scenario);
        let found = self
            .slow
            .scenario(matrix, panel)
            .map_err(|source| StatsError::Scenario {
                scenario,
                source: Box::new(source),
            })?;
        let unknown = PanelDisagreement::unknown(found.n, found.missing);
        let Some((value, dispersion)) = found.widest.zip(found.max) else {
            return Ok(unknown);
        };
        let (upper, lower, held) = match found.max_square {
            Some(square) => (square.numerator(), square.denominator(), Held::Square),
            None => (dispersion.to_bits(), 0, Held::Dispersion),
        };
        Ok(PanelDisagreement {
            upper,
            lower,
            held,
            widest: u16::try_from(value).expect("checked at the entry"),
            high: found.high,
            ..unknown
        })
    }
}
