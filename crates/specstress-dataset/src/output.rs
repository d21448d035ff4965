//! A file that appears under its name only when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::DatasetError;

/// A name no other writer of this or another process uses.
pub(crate) fn unique_suffix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{next}", std::process::id())
}

/// Makes a rename in `dir` survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), DatasetError> {
    if cfg!(unix) {
        File::open(dir)
            .and_then(|handle| handle.sync_all())
            .map_err(DatasetError::io("sync folder", dir))?;
    }
    Ok(())
}

/// Writes to a hidden sibling, which [`Output::finish`] syncs and renames. Dropped before, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Output {
    target: PathBuf,
    /// `None` for devices and pipes, which are written in place.
    temporary: Option<PathBuf>,
    file: BufWriter<File>,
    /// A write failed, so what is there is not whole.
    failed: bool,
    done: bool,
}

impl Output {
    pub(crate) fn create(target: &Path) -> Result<Self, DatasetError> {
        let in_place = fs::metadata(target).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        let temporary = match target.file_name() {
            Some(name) if !in_place => Some(target.with_file_name(format!(
                ".{}.partial-{}",
                name.to_string_lossy(),
                unique_suffix()
            ))),
            _ => None,
        };
        let path = temporary.as_deref().unwrap_or(target);
        let file = File::options()
            .write(true)
            .create(!in_place)
            .truncate(!in_place)
            .open(path)
            .map_err(DatasetError::io("create", target))?;
        Ok(Self {
            target: target.to_owned(),
            temporary,
            file: BufWriter::with_capacity(1 << 16, file),
            failed: false,
            done: false,
        })
    }

    pub(crate) fn finish(&mut self) -> Result<(), DatasetError> {
        if self.failed {
            let earlier = io::Error::other("an earlier write failed");
            return Err(DatasetError::io("write", &self.target)(earlier));
        }
        self.file
            .flush()
            .map_err(DatasetError::io("write", &self.target))?;
        if let Some(temporary) = &self.temporary {
            self.file
                .get_ref()
                .sync_all()
                .map_err(DatasetError::io("sync", &self.target))?;
            fs::rename(temporary, &self.target)
                .map_err(DatasetError::io("replace", &self.target))?;
            match self.target.parent() {
                Some(parent) if parent != Path::new("") => sync_dir(parent)?,
                _ => sync_dir(Path::new("."))?,
            }
        }
        self.done = true;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).inspect_err(|_| self.failed = true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().inspect_err(|_| self.failed = true)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let (false, Some(temporary)) = (self.done, &self.temporary) {
            // Nobody is left to tell; the name is hidden and never read.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// One output held twice: by the Parquet writer, which does not give back its own without losing the system's error,
/// and by us, to finish it.
#[derive(Clone, Debug)]
pub(crate) struct SharedOutput(Arc<Mutex<Output>>);

impl SharedOutput {
    pub(crate) fn new(output: Output) -> Self {
        Self(Arc::new(Mutex::new(output)))
    }

    pub(crate) fn finish(&self) -> Result<(), DatasetError> {
        self.with(Output::finish)
    }

    fn with<R>(&self, act: impl FnOnce(&mut Output) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for SharedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|output| output.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Output::flush)
    }
}
