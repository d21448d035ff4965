//! k-center selection: keep few points so that every other point is near a kept one. With
//! weights, heavy points are kept at a finer spacing than light ones. Every selector states
//! what it guarantees and why, and [`verify`] checks a selection against the data.
//!
//! Points are the rows of an `f32` matrix; distances are accumulated in `f64`. The same input
//! gives the same picks, in the same order, on every run: ties go to the lowest row, and
//! randomness enters only through a `u64` seed.
//!
//! ```
//! use specstress_kcenter::ndarray::array;
//! use specstress_kcenter::{Cover, FarthestFirst, Selector, Stop};
//!
//! let points = array![[0.0_f32, 0.0], [0.1, 0.0], [1.0, 0.0], [1.0, 0.2]];
//! // Until every point is within 0.3 of a kept one.
//! let kept = FarthestFirst::new(Stop::Radius(0.3)).select(points.view(), None)?;
//! assert_eq!(kept.centers, [0, 3]);
//!
//! // Drop what is within weighted distance 0.4 of a kept point at least as heavy.
//! let weights = [1.0, 3.0, 1.5, 2.0];
//! let kept = Cover::new(0.4)?.select(points.view(), Some(&weights))?;
//! assert_eq!(kept.centers, [1, 3]);
//! # Ok::<(), specstress_kcenter::KCenterError>(())
//! ```
//!
//! # Which selector
//!
//! | you want | use | bound |
//! |---|---|---|
//! | k spread-out points, or a spacing | [`FarthestFirst`] without weights | radius at most 2 x optimum |
//! | the same with weights, fast | [`FarthestFirst`] with weights | at most 3 x optimum |
//! | k points under weights | [`WeightedKCenter`] | at most 2 x optimum |
//! | a fixed weighted spacing | [`Cover`] | no more points than the optimum at half of it |
//!
//! The bounds rest on the triangle inequality: they hold for [`Euclidean`], not for
//! [`Cosine`]. On rows of length 1, Euclidean distance orders pairs as cosine does.
//!
//! # Large inputs
//!
//! For [`Euclidean`] and [`Cosine`] distances, lower bounds reject most pairs unseen, and what
//! they leave is decided in `f64` as before: the result is the same, bit for bit (see
//! [`Strategy`]). `select_from` of each selector reads any [`PointSource`], a `.npy` file larger
//! than memory among them, and takes a [`Run`] with progress and cancellation; the feature
//! `rayon` uses all threads. [`merge_core_sets`] combines selections of several machines.
//!
//! # Traits
//!
//! - [`Metric`]: the distance between two rows.
//! - [`PointSource`]: where points are read from; object-safe.
//! - [`Selector`]: a way to choose centres; object-safe.

#![expect(
    clippy::needless_pass_by_value,
    reason = "array views are passed by value, as slices are"
)]

mod bounded;
mod core_sets;
mod cover;
mod error;
mod farthest;
mod instance;
mod metric;
mod nearest;
mod npy;
mod parallel;
mod random;
mod run;
mod selection;
mod selector;
#[expect(
    unsafe_code,
    reason = "calls of functions for the processor at hand, and loads of whole registers"
)]
#[expect(
    clippy::inline_always,
    reason = "portable bodies are compiled once more for each kind of instructions"
)]
mod simd;
mod slices;
mod source;
mod verify;
mod weighted;

pub use ndarray;

pub use core_sets::{CoreSet, Merged, merge_core_sets};
pub use cover::{Cover, Order, WeightOn};
pub use error::{KCenterError, ReadCause};
pub use farthest::{FarthestFirst, Start, Stop};
pub use metric::{Cosine, Euclidean, Geometry, Metric};
pub use npy::{NpyPoints, read_npy_weights};
pub use run::{Progress, Run, Strategy};
pub use selection::{Assignment, Selection};
pub use selector::Selector;
pub use slices::{HalfPoints, SlicePoints};
pub use source::PointSource;
pub use verify::{Verification, verify, verify_from};
pub use weighted::WeightedKCenter;
