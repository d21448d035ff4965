use crate::StatsError;

/// What an adjustment of many p-values controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Adjustment {
    /// The expected share of false findings among the findings, for tests that are independent
    /// or positively dependent (default; Benjamini & Hochberg 1995): `min over j >= i of m p_j / j`.
    #[default]
    BenjaminiHochberg,
    /// The same under any dependence (Benjamini & Yekutieli 2001): times `1 + 1/2 + ... + 1/m`.
    BenjaminiYekutieli,
    /// The chance of any false finding (Holm 1979): `max over j <= i of (m - j + 1) p_j`.
    Holm,
    /// The chance of any false finding, in one step: `m p`.
    Bonferroni,
}

/// Adjusted p-values.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Adjusted {
    /// In the order given, at most 1; `None` where the test has none.
    pub p: Vec<Option<f64>>,
    /// Tests with a p-value, the `m` of the formulas.
    pub n: usize,
    /// Tests without one.
    pub dropped: usize,
}

impl Adjusted {
    /// Tests that are findings at a level: adjusted p-value at most `level`.
    pub fn findings(&self, level: f64) -> impl Iterator<Item = usize> + '_ {
        let found = move |(at, p): (usize, &Option<f64>)| (*p).filter(|&p| p <= level).map(|_| at);
        self.p.iter().enumerate().filter_map(found)
    }
}

/// Adjusts p-values for how many there are.
///
/// With `p_1 <= ... <= p_m` the formulas are on [`Adjustment`]. Tests without a p-value are not
/// counted. Errors on a p-value outside `[0, 1]`. Cost O(m log m).
///
/// ```
/// use specstress_stats::{Adjustment, adjust_p_values};
///
/// let p = [Some(0.01), Some(0.5), None, Some(0.02)];
/// let found = adjust_p_values(&p, Adjustment::BenjaminiHochberg)?;
/// assert_eq!(found.p, [Some(0.03), Some(0.5), None, Some(0.03)]);
/// assert_eq!(found.findings(0.05).collect::<Vec<_>>(), [0, 3]);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn adjust_p_values(p: &[Option<f64>], method: Adjustment) -> Result<Adjusted, StatsError> {
    let mut known: Vec<(usize, f64)> = Vec::with_capacity(p.len());
    for (at, p) in p.iter().enumerate() {
        let Some(p) = *p else { continue };
        if !(0.0..=1.0).contains(&p) {
            return Err(StatsError::Parameter {
                name: "p-value",
                value: p,
                allowed: "a number from 0 to 1, or `None`",
            });
        }
        known.push((at, p));
    }
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let m = known.len();
    let mut adjusted = vec![None; p.len()];
    let mut set = |at: usize, p: f64| adjusted[at] = Some(p.min(1.0));
    match method {
        Adjustment::BenjaminiHochberg | Adjustment::BenjaminiYekutieli => {
            let penalty = match method {
                Adjustment::BenjaminiYekutieli => (1..=m).map(|j| (j as f64).recip()).sum(),
                _ => 1.0,
            };
            let mut least = f64::INFINITY;
            for (rank, &(at, p)) in known.iter().enumerate().rev() {
                least = least.min(penalty * p * (m as f64 / (rank + 1) as f64));
                set(at, least);
            }
        }
        Adjustment::Holm => {
            let mut most = 0.0_f64;
            for (rank, &(at, p)) in known.iter().enumerate() {
                most = most.max(p * (m - rank) as f64);
                set(at, most);
            }
        }
        Adjustment::Bonferroni => {
            for &(at, p) in &known {
                set(at, p * m as f64);
            }
        }
    }
    Ok(Adjusted {
        p: adjusted,
        n: m,
        dropped: p.len() - m,
    })
}
