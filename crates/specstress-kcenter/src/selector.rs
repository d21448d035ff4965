use ndarray::ArrayView2;

use crate::{KCenterError, Selection};

/// A way to choose centres.
///
/// One method, required. Implementations answer the same input with the same picks and break
/// ties by the lowest row. Object-safe, so a selector can be chosen at run time.
///
/// ```
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{Cover, FarthestFirst, Selector, Stop};
///
/// let selectors: [Box<dyn Selector>; 2] =
///     [Box::new(FarthestFirst::new(Stop::Count(2))), Box::new(Cover::new(0.5)?)];
/// let points = array![[0.0_f32], [0.4], [1.0]];
/// for selector in &selectors {
///     assert_eq!(selector.select(points.view(), None)?.centers, [0, 2]);
/// }
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
pub trait Selector {
    /// Chooses centres among the rows of `points` (points x dimensions).
    ///
    /// `weights` holds one number per row, between 0 and 1e200; `None` weighs every point 1.
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError>;
}

impl<T: Selector + ?Sized> Selector for &T {
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError> {
        (**self).select(points, weights)
    }
}

impl<T: Selector + ?Sized> Selector for Box<T> {
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError> {
        (**self).select(points, weights)
    }
}

fn _dyn_compatible(_: &dyn Selector) {}
