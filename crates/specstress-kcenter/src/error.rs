use thiserror::Error;

/// Why centres could not be selected or checked.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum KCenterError {
    /// No points, or points without coordinates.
    #[error("the points are {rows} x {dimensions}; pass at least one row with one coordinate")]
    Empty {
        /// Rows given.
        rows: usize,
        /// Coordinates per row.
        dimensions: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("row {row}, column {column} is {value}; every coordinate must be finite")]
    NotFinite {
        /// Row of the point, counted from 0.
        row: usize,
        /// Column of the coordinate, counted from 0.
        column: usize,
        /// The coordinate.
        value: f32,
    },
    /// A vector of zeros, which has no direction.
    #[error("row {row} is all zeros, so it has no cosine; drop it or use a Euclidean distance")]
    ZeroVector {
        /// Row of the point, counted from 0.
        row: usize,
    },
    /// The weights do not match the points.
    #[error("{weights} weights for {points} points; pass one weight per row")]
    WeightCount {
        /// Weights given.
        weights: usize,
        /// Points given.
        points: usize,
    },
    /// A weight that is negative, NaN or too large.
    #[error("weight of row {row} is {value}; weights must lie between 0 and 1e200")]
    Weight {
        /// Row of the weight, counted from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// A number of centres that cannot be met.
    #[error("{count} centres of {points} points; ask for at least 1 and at most all of them")]
    Count {
        /// Centres asked for.
        count: usize,
        /// Points given.
        points: usize,
    },
    /// A radius that is not a positive number.
    #[error("radius {value} is not usable; pass a finite number above 0")]
    Radius {
        /// The radius given.
        value: f64,
    },
    /// A first centre that is not a point.
    #[error("the first centre is row {index} of {points}; rows run from 0 to points - 1")]
    Start {
        /// Row asked for.
        index: usize,
        /// Points given.
        points: usize,
    },
    /// A selection to check names a row that is not there.
    #[error(
        "centre {position} of the selection is row {row} of {points}; check it against the points it was made from"
    )]
    UnknownCenter {
        /// Position among the centres.
        position: usize,
        /// Row it names.
        row: usize,
        /// Points given.
        points: usize,
    },
}
