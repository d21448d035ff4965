use crate::special::{beta_cdf, beta_quantile};
use crate::{StatsError, normal_quantile};

/// Most samples per model that are tried.
const MOST: u32 = 100_000;

/// Error rates of a planned test: 5 % false alarms and 80 % power by default.
///
/// ```
/// let plan = specstress_stats::TestPlan::new(0.01, 0.9)?;
/// # let _ = plan;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestPlan {
    level: f64,
    power: f64,
}

impl TestPlan {
    /// The level of the test and its power, both strictly between 0 and 1.
    pub fn new(level: f64, power: f64) -> Result<Self, StatsError> {
        for (name, value) in [("level", level), ("power", power)] {
            if !(value > 0.0 && value < 1.0) {
                let allowed = "a number between 0 and 1, both excluded";
                return Err(StatsError::Parameter {
                    name,
                    value,
                    allowed,
                });
            }
        }
        Ok(Self { level, power })
    }
}

impl Default for TestPlan {
    fn default() -> Self {
        Self {
            level: 0.05,
            power: 0.8,
        }
    }
}

/// Scenarios needed in each of two groups to see a risk ratio (Fleiss, Levin & Paik 2003, 4.2).
///
/// ```text
/// n = ( z_{1-level/2} sqrt(2 p (1-p)) + z_power sqrt(p0 (1-p0) + p1 (1-p1)) )^2 / (p1 - p0)^2
/// ```
///
/// `p1 = ratio p0`, `p` their mean; two-sided, rounded up, without continuity correction. Three
/// siblings of a triple are worth less than three scenarios: multiply by the design effect.
/// Errors on a base rate outside `(0, 1)`, on a ratio of 1 (no number is enough) and on one that
/// leaves `p1` outside `[0, 1]`. Cost O(1).
///
/// ```
/// use specstress_stats::{TestPlan, scenarios_for_risk_ratio};
///
/// // Frequent non-compliance of 1 % against 4.6 times as much.
/// assert_eq!(scenarios_for_risk_ratio(0.01, 4.6, TestPlan::default())?, 329);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn scenarios_for_risk_ratio(base: f64, ratio: f64, plan: TestPlan) -> Result<u64, StatsError> {
    if !(base > 0.0 && base < 1.0) {
        return Err(StatsError::Parameter {
            name: "base rate",
            value: base,
            allowed: "a number between 0 and 1, both excluded",
        });
    }
    let raised = base * ratio;
    if !(0.0..=1.0).contains(&raised) || (raised - base).abs() < 1e-12 {
        return Err(StatsError::Parameter {
            name: "risk ratio",
            value: ratio,
            allowed: "a number other than 1 that leaves the rate between 0 and 1",
        });
    }
    let alarm = normal_quantile(1.0 - plan.level / 2.0)?;
    let power = normal_quantile(plan.power)?;
    let middle = f64::midpoint(base, raised);
    let sum = alarm * (2.0 * middle * (1.0 - middle)).sqrt()
        + power * (base * (1.0 - base) + raised * (1.0 - raised)).sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "above 0; a cast from a float saturates"
    )]
    let n = (sum / (raised - base)).powi(2).ceil() as u64;
    Ok(n)
}

/// Samples per model needed to see a net disagreement in one scenario.
///
/// ```text
/// between = net^2 a / (a - 1)
/// power(k) = P( F(a - 1, a (k - 1)) > critical / (1 + k between / within) )
/// ```
///
/// The F test of one-way random effects, whose power this is exactly for normal scores. `models`
/// is `a`; `net` as in `VarianceComponents::net`; `within` the variance of one model's score over
/// samples. Over many scenarios lower the level: with Benjamini-Hochberg to about 0.05 times the
/// share of scenarios expected to differ. Returns at least 2; `None` when 100,000 are not enough.
/// Errors on fewer than two models and on variances not above 0. Cost O(k) evaluations of the
/// incomplete beta function.
///
/// ```
/// use specstress_stats::{TestPlan, samples_for_net_disagreement};
///
/// let found = samples_for_net_disagreement(12, 0.5, 1.0, TestPlan::default())?;
/// assert_eq!(found, Some(8));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn samples_for_net_disagreement(
    models: usize,
    net: f64,
    within: f64,
    plan: TestPlan,
) -> Result<Option<u32>, StatsError> {
    if models < 2 {
        return Err(StatsError::TooFewRaters { raters: models });
    }
    for (name, value) in [
        ("net disagreement", net),
        ("variance within models", within),
    ] {
        if !(value.is_finite() && value > 0.0) {
            let allowed = "a finite number above 0";
            return Err(StatsError::Parameter {
                name,
                value,
                allowed,
            });
        }
    }
    let a = models as f64;
    let ratio = net * net * a / (a - 1.0) / within;
    let enough = |k: u32| {
        let (upper, lower) = (a - 1.0, a * (f64::from(k) - 1.0));
        // F = (lower/upper) x/(1-x) for x ~ Beta(upper/2, lower/2); shrinking F by a factor
        // shrinks the odds of x by it.
        let x = beta_quantile(upper / 2.0, lower / 2.0, 1.0 - plan.level);
        let odds = x / (1.0 - x) / (1.0 + f64::from(k) * ratio);
        1.0 - beta_cdf(upper / 2.0, lower / 2.0, odds / (1.0 + odds)) >= plan.power
    };
    // Power rises with k: double until it is enough, then halve the gap.
    let mut high = 2;
    while !enough(high) {
        if high >= MOST {
            return Ok(None);
        }
        high = (high * 2).min(MOST);
    }
    let mut low = (high / 2).max(1);
    while high - low > 1 {
        let middle = u32::midpoint(low, high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}
