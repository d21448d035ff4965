use thiserror::Error;

/// Why a statistic could not be computed from the given arguments.
///
/// Data that is merely absent is no error: it is dropped, counted, and the estimate becomes
/// `None` when nothing is left.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The array has no rows or no columns.
    #[error("the array is {rows} x {columns}; pass at least one row and one column")]
    EmptyArray {
        /// Rows of the array given.
        rows: usize,
        /// Columns of the array given.
        columns: usize,
    },
    /// A score is NaN or infinite.
    #[error(
        "score at row {row}, column {column} is {value}; pass a finite number, or `None` where it is missing"
    )]
    NotFinite {
        /// Row of the score, counted from 0.
        row: usize,
        /// Column of the score, counted from 0.
        column: usize,
        /// The score itself.
        value: f64,
    },
    /// One scenario of a batch could not be read.
    #[error("scenario {scenario} of the batch cannot be used")]
    Scenario {
        /// Index of the scenario along the first axis.
        scenario: usize,
        /// What is wrong with it.
        source: Box<StatsError>,
    },
    /// A subset of models without a member.
    #[error("the subset names no model; pass `None` for all of them or at least one index")]
    EmptySubset,
    /// A subset names a model that does not exist.
    #[error("the subset names model {index} of {models}; indices run from 0 to models - 1")]
    SubsetIndex {
        /// The index given.
        index: usize,
        /// How many models the array has.
        models: usize,
    },
    /// A subset names a model twice, which would weigh it twice.
    #[error("the subset names model {index} twice; list every model once")]
    SubsetRepeats {
        /// The repeated index.
        index: usize,
    },
    /// A threshold or bin edge that is negative, NaN or infinite.
    #[error("threshold {value} is not usable; pass a finite number that is not negative")]
    Threshold {
        /// The number given.
        value: f64,
    },
    /// A threshold given as a ratio out of range.
    #[error(
        "threshold {numerator}/{denominator} is not usable; both parts must be at most 4294967295, the second above 0"
    )]
    ThresholdRatio {
        /// Numerator given.
        numerator: u64,
        /// Denominator given.
        denominator: u64,
    },
    /// A gap between two scores that is not a positive number.
    #[error("gap {value} is not usable; pass a finite number above 0")]
    Gap {
        /// The number given.
        value: f64,
    },
    /// An outlier rule that every model would satisfy.
    #[error("an outlier must disagree with at least one other model; the count given is 0")]
    ZeroCount,
    /// A confidence level outside the open unit interval.
    #[error("confidence level {value} is not usable; pass a number between 0 and 1, such as 0.95")]
    Confidence {
        /// The level given.
        value: f64,
    },
    /// A probability outside the open unit interval.
    #[error(
        "probability {value} has no normal quantile; pass a number between 0 and 1, both excluded"
    )]
    Probability {
        /// The probability given.
        value: f64,
    },
    /// More successes than trials.
    #[error("{successes} successes of {trials} trials; successes cannot exceed trials")]
    Successes {
        /// Successes given.
        successes: u64,
        /// Trials given.
        trials: u64,
    },
    /// Fewer than two bin edges.
    #[error("{edges} bin edges make no bin; pass at least two")]
    TooFewEdges {
        /// How many edges were given.
        edges: usize,
    },
    /// Bin edges that do not increase.
    #[error(
        "bin edge {index} ({value}) is not above the edge before it ({previous}); sort the edges and remove repeats"
    )]
    EdgeOrder {
        /// Index of the offending edge.
        index: usize,
        /// The offending edge.
        value: f64,
        /// The edge before it.
        previous: f64,
    },
    /// A bin index beyond the bins.
    #[error("item {item} names bin {bin} of {bins}; indices run from 0 to bins - 1")]
    BinIndex {
        /// Position of the item.
        item: usize,
        /// The bin it names.
        bin: usize,
        /// How many bins there are.
        bins: usize,
    },
    /// Two inputs that must run side by side have different lengths.
    #[error("{left} items against {right}; both inputs must have the same length")]
    Lengths {
        /// Length of the first input.
        left: usize,
        /// Length of the second input.
        right: usize,
    },
    /// Agreement needs at least two raters.
    #[error("{raters} rater(s); agreement needs at least 2")]
    TooFewRaters {
        /// How many raters were given.
        raters: usize,
    },
    /// A subject with more ratings than there are raters.
    #[error(
        "subject {subject} has {found} ratings from {raters} raters; correct its row of counts"
    )]
    TooManyRatings {
        /// Row of the subject.
        subject: usize,
        /// Ratings its row sums to.
        found: u64,
        /// Raters per subject, as given.
        raters: usize,
    },
    /// A comparison names a category that does not exist.
    #[error(
        "comparison {item} names category {category} of {categories}; indices run from 0 to categories - 1"
    )]
    Category {
        /// Position of the comparison.
        item: usize,
        /// The category it names.
        category: usize,
        /// How many categories there are.
        categories: usize,
    },
    /// A number of raters that a coefficient is not defined for.
    #[error("{raters} raters; this coefficient compares exactly {needed}, so pass those columns")]
    RaterCount {
        /// Raters given.
        raters: usize,
        /// Raters the coefficient takes.
        needed: usize,
    },
    /// A label that is not on the scale given.
    #[error(
        "row {row}, column {column} has label {label}, which is not on the scale; add it or correct it"
    )]
    UnknownLabel {
        /// Row of the label.
        row: usize,
        /// Column of the label.
        column: usize,
        /// The label.
        label: u32,
    },
    /// A parameter outside its range.
    #[error("{name} is {value}; pass {allowed}")]
    Parameter {
        /// What the parameter is called.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The values that are allowed.
        allowed: &'static str,
    },
    /// An item names something that does not exist.
    #[error("item {item} names {what} {index} of {count}; indices run from 0 to {count} - 1")]
    Index {
        /// Position of the item.
        item: usize,
        /// What it names.
        what: &'static str,
        /// The index given.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl StatsError {
    /// Refuses two inputs of different lengths.
    pub(crate) fn same_length(left: usize, right: usize) -> Result<(), Self> {
        if left == right {
            Ok(())
        } else {
            Err(Self::Lengths { left, right })
        }
    }

    /// Refuses NaN and infinities.
    pub(crate) fn finite(row: usize, column: usize, value: f64) -> Result<f64, Self> {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(Self::NotFinite { row, column, value })
        }
    }

    /// Refuses more successes than trials.
    pub(crate) fn at_most(successes: u64, trials: u64) -> Result<(), Self> {
        if successes <= trials {
            Ok(())
        } else {
            Err(Self::Successes { successes, trials })
        }
    }

    /// Refuses an index that is not below `count`.
    pub(crate) fn in_range(
        item: usize,
        what: &'static str,
        index: usize,
        count: usize,
    ) -> Result<(), Self> {
        if index < count {
            return Ok(());
        }
        Err(Self::Index {
            item,
            what,
            index,
            count,
        })
    }
}
