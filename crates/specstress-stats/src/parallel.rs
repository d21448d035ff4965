/// `f` of 0 to `count - 1`, in order; on all cores with the feature `rayon`.
#[cfg(feature = "rayon")]
pub(crate) fn map_indices<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    use rayon::prelude::*;

    (0..count).into_par_iter().map(&f).collect()
}

/// `f` of 0 to `count - 1`, in order; on all cores with the feature `rayon`.
#[cfg(not(feature = "rayon"))]
pub(crate) fn map_indices<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    (0..count).map(f).collect()
}
