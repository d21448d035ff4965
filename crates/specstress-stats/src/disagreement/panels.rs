use ndarray::{ArrayView3, Axis};

use super::block::{Block, LANES, Sums};
use super::one::{DisagreementParams, Measure, MissingPolicy};
use super::packed::{Dispersed, PanelDisagreement, PanelDisagreements};
use super::quick::Quick;
use crate::panel::{chosen, not_empty};
use crate::parallel::map_indices;
use crate::score::Score;
use crate::{Dispersion, StatsError};

/// Scenarios handed to a thread at a time, a multiple of the block.
const CHUNK: usize = 64 * LANES;

/// Chunks that are measured before their results are put together, so that memory is used again.
const WAVE: usize = 32;

/// [`disagreement`](crate::disagreement()) of many scenarios for several panels in one pass.
///
/// `scores` is scenarios x models x values; `panels` lists the rows of each panel. Returns one
/// list per panel, in the order of `panels`, with one entry per scenario. Integer scores up to 255,
/// panels up to 255 models, up to 255 values and a measure with [`Dispersion::scatter_scale`] take the
/// fast way: 64 scenarios at a time, in integers, without an allocation or a root per scenario.
/// Everything else is measured as by [`disagreement_batch`](crate::disagreement_batch()); the answers
/// are the same. With the feature `rayon` chunks of scenarios run on all cores.
///
/// Errors as `disagreement`, for more than 65,535 models or values and for more than 2^32 - 1
/// scenarios. Cost O(scenarios x (cells + models of all panels x values)); 8 bytes per scenario and
/// panel the fast way, 40 the other.
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{DisagreementParams, disagreement_panels};
///
/// let scores = array![[[0_u8, 6], [4, 2], [1, 5]], [[3, 3], [3, 3], [3, 0]]];
/// let panels: [&[usize]; 2] = [&[0, 1, 2], &[1, 2]];
/// let found = disagreement_panels(scores.view(), &panels, &DisagreementParams::default())?;
/// assert_eq!(found[1].get(1).expect("two scenarios").max(), Some(1.5));
/// assert_eq!(found[0].iter().filter(|one| one.is_high()).count(), 1);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn disagreement_panels<S: Score, D: Dispersion + Sync>(
    scores: ArrayView3<'_, S>,
    panels: &[&[usize]],
    params: &DisagreementParams<D>,
) -> Result<Vec<PanelDisagreements>, StatsError> {
    let (scenarios, models, values) = scores.dim();
    not_empty(models, values)?;
    for (name, size, most) in [
        ("number of models", models, 65_535),
        ("number of values", values, 65_535),
        ("number of scenarios", scenarios, u32::MAX as usize),
    ] {
        if size > most {
            return Err(StatsError::Parameter {
                name,
                value: size as f64,
                allowed: "at most 65535 models and values, and 2^32 - 1 scenarios",
            });
        }
    }
    let mut ways = Vec::with_capacity(panels.len());
    for panel in panels {
        chosen(models, Some(panel))?;
        ways.push(Way {
            panel,
            quick: Quick::new(panel, values, params),
        });
    }
    let empty = |capacity| -> Vec<PanelDisagreements> {
        let list = |way: &Way<'_>| {
            let scales = way.quick.as_ref().map(Quick::scales).unwrap_or_default();
            PanelDisagreements::new(scales, capacity)
        };
        ways.iter().map(list).collect()
    };
    let mut found = empty(scenarios);
    if cfg!(feature = "rayon") {
        let all = scenarios.div_ceil(CHUNK);
        for wave in (0..all).step_by(WAVE) {
            let chunks = map_indices(WAVE.min(all - wave), |chunk| {
                let from = (wave + chunk) * CHUNK;
                let count = CHUNK.min(scenarios - from);
                let mut part = empty(count);
                let pass = Pass::new(scores, &ways, params);
                pass.run(from, count, &mut part).map(|()| part)
            });
            for chunk in chunks {
                for (all, part) in found.iter_mut().zip(chunk?) {
                    all.append(part);
                }
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
    quick: Option<Quick<'a>>,
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
        into: &mut [PanelDisagreements],
    ) -> Result<(), StatsError> {
        let ways = self.ways;
        for start in (from..from + count).step_by(LANES) {
            let lanes = LANES.min(from + count - start);
            let narrow = self.block.fill(self.scores, start, lanes, self.missing);
            for (way, found) in ways.iter().zip(into.iter_mut()) {
                match &way.quick {
                    Some(quick) if narrow && self.block.has_gaps() => {
                        self.block.sums(way.panel, &mut self.sums);
                        for lane in 0..lanes {
                            quick.lane(&self.sums, lane, found);
                        }
                    }
                    Some(quick) if narrow => quick.whole(&self.block, lanes, found),
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
        let narrow = |count: usize| u16::try_from(count).expect("checked at the entry");
        Ok(PanelDisagreement {
            dispersion: match (found.max, found.max_square) {
                (None, _) => Dispersed::Not,
                (_, Some(square)) => Dispersed::Square(square),
                (Some(number), None) => Dispersed::Number(number),
            },
            widest: narrow(found.widest.unwrap_or(0)),
            n: narrow(found.n),
            missing: narrow(found.missing),
            high: found.high,
        })
    }
}
