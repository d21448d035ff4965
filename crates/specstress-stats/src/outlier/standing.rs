use ndarray::{Array2, ArrayView2, ArrayView3, Axis, Slice};

use super::one::{OutlierParams, OutlierReading, outliers};
use crate::StatsError;
use crate::panel::not_empty;
use crate::parallel::map_indices;
use crate::score::{Reading, Score, read};

/// Scenarios that are compared together, one lane each: loops over lanes become vector instructions.
const LANES: usize = 64;

/// Scenarios handed to a thread at a time.
const CHUNK: usize = 64 * LANES;

/// Most models of the fast way, whose counts have 8 bits.
const MOST_MODELS: usize = 255;

/// Where a model that has all its scores stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Standing {
    /// It is no outlier.
    Inside,
    /// It is an outlier, above the mean of the others on the value it disagrees most on.
    Above(u16),
    /// It is an outlier, and not above that mean.
    Below(u16),
}

impl Standing {
    /// Whether it is an outlier, on either side.
    pub fn is_outlier(self) -> bool {
        self != Self::Inside
    }
}

/// [`outliers`] of many scenarios, with the side each outlier stands on.
///
/// `scores` is scenarios x models x values; returns scenarios x models, `None` where a model lacks a score. The side is
/// that of the value on which the model disagrees with most others, the lowest index among equals, against the
/// mean of the other models that have all their scores. Integer scores up to 255 and panels up to 255 models take a
/// fast way, 64 scenarios at a time; everything else is measured as by `outliers`, with the same answers. With the
/// feature `rayon` chunks of scenarios run on all cores.
///
/// Errors as `outliers`, and for more than 65,535 values. Cost O(scenarios x models^2 x values); 4 bytes per model.
///
/// ```
/// use specstress_stats::ndarray::Array3;
/// use specstress_stats::{OutlierParams, Standing, standings};
///
/// let mut scores = Array3::<u8>::from_elem((10, 12, 2), 1);
/// scores[[3, 7, 1]] = 5;
/// let found = standings(scores.view(), &OutlierParams::default())?;
/// assert_eq!(found[[3, 7]], Some(Standing::Above(1)));
/// assert_eq!(found[[3, 6]], Some(Standing::Inside));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn standings<S: Score>(
    scores: ArrayView3<'_, S>,
    params: &OutlierParams,
) -> Result<Array2<Option<Standing>>, StatsError> {
    let (scenarios, models, values) = scores.dim();
    not_empty(models, values)?;
    if values > usize::from(u16::MAX) {
        return Err(StatsError::Parameter {
            name: "number of values",
            value: values as f64,
            allowed: "at most 65535",
        });
    }
    let chunks = map_indices(scenarios.div_ceil(CHUNK), |chunk| {
        let from = chunk * CHUNK;
        let upto = scenarios.min(from + CHUNK);
        let mut found = Vec::with_capacity((upto - from) * models);
        let mut block = Block::new(models, values);
        for start in (from..upto).step_by(LANES) {
            let lanes = LANES.min(upto - start);
            let part = scores.slice_axis(Axis(0), Slice::from(start..start + lanes));
            if models <= MOST_MODELS && block.fill(part) {
                block.compare(params);
                for lane in 0..lanes {
                    found.extend((0..models).map(|model| block.standing(model, lane, params)));
                }
            } else {
                for (lane, matrix) in part.axis_iter(Axis(0)).enumerate() {
                    found.extend(one(matrix, start + lane, params)?);
                }
            }
        }
        Ok(found)
    });
    let mut flat = Vec::with_capacity(scenarios * models);
    for chunk in chunks {
        flat.append(&mut chunk?);
    }
    Ok(Array2::from_shape_vec((scenarios, models), flat).expect("one standing per model"))
}

/// The standings of one scenario, by the plain rule.
pub(super) fn one<S: Score>(
    matrix: ArrayView2<'_, S>,
    scenario: usize,
    params: &OutlierParams,
) -> Result<Vec<Option<Standing>>, StatsError> {
    let found = outliers(matrix, None, params).map_err(|source| StatsError::Scenario {
        scenario,
        source: Box::new(source),
    })?;
    let whole: Vec<bool> = matrix
        .rows()
        .into_iter()
        .map(|row| row.iter().all(|score| score.reading().is_some()))
        .collect();
    found
        .models
        .iter()
        .map(|model| {
            if !whole[model.model] {
                return Ok(None);
            }
            if !model.outlier {
                return Ok(Some(Standing::Inside));
            }
            let value = first_largest(&model.per_value);
            let score = |model: usize| -> Result<f64, StatsError> {
                let reading = read(matrix[[model, value]], model, value)?;
                Ok(reading.map_or(0.0, Reading::to_f64))
            };
            let mut gap = 0.0;
            for other in (0..whole.len()).filter(|&other| other != model.model && whole[other]) {
                gap += score(model.model)? - score(other)?;
            }
            Ok(Some(side(value, gap > 0.0)))
        })
        .collect()
}

fn side(value: usize, above: bool) -> Standing {
    let value = u16::try_from(value).expect("checked at the entry");
    if above {
        Standing::Above(value)
    } else {
        Standing::Below(value)
    }
}

/// The first place of the largest count.
fn first_largest<T: PartialOrd>(counts: &[T]) -> usize {
    let mut best = 0;
    for (at, count) in counts.iter().enumerate() {
        if *count > counts[best] {
            best = at;
        }
    }
    best
}

/// Scores of up to [`LANES`] scenarios and how many others each is far from.
struct Block {
    models: usize,
    values: usize,
    /// Score at `model * values + value`; 0 where it is missing.
    scores: Vec<[u8; LANES]>,
    /// Per model: 1 with all scores, else 0.
    complete: Vec<[u8; LANES]>,
    /// Others that are far on a value, at `model * values + value`.
    per_value: Vec<[u8; LANES]>,
    /// Others that are far on at least one value, and on all.
    either: Vec<[u8; LANES]>,
    both: Vec<[u8; LANES]>,
}

impl Block {
    fn new(models: usize, values: usize) -> Self {
        Self {
            models,
            values,
            scores: vec![[0; LANES]; models * values],
            complete: vec![[0; LANES]; models],
            per_value: vec![[0; LANES]; models * values],
            either: vec![[0; LANES]; models],
            both: vec![[0; LANES]; models],
        }
    }

    /// `false` where a score is no integer of 8 bits.
    fn fill<S: Score>(&mut self, part: ArrayView3<'_, S>) -> bool {
        for complete in &mut self.complete {
            *complete = [1; LANES];
        }
        for (lane, matrix) in part.axis_iter(Axis(0)).enumerate() {
            for (cell, score) in matrix.iter().enumerate() {
                let narrow = match score.reading() {
                    Some(Reading::Integer(score)) => u8::try_from(score),
                    Some(Reading::Real(_)) => return false,
                    None => {
                        self.complete[cell / self.values][lane] = 0;
                        Ok(0)
                    }
                };
                let Ok(narrow) = narrow else { return false };
                self.scores[cell][lane] = narrow;
            }
        }
        true
    }

    fn compare(&mut self, params: &OutlierParams) {
        let gap = params.whole_gap();
        self.per_value.fill([0; LANES]);
        self.either.fill([0; LANES]);
        self.both.fill([0; LANES]);
        for a in 0..self.models {
            for b in a + 1..self.models {
                let mut known = self.complete[a];
                for (known, other) in known.iter_mut().zip(&self.complete[b]) {
                    *known &= *other;
                }
                let (mut either, mut both) = ([0; LANES], known);
                for value in 0..self.values {
                    let (own, other) = (a * self.values + value, b * self.values + value);
                    let mut far = [0; LANES];
                    for lane in 0..LANES {
                        let apart = self.scores[own][lane].abs_diff(self.scores[other][lane]);
                        far[lane] = u8::from(u16::from(apart) >= gap) & known[lane];
                    }
                    add(&mut self.per_value[own], &far);
                    add(&mut self.per_value[other], &far);
                    for lane in 0..LANES {
                        either[lane] |= far[lane];
                        both[lane] &= far[lane];
                    }
                }
                for model in [a, b] {
                    add(&mut self.either[model], &either);
                    add(&mut self.both[model], &both);
                }
            }
        }
    }

    fn standing(&self, model: usize, lane: usize, params: &OutlierParams) -> Option<Standing> {
        if self.complete[model][lane] == 0 {
            return None;
        }
        let cells = model * self.values..(model + 1) * self.values;
        let per_value = || {
            self.per_value[cells.clone()]
                .iter()
                .map(|count| count[lane])
        };
        let apart = match params.reading_of() {
            OutlierReading::Either => self.either[model][lane],
            OutlierReading::Same => per_value().max().unwrap_or(0),
            OutlierReading::Both => self.both[model][lane],
        };
        if usize::from(apart) < params.count_of() {
            return Some(Standing::Inside);
        }
        let value = first_largest(&per_value().collect::<Vec<_>>());
        let score = |model: usize| i32::from(self.scores[model * self.values + value][lane]);
        let others = (0..self.models).filter(|&other| self.complete[other][lane] == 1);
        let gap: i32 = others.map(|other| score(model) - score(other)).sum();
        Some(side(value, gap > 0))
    }
}

fn add(counts: &mut [u8; LANES], one: &[u8; LANES]) {
    for (count, one) in counts.iter_mut().zip(one) {
        *count += one;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    /// Random positions with gaps, the same everywhere.
    fn scores(scenarios: usize, models: usize, values: usize) -> Array3<Option<u8>> {
        let mut state = 1_u64;
        Array3::from_shape_simple_fn((scenarios, models, values), || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let draw = u8::try_from((state >> 33) % 29).expect("below 29");
            // Mostly at either end, so that some stand alone.
            (draw != 28).then_some(if draw < 24 { draw % 2 } else { draw - 22 })
        })
    }

    #[test]
    fn the_fast_way_agrees_with_the_plain_rule() {
        let mut outliers = 0;
        for (scenarios, models, values) in [(5_000, 12, 2), (130, 5, 3), (64, 2, 1), (1, 1, 2)] {
            let scores = scores(scenarios, models, values);
            let reals = scores.mapv(|score| score.map(f64::from));
            for reading in [
                OutlierReading::Either,
                OutlierReading::Same,
                OutlierReading::Both,
            ] {
                for (gap, count) in [(4.0, 9), (2.5, 1), (0.1, 3), (300.0, 1)] {
                    let params = OutlierParams::default().reading(reading);
                    let params = params.gap(gap).unwrap().count(count).unwrap();
                    let fast = standings(scores.view(), &params).unwrap();
                    // Reals take the other way.
                    assert_eq!(fast, standings(reals.view(), &params).unwrap());
                    outliers += fast.iter().flatten().filter(|s| s.is_outlier()).count();
                }
            }
        }
        assert!(outliers > 1_000, "{outliers} are too few to tell");
    }

    #[test]
    fn what_is_wrong_names_its_scenario() {
        let mut scores = Array3::from_elem((100, 3, 2), 1.0);
        scores[[70, 1, 0]] = f64::NAN;
        let found = standings(scores.view(), &OutlierParams::default());
        assert!(matches!(
            found,
            Err(StatsError::Scenario { scenario: 70, .. })
        ));
    }
}
