use crate::KCenterError;

/// The results of tasks 0 to `count - 1`, in that order, on all threads of the current rayon
/// pool with the feature `rayon`, else one after the other. Tasks share nothing that changes,
/// so the number of threads cannot show in the results; of several errors the one of the lowest
/// task is returned.
#[cfg(feature = "rayon")]
pub(crate) fn map_tasks<T: Send>(
    count: usize,
    task: impl Fn(usize) -> Result<T, KCenterError> + Sync,
) -> Result<Vec<T>, KCenterError> {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};

    let results: Vec<_> = (0..count).into_par_iter().map(&task).collect();
    results.into_iter().collect()
}

#[cfg(not(feature = "rayon"))]
pub(crate) fn map_tasks<T: Send>(
    count: usize,
    task: impl Fn(usize) -> Result<T, KCenterError> + Sync,
) -> Result<Vec<T>, KCenterError> {
    (0..count).map(task).collect()
}
