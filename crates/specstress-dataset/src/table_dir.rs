use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::output::{sync_dir, unique_suffix};
use crate::parquet_source::{FileRows, count_rows, names, start};
use crate::shape::columns_of;
use crate::{DatasetError, ParquetSink, Rows, Sink, Source, Table};

/// The `tables/` folder of a run: each table is a folder `<name>/part-*.parquet`.
///
/// A table is replaced as a whole. Readers see the old one or the new one, never a part, even when a writer is killed;
/// rows that are being read stay those of the table that was opened. One writer per table at a time: a second one
/// ends the first, whose `finish` then fails.
///
/// ```
/// use specstress_dataset::{TableDir, rows::OutlierRow};
///
/// let dir = tempfile::tempdir()?;
/// let tables = TableDir::new(dir.path());
/// let mut writer = tables.writer::<OutlierRow>()?;
/// writer.push(OutlierRow { scenario_id: "a".into(), model: "m".into(), disagrees_with: 9, others: 11 })?;
/// assert!(!tables.exists::<OutlierRow>());
/// writer.finish()?;
/// assert_eq!(tables.count::<OutlierRow>()?, 1);
/// for row in tables.rows::<OutlierRow>()? {
///     assert_eq!(row?.model, "m");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDir {
    root: PathBuf,
}

impl TableDir {
    /// The folder at `root`; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a table, whether or not it exists.
    pub fn path<T: Table>(&self) -> PathBuf {
        self.root.join(T::NAME)
    }

    /// Whether the table has been written.
    pub fn exists<T: Table>(&self) -> bool {
        self.stored::<T>()
            .is_some_and(|folder| parts_of::<T>(&folder).is_ok())
    }

    /// Number of rows, from the ends of the files.
    ///
    /// # Errors
    /// As [`TableDir::rows`].
    pub fn count<T: Table>(&self) -> Result<u64, DatasetError> {
        self.with_parts::<T, _>(|parts| parts.iter().map(|part| count_rows::<T>(part)).sum())
    }

    /// All rows, in the order they were written. Memory: one batch.
    ///
    /// # Errors
    /// [`DatasetError::MissingTable`] when the table was never written; what [`ParquetSource::open`] says of its files.
    ///
    /// [`ParquetSource::open`]: crate::ParquetSource::open
    pub fn rows<T: Table>(&self) -> Result<Rows<T>, DatasetError> {
        self.read::<T, T>(&names(T::COLUMNS))
    }

    /// All rows as the smaller struct `R`; only the columns its fields name are read. See
    /// [`ParquetSource::project`](crate::ParquetSource::project).
    pub fn rows_projected<T: Table, R: DeserializeOwned + Send + 'static>(
        &self,
    ) -> Result<Rows<R>, DatasetError> {
        self.read::<T, R>(columns_of::<R>()?)
    }

    /// Starts a new version of the table and removes what killed writers left.
    ///
    /// # Errors
    /// [`DatasetError::Io`] when the folder cannot be made.
    pub fn writer<T: Table>(&self) -> Result<TableWriter<T>, DatasetError> {
        fs::create_dir_all(&self.root).map_err(DatasetError::io("create", &self.root))?;
        self.recover::<T>()?;
        let partial = self
            .root
            .join(format!("{}{}", partial_prefix::<T>(), unique_suffix()));
        fs::create_dir(&partial).map_err(DatasetError::io("create", &partial))?;
        let folder = PartialDir(partial);
        let sink = ParquetSink::create(folder.0.join("part-00000.parquet"))?;
        Ok(TableWriter {
            dir: self.clone(),
            sink: Box::new(sink),
            folder,
        })
    }

    fn read<T: Table, R: DeserializeOwned + Send + 'static>(
        &self,
        columns: &[&'static str],
    ) -> Result<Rows<R>, DatasetError> {
        // All parts are opened now, so that replacing the table does not change what is read.
        let parts: Vec<FileRows<R>> = self.with_parts::<T, _>(|parts| {
            parts
                .iter()
                .map(|part| start::<T, R>(part, columns))
                .collect()
        })?;
        let mut failed = false;
        let rows = parts.into_iter().flatten().take_while(move |row| {
            // The error itself is still given.
            let before = failed;
            failed |= row.is_err();
            !before
        });
        Ok(Box::new(rows))
    }

    /// The folder to read: the table, or between two renames of [`TableWriter::finish`] its whole new version.
    fn stored<T: Table>(&self) -> Option<PathBuf> {
        [self.path::<T>(), self.ready::<T>()]
            .into_iter()
            .find(|path| path.is_dir())
    }

    fn ready<T: Table>(&self) -> PathBuf {
        self.root.join(format!(".{}.ready", T::NAME))
    }

    fn old<T: Table>(&self) -> PathBuf {
        self.root.join(format!(".{}.old", T::NAME))
    }

    fn with_parts<T: Table, R>(
        &self,
        read: impl Fn(&[PathBuf]) -> Result<R, DatasetError>,
    ) -> Result<R, DatasetError> {
        // A table may be replaced between looking for it and opening it; it is then found on another look.
        const LOOKS: u32 = 5;
        let mut look = 1;
        loop {
            let result = match self.stored::<T>() {
                Some(folder) => parts_of::<T>(&folder).and_then(|parts| read(&parts)),
                None => Err(self.missing::<T>()),
            };
            match result {
                Err(DatasetError::MissingFile { .. } | DatasetError::MissingTable { .. })
                    if look < LOOKS =>
                {
                    look += 1;
                }
                Err(DatasetError::MissingFile { .. }) => return Err(self.missing::<T>()),
                result => return result,
            }
        }
    }

    fn missing<T: Table>(&self) -> DatasetError {
        DatasetError::MissingTable {
            table: T::NAME,
            path: self.path::<T>(),
        }
    }

    /// Brings the folder into order after a writer was killed: a new version that was whole while the old one was
    /// already gone takes its place; everything else unfinished is removed.
    fn recover<T: Table>(&self) -> Result<(), DatasetError> {
        let (path, ready) = (self.path::<T>(), self.ready::<T>());
        if ready.is_dir() && !path.exists() {
            rename(&ready, &path)?;
        }
        remove_dir(&ready)?;
        remove_dir(&self.old::<T>())?;
        let prefix = partial_prefix::<T>();
        let entries = fs::read_dir(&self.root).map_err(DatasetError::io("list", &self.root))?;
        for entry in entries {
            let entry = entry.map_err(DatasetError::io("list", &self.root))?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                remove_dir(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn partial_prefix<T: Table>() -> String {
    format!(".{}.partial-", T::NAME)
}

/// The part files of a folder by name.
fn parts_of<T: Table>(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut parts = listed.map_err(DatasetError::open(folder))?;
    parts.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("part-") && path.extension().is_some_and(|end| end == "parquet")
    });
    parts.sort();
    if parts.is_empty() {
        return Err(DatasetError::MissingTable {
            table: T::NAME,
            path: folder.to_owned(),
        });
    }
    Ok(parts)
}

fn rename(from: &Path, to: &Path) -> Result<(), DatasetError> {
    fs::rename(from, to).map_err(DatasetError::io("replace", to))
}

fn remove_dir(path: &Path) -> Result<(), DatasetError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DatasetError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The unfinished folder of a writer; gone when the writer is.
#[derive(Debug)]
struct PartialDir(PathBuf);

impl Drop for PartialDir {
    fn drop(&mut self) {
        // Nobody is left to tell; the next writer removes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes a new version of a table. Dropped without [`TableWriter::finish`], the old version stays.
#[derive(Debug)]
pub struct TableWriter<T> {
    dir: TableDir,
    sink: Box<ParquetSink<T>>,
    // After the sink, so that the file is closed before its folder goes.
    folder: PartialDir,
}

impl<T: Table> TableWriter<T> {
    /// Takes the next row. Memory: one row group of [`Table::ROWS_PER_GROUP`].
    ///
    /// # Errors
    /// [`DatasetError::NotFinite`] for a NaN, at the latest in `finish`; [`DatasetError::Io`] when the disk is full.
    /// The table then stays as it was.
    pub fn push(&mut self, row: T) -> Result<(), DatasetError> {
        self.sink.push(row)
    }

    /// Stores the table on disk, puts it in the place of the old one and returns its number of rows. Equal rows give
    /// equal bytes.
    pub fn finish(self) -> Result<u64, DatasetError> {
        let Self { dir, sink, folder } = self;
        let rows = sink.finish()?;
        let (path, ready, old) = (dir.path::<T>(), dir.ready::<T>(), dir.old::<T>());
        remove_dir(&ready)?;
        remove_dir(&old)?;
        // From here on the new version is whole and found by readers whenever the old one is not there.
        rename(&folder.0, &ready)?;
        sync_dir(&dir.root)?;
        if path.exists() {
            rename(&path, &old)?;
        }
        rename(&ready, &path)?;
        sync_dir(&dir.root)?;
        remove_dir(&old)?;
        Ok(rows)
    }
}

impl<T: Table> Sink<T> for TableWriter<T> {
    fn write(&mut self, rows: &[T]) -> Result<(), DatasetError> {
        self.sink.write(rows)
    }

    fn finish(self: Box<Self>) -> Result<u64, DatasetError> {
        TableWriter::finish(*self)
    }
}

impl<T: Table> Source<T> for TableDir {
    fn rows(&self) -> Result<Rows<T>, DatasetError> {
        TableDir::rows(self)
    }
}
