use crate::quantile::sorted_quantile;
use crate::{StatsError, Threshold};

/// The disagreement that scenarios without a tension show anyway.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NoiseFloor {
    /// The quantile asked for; `None` without control scenarios.
    pub floor: Option<f64>,
    /// Share of control scenarios that reach the bar: the false alarms of the bar.
    pub above_bar: Option<f64>,
    /// Control scenarios with a disagreement.
    pub n: usize,
    /// Control scenarios without one.
    pub dropped: usize,
}

/// The noise floor: a quantile, by custom the 95th percentile, of the disagreement over control
/// scenarios that force no choice.
///
/// `controls` holds `D` of each control scenario, `probability` is from 0 to 1; between two
/// numbers the quantile is interpolated linearly. Keep scenarios above the floor. Errors on a
/// probability out of range and a disagreement that is not finite. Cost O(n log n).
///
/// ```
/// use specstress_stats::{Threshold, noise_floor};
///
/// let controls = [Some(0.1), Some(0.4), Some(0.2), None, Some(1.6)];
/// let found = noise_floor(&controls, 0.5, Threshold::default())?;
/// assert!((found.floor.expect("controls") - 0.3).abs() < 1e-12);
/// assert_eq!((found.above_bar, found.dropped), (Some(0.25), 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn noise_floor(
    controls: &[Option<f64>],
    probability: f64,
    bar: Threshold,
) -> Result<NoiseFloor, StatsError> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(StatsError::Parameter {
            name: "probability",
            value: probability,
            allowed: "a number from 0 to 1, such as 0.95",
        });
    }
    let mut known = Vec::with_capacity(controls.len());
    for (row, control) in controls.iter().enumerate() {
        if let Some(value) = *control {
            known.push(StatsError::finite(row, 0, value)?);
        }
    }
    known.sort_by(f64::total_cmp);
    let n = known.len();
    let above = known.iter().filter(|d| bar.is_reached(**d, None)).count();
    Ok(NoiseFloor {
        floor: sorted_quantile(&known, probability),
        above_bar: (n > 0).then(|| above as f64 / n as f64),
        n,
        dropped: controls.len() - n,
    })
}
