use crate::{Preference, StatsError};

/// Which of two values a question was nudged toward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Toward {
    /// Neither (default).
    #[default]
    Neither,
    /// The first.
    First,
    /// The second.
    Second,
}

impl Toward {
    /// +1, 0 or -1.
    pub(super) fn sign(self) -> f64 {
        match self {
            Self::Neither => 0.0,
            Self::First => 1.0,
            Self::Second => -1.0,
        }
    }
}

/// One model's choice between two values, under a nudge or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NudgedComparison {
    /// The first value.
    pub first: usize,
    /// The second value.
    pub second: usize,
    /// What the question leans to.
    pub toward: Toward,
    /// What was favoured; `None` when it is not known.
    pub preference: Option<Preference>,
}

/// What happens to comparisons that favour neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Ties {
    /// They are modelled (default; Davidson 1970).
    #[default]
    Davidson,
    /// They are dropped and counted.
    Drop,
}

/// How utilities are held together where comparisons say little.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Shrinkage {
    /// `strength / 2 * sum theta_i^2`: toward the mean of all.
    Ridge {
        /// Not negative; 0 leaves a value that always wins without a finite utility.
        strength: f64,
    },
    /// `within / 2 * sum (theta_i - m_g(i))^2 + between / 2 * sum m_g^2`: toward the mean of its
    /// group, and groups toward the mean of all.
    Hierarchical {
        /// Group of each value, such as its category.
        groups: Vec<usize>,
        /// Strength toward the group, above 0.
        within: f64,
        /// Strength of the groups toward the mean of all, above 0.
        between: f64,
    },
}

/// How standard errors are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum StandardErrors {
    /// From the inverse of the whole information matrix (default). O(values^3): seconds for
    /// thousands of values.
    #[default]
    Exact,
    /// None.
    Skip,
}

/// How utilities are fitted. The default models ties, has an intercept and a nudge term, ridge
/// shrinkage of strength 1, and exact standard errors.
///
/// ```
/// use specstress_stats::{RankingParams, Shrinkage, Ties};
///
/// let hua = RankingParams::default().ties(Ties::Drop).shrinkage(Shrinkage::Ridge { strength: 0.1 });
/// # let _ = hua;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RankingParams {
    pub(super) ties: Ties,
    pub(super) shrinkage: Shrinkage,
    pub(super) errors: StandardErrors,
    pub(super) iterations: usize,
}

impl Default for RankingParams {
    fn default() -> Self {
        Self {
            ties: Ties::default(),
            shrinkage: Shrinkage::Ridge { strength: 1.0 },
            errors: StandardErrors::default(),
            iterations: 100,
        }
    }
}

impl RankingParams {
    /// Sets what happens to ties.
    #[must_use]
    pub fn ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }

    /// Sets the shrinkage; checked against the values when used.
    #[must_use]
    pub fn shrinkage(mut self, shrinkage: Shrinkage) -> Self {
        self.shrinkage = shrinkage;
        self
    }

    /// Sets how standard errors are found.
    #[must_use]
    pub fn standard_errors(mut self, errors: StandardErrors) -> Self {
        self.errors = errors;
        self
    }

    /// Sets the most Newton steps.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Refuses shrinkage that does not fit the values.
    pub(super) fn check(&self, values: usize) -> Result<(), StatsError> {
        let usable = |name, value: f64, zero: bool| {
            if value.is_finite() && (value > 0.0 || (zero && value == 0.0)) {
                return Ok(());
            }
            Err(StatsError::Parameter {
                name,
                value,
                allowed: "a finite number above 0 (0 only for the ridge)",
            })
        };
        match &self.shrinkage {
            Shrinkage::Ridge { strength } => usable("strength of the shrinkage", *strength, true),
            Shrinkage::Hierarchical {
                groups,
                within,
                between,
            } => {
                usable("strength within groups", *within, false)?;
                usable("strength between groups", *between, false)?;
                StatsError::same_length(values, groups.len())?;
                // One parameter per group: names must be dense enough to index.
                for (item, &group) in groups.iter().enumerate() {
                    StatsError::in_range(item, "group", group, values)?;
                }
                Ok(())
            }
        }
    }
}
