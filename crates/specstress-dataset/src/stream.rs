use crate::DatasetError;

/// Rows that are read as they are asked for. After the first error there are no more.
pub type Rows<T> = Box<dyn Iterator<Item = Result<T, DatasetError>> + Send>;

/// Ends rows after the first error.
pub(crate) fn until_error<T>(
    mut rows: impl Iterator<Item = Result<T, DatasetError>> + Send + 'static,
) -> Rows<T> {
    let mut failed = false;
    Box::new(std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let row = rows.next()?;
        failed = row.is_err();
        Some(row)
    }))
}

/// Where rows go. Rows arrive in the order they are written; how they are cut into slices does not change the output.
///
/// Two required methods. Nothing is promised to be stored before [`Sink::finish`] returned `Ok`; the sinks of this
/// crate leave an existing file as it was until then, also when they are dropped.
pub trait Sink<T>: Send {
    /// Takes the next rows.
    fn write(&mut self, rows: &[T]) -> Result<(), DatasetError>;

    /// Stores everything and returns the number of rows. A full disk or any other failed write is an error here at the
    /// latest.
    fn finish(self: Box<Self>) -> Result<u64, DatasetError>;
}

/// Where rows come from. One required method.
pub trait Source<T>: Send + Sync {
    /// All rows from the first, in stored order; may be called again.
    fn rows(&self) -> Result<Rows<T>, DatasetError>;
}

const _: fn(&dyn Sink<u8>, &dyn Source<u8>) = |_, _| {};
