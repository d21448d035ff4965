use std::fmt;
use std::ops::ControlFlow;

use crate::KCenterError;

/// How the distances are found. The picks are the same either way, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// [`Strategy::Bounded`] for large inputs whose metric has a known
    /// [`Geometry`](crate::Geometry), else [`Strategy::Pairwise`] (default).
    #[default]
    Auto,
    /// Every distance the definition of the selector asks for, one pair at a time, in `f64`.
    /// Works for every metric; no memory beside the points. The reference for the other.
    Pairwise,
    /// Lower bounds from points in eight bits per coordinate, multiplied in integers, reject
    /// most pairs, and `f64` decides the rest. Takes about 300 bytes per point beside the
    /// points, and where nearest centres are sought one byte per coordinate more, for centres
    /// two. Falls back to pairs for metrics without a known geometry and above 8,192 dimensions.
    Bounded,
}

/// How far a selection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Points are being read, checked or rotated.
    Preparing {
        /// Points done.
        done: usize,
        /// Points in all.
        points: usize,
    },
    /// Centres are being picked.
    Selecting {
        /// Centres picked so far.
        centers: usize,
        /// Points decided, for scans; centres picked, for traversals.
        done: usize,
        /// The most `done` can become; a traversal may stop long before.
        most: usize,
    },
    /// Dropped points are being assigned to their centres.
    Assigning {
        /// Points done.
        done: usize,
        /// Points in all.
        points: usize,
    },
}

/// Settings of one selection that change neither picks nor distances.
///
/// ```
/// use std::cell::Cell;
/// use std::ops::ControlFlow;
///
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{Cover, KCenterError, Run};
///
/// let points = array![[0.0_f32], [0.1], [3.0]];
/// let calls = Cell::new(0);
/// let count = |_| {
///     calls.set(calls.get() + 1);
///     ControlFlow::Continue(())
/// };
/// let run = Run::new().assignment(false).on_progress(&count);
/// let kept = Cover::new(0.5)?.select_from(&points, None, &run)?;
/// assert_eq!((kept.centers, kept.assignment), (vec![0, 2], None));
/// assert!(calls.get() > 0);
///
/// let stop = |_| ControlFlow::Break(());
/// let run = Run::new().on_progress(&stop);
/// assert_eq!(Cover::new(0.5)?.select_from(&points, None, &run), Err(KCenterError::Cancelled));
/// # Ok::<(), KCenterError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub(crate) strategy: Strategy,
    pub(crate) seed: u64,
    pub(crate) assignment: bool,
    on_progress: Option<&'a dyn Fn(Progress) -> ControlFlow<()>>,
}

impl<'a> Run<'a> {
    /// Automatic strategy, seed 0, assignment wanted, no callback.
    pub fn new() -> Self {
        Self {
            strategy: Strategy::default(),
            seed: 0,
            assignment: true,
            on_progress: None,
        }
    }

    /// Sets how distances are found.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Seeds the random rotation of [`Strategy::Bounded`]; it changes the time taken only.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether [`Selection::assignment`](crate::Selection::assignment) is wanted. Without it
    /// farthest-first need not look at the points it drops again.
    #[must_use]
    pub fn assignment(mut self, wanted: bool) -> Self {
        self.assignment = wanted;
        self
    }

    /// Sets a function to call now and then, on the calling thread, several times a second on
    /// large inputs; `Break` ends the selection with [`KCenterError::Cancelled`].
    #[must_use]
    pub fn on_progress(mut self, callback: &'a dyn Fn(Progress) -> ControlFlow<()>) -> Self {
        self.on_progress = Some(callback);
        self
    }

    pub(crate) fn report(&self, progress: Progress) -> Result<(), KCenterError> {
        match self.on_progress.map(|callback| callback(progress)) {
            Some(ControlFlow::Break(())) => Err(KCenterError::Cancelled),
            _ => Ok(()),
        }
    }
}

impl Default for Run<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("strategy", &self.strategy)
            .field("seed", &self.seed)
            .field("assignment", &self.assignment)
            .field("on_progress", &self.on_progress.is_some())
            .finish()
    }
}
