use crate::{Confidence, Interval, Proportion, StatsError, proportion};

/// One rate over another.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RiskRatio {
    /// The rate above.
    pub exposed: Proportion,
    /// The rate below.
    pub base: Proportion,
    /// Their ratio; `None` without trials on either side or with a base rate of 0.
    pub ratio: Option<f64>,
    /// Interval of the ratio; `None` without trials on either side.
    pub interval: Option<Interval>,
    /// Whether the interval rests on raised counts because a count was zero.
    pub adjusted: bool,
}

/// The ratio of two independent rates with its log-normal interval (Katz et al. 1978).
///
/// ```text
/// ratio = (a / n) / (b / m)
/// se    = sqrt( 1/a - 1/n + 1/b - 1/m )
/// interval = ratio * exp( +/- z se )
/// ```
///
/// `a` of `n` against `b` of `m`. When `a` or `b` is 0 the interval uses `a + 1/2`, `n + 1/2`,
/// `b + 1/2`, `m + 1/2` (Walter 1975) and says so in `adjusted`; the ratio itself is never
/// adjusted. Errors when a count exceeds its trials. Cost O(1).
///
/// ```
/// use specstress_stats::{Confidence, risk_ratio};
///
/// // Figure 2 of the paper prints 9.7 % against 0.7 %: "over 13x".
/// let found = risk_ratio((97, 1000), (7, 1000), Confidence::default())?;
/// assert!((found.ratio.expect("a base") - 13.857).abs() < 1e-3);
/// let interval = found.interval.expect("trials");
/// assert!(interval.low > 6.4 && interval.high < 29.7);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn risk_ratio(
    exposed: (u64, u64),
    base: (u64, u64),
    confidence: Confidence,
) -> Result<RiskRatio, StatsError> {
    let above = proportion(exposed.0, exposed.1, confidence)?;
    let below = proportion(base.0, base.1, confidence)?;
    let rates = above.rate.zip(below.rate);
    let ratio = rates
        .filter(|(_, base)| *base > 0.0)
        .map(|(rate, base)| rate / base);
    let adjusted = rates.is_some() && (exposed.0 == 0 || base.0 == 0);
    let interval = rates.map(|_| {
        let raise = if adjusted { 0.5 } else { 0.0 };
        let [a, n, b, m] = [exposed.0, exposed.1, base.0, base.1].map(|count| count as f64 + raise);
        let se = (a.recip() - n.recip() + b.recip() - m.recip())
            .max(0.0)
            .sqrt();
        let centre = (a / n / (b / m)).ln();
        Interval {
            low: (centre - confidence.z() * se).exp(),
            high: (centre + confidence.z() * se).exp(),
        }
    });
    Ok(RiskRatio {
        exposed: above,
        base: below,
        ratio,
        interval,
        adjusted,
    })
}
