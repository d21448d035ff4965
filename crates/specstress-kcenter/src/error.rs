use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// A failure to read points, as the operating system reports it. Compares by its message.
#[derive(Debug, Clone)]
pub struct ReadCause(Arc<io::Error>);

impl From<io::Error> for ReadCause {
    fn from(cause: io::Error) -> Self {
        Self(Arc::new(cause))
    }
}

impl fmt::Display for ReadCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ReadCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for ReadCause {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

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
    /// A flat slice that is no whole number of points.
    #[error("{length} numbers are no whole number of points of {dimensions}; check the dimension")]
    Ragged {
        /// Numbers in the slice.
        length: usize,
        /// Coordinates per point.
        dimensions: usize,
    },
    /// A row of another length than the source announced.
    #[error("row {row} has {found} coordinates instead of {dimensions}; mend the source")]
    RowLength {
        /// Row of the point, counted from 0.
        row: usize,
        /// Its coordinates.
        found: usize,
        /// Coordinates announced.
        dimensions: usize,
    },
    /// A file of points could not be opened.
    #[error("cannot open {}; check that it exists and is a .npy file", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: ReadCause,
    },
    /// A `.npy` file of another kind.
    #[error("{} cannot be read as points: {problem}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A row could not be read from a file.
    #[error("cannot read row {row} of {}; check the disk and try again", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// First row of the block asked for, counted from 0.
        row: usize,
        /// Why.
        #[source]
        cause: ReadCause,
    },
    /// Core-sets that do not fit together.
    #[error("core-set {shard} does not fit: {problem}")]
    CoreSet {
        /// Position of the core-set, counted from 0.
        shard: usize,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The progress callback asked to stop.
    #[error("cancelled by the progress callback; select again to start over")]
    Cancelled,
}
